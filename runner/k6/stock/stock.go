// Package stock conducts a k6 of which nothing is expected but what k6 itself has, wherever it runs: in a container on this machine (package
// container), or in pods of a cluster that share the load (package operator). So
//   - the wrapper is plain JavaScript (stock.js of package k6), packed by the built-in k6 with all that the script imports and opens;
//   - the start of the race is agreed on by HTTP, at an address that nobody else can guess (door.go);
//   - the live figures and the latencies are read from what k6 writes to Prometheus (live.go), everything else from what it counts at its
//     end (its summary), which it prints.
package stock

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/k6"
)

// Conductor conducts the k6 of a race's heats.
type Conductor struct {
	k6         k6.K6
	prometheus *prometheus
	say        func(line string)
	complaint  sync.Once

	mu       sync.Mutex
	programs []Program // of the heat under way
}

// New makes a Conductor. builtIn packs the scripts; at prometheusURL the series are read that k6 writes to a heat's RemoteWriteURL; say tells a
// person what went wrong beside the race.
func New(builtIn k6.K6, prometheusURL string, say func(line string)) (*Conductor, error) {
	p, err := newPrometheus(prometheusURL)
	if err != nil {
		return nil, err
	}
	return &Conductor{k6: builtIn, prometheus: p, say: say}, nil
}

// Site is where a k6 runs, as far as conducting it needs.
type Site struct {
	Version Version
	// Host is the address of this machine by which k6 reaches the runner.
	Host string
	// Instances is how many k6 share the load of a heat.
	Instances int
	// Elsewhere: k6 runs on other machines. Their clocks are their own, so it is told how long it is until the race begins, not when; and what
	// it writes to Prometheus, which may listen to this machine only, is taken in and passed on.
	Elsewhere bool
	// CPUs is how many CPUs k6 is held to, all instances together; 0 leaves it to the load, on this machine.
	CPUs int
	// Start starts it.
	Start func(ctx context.Context, o *Order) (Program, error)
}

// Order is what a k6 is to do, written down for it.
type Order struct {
	// Archive is the path of the packed wrapper.
	Archive string
	// Arguments are those of `k6 run`, but for the script and where k6 listens.
	Arguments []string
	// Env are variables for it and its script, as "NAME=value".
	Env []string
	// CPUs is how many it may use at once, by the load; 0 is all.
	CPUs int

	running *running
}

// Voice makes what takes the output of one instance.
func (o *Order) Voice() *Voice { return o.running.voice() }

// Program is k6 at work, in one instance or more. All methods may be called concurrently.
type Program interface {
	// Done is closed when all have ended, and their output has been taken.
	Done() <-chan struct{}
	// Code is the exit code of what is done: of several the one that tells most. It is 128 and the number of a signal if that ended one. An
	// error says why there is none.
	Code() (int, error)
	// Signal sends SIGINT or SIGKILL. Those that have ended need none.
	Signal(ctx context.Context, name string) error
	// Remove removes what is left of it. It may be called again.
	Remove(ctx context.Context) error
	// Counters are what it has spent. After its end they tell what was read last.
	Counters(ctx context.Context) (engine.Counters, error)
}

// Launch writes a part of a heat down and starts k6 on it.
func (c *Conductor) Launch(ctx context.Context, p k6.Part, at Site) (k6.Running, error) {
	d, err := openDoor(ctx, at, p.Config.RemoteWriteURL)
	if err != nil {
		return nil, err
	}
	r := newRunning(c, p, at, d)
	if err := r.start(ctx); err != nil {
		d.close()
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Index == 0 {
		c.programs = nil // those of the heat before have ended
	}
	c.programs = append(c.programs, r.program)
	return r, nil
}

// Counters are what k6 spends in the heat under way, all its programs together.
func (c *Conductor) Counters(ctx context.Context) (engine.Counters, error) {
	c.mu.Lock()
	programs := slices.Clone(c.programs)
	c.mu.Unlock()
	sum := engine.Counters{At: time.Now()}
	for _, p := range programs {
		spent, err := p.Counters(ctx)
		if err != nil {
			return sum, err
		}
		sum.At = spent.At
		sum.CPU += spent.CPU
	}
	return sum, nil
}

// order writes the part down for a stock k6 and packs it.
func (c *Conductor) order(ctx context.Context, r *running) (*Order, error) {
	dir, err := r.part.Folder(c.k6.WorkDir)
	if err != nil {
		return nil, err
	}
	r.heat, err = k6.WriteHeat(dir, r.part.Definition, r.part.Config, k6.HeatOptions{Requests: r.part.Requests, Stock: true, Starter: r.door.start})
	if err != nil {
		return nil, err
	}
	var outputs []string
	switch {
	case r.part.Config.Probe:
		outputs = []string{"json=-"}
	case r.part.Config.RemoteWriteURL != "":
		outputs = []string{"experimental-prometheus-rw"}
	}
	o := &Order{CPUs: r.heat.CPUs, Env: c.environment(r), Arguments: Arguments(r.site.Version, r.part.Config.RaceID, r.part.Config.Heat, outputs), running: r}
	o.Archive, err = c.k6.Archive(ctx, r.heat.Wrapper, r.part.Env())
	return o, err
}

// environment is how k6 is to behave, and the variables that the script may read.
func (c *Conductor) environment(r *running) []string {
	env := c.k6.ScriptEnv()
	add := func(more map[string]string) {
		for name, value := range more {
			env = append(env, name+"="+value)
		}
	}
	if r.part.Config.RemoteWriteURL != "" {
		add(k6.RemoteWriteEnv(r.door.write))
	}
	add(r.part.Env())
	return env
}

// complain tells once that Prometheus does not answer.
func (c *Conductor) complain(err error) {
	c.complaint.Do(func() { c.say(err.Error()) })
}
