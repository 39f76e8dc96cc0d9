package engine

import (
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/queue"
)

// QueueEnv are the variables of the runner's environment, as NAME=value, by which a worker finds its queues and shows who it is; none for an
// app that is no worker. What the lane itself says comes behind them, and counts. files: the worker sees the files of this machine.
func QueueEnv(l race.LaneSpec, get func(string) string, files bool) []string {
	if l.Queue == nil {
		return nil
	}
	names := queue.Environment
	if files {
		names = slices.Concat(names, queue.Files)
	}
	var env []string
	for _, name := range names {
		if v := get(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
