package coordinator

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// stopGrace is how long k6 may take to end by itself once it was asked to: its iterations have 30 s of graceful stop
// by default, but an interrupted race waits for no app.
const stopGrace = 5 * time.Second

// clocks are the k6 processes of one heat: one for all lanes, or one a lane.
type clocks struct {
	processes []k6.Running
	apps      [][]string      // of each process
	events    chan clockEvent // closed when every process has ended
}

type clockEvent struct {
	process int
	stream.Event
}

// prepareK6 gets the k6 of this race ready, and says what a stock one cannot do.
func (u *run) prepareK6(ctx context.Context, say func(string)) error {
	stock, err := u.K6.Prepare(ctx, u.ID, say)
	if err != nil || stock == nil {
		return err
	}
	u.record.K6 = stock
	u.record.Versions["k6"] = stock.Version // instead of that of the built-in one
	u.View.Log(fmt.Sprintf("the stopwatch is k6 %s of the image %s: a stock k6, so live figures come from Prometheus, once a second", stock.Version, stock.Image.Name))
	return nil
}

// startClocks starts the k6 processes of a heat.
func (u *run) startClocks(ctx context.Context, cfg stream.Config) (*clocks, error) {
	c := &clocks{events: make(chan clockEvent)}
	for i, lanes := range u.perProcess(cfg.Lanes) {
		part := k6.Part{Definition: u.Definition, Config: cfg, Index: i, PerLane: u.PerLane, Requests: u.requests}
		part.Config.Lanes = lanes
		p, err := u.K6.Launch(ctx, part)
		if err != nil {
			c.abandon()
			return nil, err
		}
		c.processes = append(c.processes, p)
		c.apps = append(c.apps, part.Apps())
	}
	var open sync.WaitGroup
	for i, p := range c.processes {
		open.Go(func() {
			for ev := range p.Events() {
				c.events <- clockEvent{process: i, Event: ev}
			}
		})
	}
	go func() { open.Wait(); close(c.events) }()
	return c, nil
}

func (u *run) perProcess(lanes []stream.Lane) [][]stream.Lane {
	if !u.PerLane {
		return [][]stream.Lane{lanes}
	}
	var parts [][]stream.Lane
	for _, l := range lanes {
		parts = append(parts, []stream.Lane{l})
	}
	return parts
}

// cpus is how many CPUs the processes are held to together, 0 if any of them may use all.
func (c *clocks) cpus() int {
	sum := 0
	for _, p := range c.processes {
		if p.CPUs() == 0 {
			return 0
		}
		sum += p.CPUs()
	}
	return sum
}

// begin tells every process when the race part starts. One that has ended already cannot be told: how it ended tells the rest.
func (c *clocks) begin(at time.Time) {
	for _, p := range c.processes {
		_ = p.Go(at)
	}
}

// retire takes an app out of the load.
func (c *clocks) retire(app string) {
	for _, p := range c.processes {
		_ = p.Retire(app) // a process that has ended asks nobody any more
	}
}

// stop asks every process to end, and ends those that do not.
func (c *clocks) stop() {
	for _, p := range c.processes {
		_ = p.Interrupt() // one that has ended already cannot be told, and need not be
	}
	time.AfterFunc(stopGrace, c.kill)
}

// abandon ends processes whose events nobody reads, and waits for their end.
func (c *clocks) abandon() {
	c.kill()
	for _, p := range c.processes {
		_, _ = p.Wait() // the error that led here says more
	}
}

func (c *clocks) kill() {
	for _, p := range c.processes {
		_ = p.Kill()
	}
}

// wait collects how the processes ended; the events must have been read to their end.
func (c *clocks) wait() ([]k6.Exit, error) {
	var exits []k6.Exit
	for _, p := range c.processes {
		e, err := p.Wait()
		if err != nil {
			return nil, fmt.Errorf("wait for k6: %w", err)
		}
		exits = append(exits, e)
	}
	return exits, nil
}
