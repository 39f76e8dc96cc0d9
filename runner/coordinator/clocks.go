package coordinator

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// stopGrace is how long k6 may take to end by itself once it was asked to: its iterations have 30 s of graceful stop
// by default, but an interrupted race waits for no app.
const stopGrace = 5 * time.Second

// clocks are the k6 processes of one heat: one for all lanes, or one a lane.
type clocks struct {
	processes []*clock
	events    chan clockEvent // closed when every process has ended
}

// clock is one k6 process.
type clock struct {
	*k6.Process
	apps    []string
	summary string // the file that k6 writes at its end
	notes   []string
	cpus    int // to which it is held; 0 is none
}

type clockEvent struct {
	process int
	stream.Event
}

// startClocks writes the wrappers of a heat and starts k6 on them.
func (u *run) startClocks(ctx context.Context, cfg stream.Config) (*clocks, error) {
	c := &clocks{events: make(chan clockEvent)}
	for i, lanes := range u.perProcess(cfg.Lanes) {
		part := cfg
		part.Lanes = lanes
		p, err := u.startClock(ctx, part, i)
		if err != nil {
			c.kill()
			return nil, err
		}
		c.processes = append(c.processes, p)
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

func (u *run) startClock(ctx context.Context, cfg stream.Config, index int) (*clock, error) {
	name := fmt.Sprintf("heat-%d-%d", cfg.Heat, index)
	if cfg.Probe {
		name = fmt.Sprintf("probe-%d", index)
	}
	dir := filepath.Join(u.K6.WorkDir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, race.Errorf(race.Unavailable, "", "cannot make a working folder for k6: %w", err)
	}
	files, err := k6.WriteHeat(dir, u.Definition, cfg, k6.HeatOptions{Requests: u.requests})
	if err != nil {
		return nil, err
	}
	c := &clock{summary: filepath.Join(dir, "summary.json"), notes: files.Notes, cpus: files.CPUs}
	for _, l := range cfg.Lanes {
		c.apps = append(c.apps, l.App)
	}
	start := k6.Run{
		Wrapper: files.Wrapper, ConfigPath: files.Config, SummaryPath: c.summary,
		RaceID: cfg.RaceID, Heat: cfg.Heat, RemoteWriteURL: cfg.RemoteWriteURL, CPUs: files.CPUs,
	}
	if u.PerLane {
		start.Env = map[string]string{"APP_URL": cfg.Lanes[0].URL}
	}
	if u.Stopwatch != nil {
		start.Command = u.Stopwatch.Command
	}
	c.Process, err = u.K6.Start(ctx, start)
	return c, err
}

// cpus is how many CPUs the processes are held to together, 0 if any of them may use all.
func (c *clocks) cpus() int {
	sum := 0
	for _, p := range c.processes {
		if p.cpus == 0 {
			return 0
		}
		sum += p.cpus
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
