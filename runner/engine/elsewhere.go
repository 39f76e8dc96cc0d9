package engine

import (
	"context"

	"github.com/photofinish/photofinish/pkg/race"
)

// elsewhere is an app that somebody else runs: nothing is started, counted or stopped.
type elsewhere struct {
	spec race.LaneSpec
	done chan struct{} // never closed
}

var _ Lane = (*elsewhere)(nil)

// Elsewhere is the lane of an app that somebody else runs.
func Elsewhere(spec race.LaneSpec) Lane {
	return &elsewhere{spec: spec, done: make(chan struct{})}
}

func (e *elsewhere) App() string { return e.spec.App }

// Address is the lane's whole URL: such a lane has no path apart from it.
func (e *elsewhere) Address() string { return e.spec.URL }

func (e *elsewhere) ContainerName() string { return "" }

// Counters fails: what the app spends is not known here.
func (e *elsewhere) Counters(context.Context) (Counters, error) {
	return Counters{}, race.Errorf(race.Unavailable, "", "lane %s runs elsewhere: what it spends is not known", e.spec.App)
}

func (e *elsewhere) Logs() []string { return nil }

func (e *elsewhere) Done() <-chan struct{} { return e.done }

func (e *elsewhere) Exit() race.Exit { return race.Exit{Reason: race.Running} }

func (e *elsewhere) Stop(context.Context) error { return nil }
