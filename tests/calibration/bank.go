package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/results"
	"github.com/photofinish/photofinish/runner/stage"
)

// The lanes of race.js.
const (
	equal  = "same"
	slower = "slower"
	burner = "burner"
)

// The sorts of races, and their lanes beside the baseline: an identical one, a slower one, and an identical one while a third burns CPU, to see whether
// they stay equal.
const (
	identical    = "identical"
	slowed       = "slower"
	besideBurner = "identical, beside a burner"
)

var lanes = map[string][]string{identical: {equal}, slowed: {slower}, besideBurner: {equal, burner}}

// wanted is how many races of two identical apps are banked for each engine.
var wanted = map[string]int{"process": 60, "docker": 20}

// Banked is a real race, as far as judging it needs.
type Banked struct {
	At       time.Time     `json:"at"`
	Engine   string        `json:"engine"`
	Machine  *race.Machine `json:"machine"`
	Mode     race.Mode     `json:"mode"`
	Sort     string        `json:"sort"`
	Step     string        `json:"step,omitempty"` // of steps
	Findings []string      `json:"findings"`
	Fair     bool          `json:"fair"`
	Heats    []BankedHeat  `json:"heats"`
	// Pooled is what the usual ways of judging see, by app: all heats as if they were one.
	Pooled map[string]Pooled `json:"pooled"`
}

// Pooled is a lane of a race without its heats.
type Pooled struct {
	P95 float64 `json:"p95"` // ms
	// RankDeviate is the normal deviate of a Mann-Whitney test of all latencies against the baseline's, 0 for itself.
	RankDeviate float64 `json:"rank_deviate"`
}

// BankedHeat holds the figures of each lane, by app.
type BankedHeat map[string]Figures

// Figures of one lane in one heat. Latencies are ms; the noises are the standard deviations of the logarithms that sampling alone would give.
type Figures struct {
	P50      float64 `json:"p50"`
	P95      float64 `json:"p95"`
	P50Noise float64 `json:"p50_noise"`
	P95Noise float64 `json:"p95_noise"`
	CPU      float64 `json:"cpu_ms_per_request"`
	Errors   float64 `json:"error_rate"`
}

// figures of a lane; ok is false where the heat gave it no whole result.
func figures(l results.LaneHeat) (f Figures, ok bool) {
	m := results.Measures(l)
	if !l.Whole || m["latency_p50"] == nil || m["cpu_ms_per_request"] == nil || m["error_rate"] == nil {
		return f, false
	}
	return Figures{
		P50: *m["latency_p50"], P95: *m["latency_p95"], CPU: *m["cpu_ms_per_request"], Errors: *m["error_rate"],
		P50Noise: noise(l.Totals.Latency, .50), P95Noise: noise(l.Totals.Latency, .95),
	}, true
}

// noise is the standard deviation of the logarithm of a sample quantile (Woodruff's: the quantiles one standard error of the share to either side).
func noise(h stream.Histogram, q float64) float64 {
	e := math.Sqrt(q * (1 - q) / float64(h.Count))
	return math.Log(h.Quantile(q+e)/h.Quantile(q-e)) / 2
}

// loadBank reads the races of a file; where there is none there are no races.
func loadBank(path string) (all []Banked, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the bank: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	for d := json.NewDecoder(bufio.NewReader(f)); ; {
		var b Banked
		if err := d.Decode(&b); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		all = append(all, b)
	}
}

// kindOf is what tells the races of a bank apart that are not of one sort.
type kindOf struct {
	sort string
	step string // of steps; "" is a race of the calibration itself
}

func (k kindOf) String() string {
	if k.step != "" {
		return k.step
	}
	return k.sort
}

// races are those that fill a bank.
type races struct {
	name   string
	bank   string // the file
	script string
	engine string
	length definition.Overrides // nothing but in tests: races are as long as they are by default
	// next says what to race, by what was raced with the engine; ok is false where that is enough.
	next func(raced []Banked) (k kindOf, ok bool)
}

// calibrating wants a number of races of two identical apps, one in ten of them beside a burner, and for each of those one with a slower app. A race of
// two lanes takes three minutes, one of three eight.
func calibrating(number int) func([]Banked) (kindOf, bool) {
	return func(raced []Banked) (kindOf, bool) {
		cycle := slices.Concat([]string{slowed, identical, identical, identical, besideBurner}, slices.Repeat([]string{identical}, 6))
		has, same := map[string]int{}, 0
		for _, b := range raced {
			has[b.Sort]++
			if slices.Contains(lanes[b.Sort], equal) {
				same++
			}
		}
		for i := 0; ; i++ { // the first of the endless cycle that is not there
			sort := cycle[i%len(cycle)]
			if has[sort]--; has[sort] < 0 {
				return kindOf{sort: sort}, same < number
			}
		}
	}
}

// runFor fills one bank after the other, for so long at most, where that is not 0, or until Ctrl-C. What cannot be raced here (no Docker Engine) does
// not keep the others from it.
func runFor(limit time.Duration, say io.Writer, all []races) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	var failed []error
	for _, r := range all {
		if err := r.run(ctx, say); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", r.name, err))
		}
	}
	return errors.Join(failed...)
}

// run races until the bank holds enough, or ctx ends. Each race is appended when it is over.
func (r races) run(ctx context.Context, say io.Writer) error {
	for {
		all, err := loadBank(r.bank)
		if err != nil {
			return err
		}
		raced := slices.DeleteFunc(all, func(b Banked) bool { return b.Engine != r.engine })
		kind, more := r.next(raced)
		if !more || ctx.Err() != nil {
			return nil
		}
		began := time.Now()
		b, err := r.once(ctx, kind)
		if ctx.Err() != nil {
			return nil // half a race is none
		}
		if err != nil {
			return fmt.Errorf("race %d: %w", len(raced)+1, err)
		}
		if err := appendTo(r.bank, b); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(say, "%s race %d, %s: fair %v %v, %.0f s\n", r.name, len(raced)+1, kind, b.Fair, b.Findings, time.Since(began).Seconds())
	}
}

func appendTo(path string, b Banked) error {
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("write the bank: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // part of the documentation
	if err != nil {
		return fmt.Errorf("write the bank: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}

// once runs one race.
func (r races) once(ctx context.Context, kind kindOf) (Banked, error) {
	clock, err := stage.SelfAsK6()
	if err != nil {
		return Banked{}, err
	}
	overrides := r.length
	if kind.step != "" {
		overrides = steps()[kind.step]
	}
	overrides.Chosen = []definition.Choice{{App: baseline}}
	for _, app := range lanes[kind.sort] {
		overrides.Chosen = append(overrides.Chosen, definition.Choice{App: app})
	}
	s, err := stage.Prepare(ctx, stage.Options{
		Script: r.script, Overrides: overrides, K6: clock, Engines: stage.Engines{stage.Process(), stage.Docker(nil)}, Engine: r.engine,
		Recorder: nobody{}, Say: func(string, ...any) {},
	})
	if err != nil {
		return Banked{}, err
	}
	defer s.Close()
	s.Race.Iteration = iterations[kind.step]
	result, err := s.Run(ctx, nobody{})
	if err != nil {
		return Banked{}, err
	}
	record := result.Record
	b := Banked{At: *record.StartedAt, Engine: r.engine, Machine: record.Machine, Mode: record.Mode, Sort: kind.sort, Step: kind.step, Fair: record.Audit.Fair, Findings: []string{}}
	for _, f := range record.Audit.Findings {
		b.Findings = append(b.Findings, string(f.Severity)+" "+string(f.Kind))
	}
	for _, h := range record.Heats {
		heat := BankedHeat{}
		for _, l := range result.Lanes {
			if f, ok := figures(l.Heats[h.Number]); ok {
				heat[l.App] = f
			}
		}
		b.Heats = append(b.Heats, heat)
	}
	b.Pooled = pooled(result.Lanes)
	return b, nil
}

// pooled joins the whole heats of each lane.
func pooled(lanes []results.Lane) map[string]Pooled {
	all := map[string]stream.Histogram{}
	for _, l := range lanes {
		var h stream.Histogram
		for _, heat := range l.Heats {
			if heat.Whole {
				h.Merge(heat.Totals.Latency)
			}
		}
		if h.Count > 0 {
			all[l.App] = h
		}
	}
	sums := map[string]Pooled{}
	for app, h := range all {
		p := Pooled{P95: 1000 * h.Quantile(.95)}
		if base, ok := all[baseline]; ok && app != baseline {
			p.RankDeviate = rankDeviate(base, h)
		}
		sums[app] = p
	}
	return sums
}

// nobody looks on and keeps nothing.
type nobody struct{}

var (
	_ coordinator.View     = nobody{}
	_ coordinator.Recorder = nobody{}
)

// Status implements coordinator.View.
func (nobody) Status(race.Status, string) {}

// Progress implements coordinator.View.
func (nobody) Progress(race.Snapshot) {}

// Log implements coordinator.View.
func (nobody) Log(string) {}

// Save implements coordinator.Recorder.
func (nobody) Save(race.Race) error { return nil }

// SaveProfile implements coordinator.Recorder.
func (nobody) SaveProfile(string, string, race.ProfileKind, []byte) error { return nil }
