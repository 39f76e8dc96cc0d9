package engine

import (
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/queue"
)

// QueueEnv are the variables of the runner's environment, as NAME=value, by which a worker finds its queues and shows who it is; none for an
// app that is no worker. What the lane itself says comes behind them, and counts.
func QueueEnv(l race.LaneSpec, get func(string) string) []string {
	if l.Queue == nil {
		return nil
	}
	var env []string
	for _, name := range queue.Environment {
		if v := get(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
