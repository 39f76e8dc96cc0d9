package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/past"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/rematch"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/access"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/store"
	"github.com/photofinish/photofinish/runner/terminal"
)

// queryTimeout bounds one query for a comparison.
const queryTimeout = 30 * time.Second

const compareExamples = `  # a race that a stock k6 ran: k6 run --out experimental-prometheus-rw --tag testid=ab2 tests/ab-test.js
  photofinish compare ab2 --baseline control --prometheus-url http://127.0.0.1:9090

  # a race that photofinish recorded, once more
  photofinish compare races/ab-test-20261123-204412-3f1c

  # against an earlier race, through the lane control, which ran unchanged in both
  photofinish compare races/ab-test-20261123-204412-3f1c --baseline-race races/ab-test-20261116-201137-90ab --baseline control

  # what changed over all races of a name, and since which of them
  photofinish compare --trend races/nightly-*`

type compareFlags struct {
	prometheus   accessFlags
	server       access.Server // of prometheus, resolved
	baseline     string
	baselineRace string
	effects      []string
	since        time.Duration
	appLabels    []string
	failOn       string
	json         bool
	trend        bool
	handouts     handouts
}

func compareCommand(c console, o *outcome) *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare [flags] RACE [RACE …]",
		Short: "Standings and verdicts of past races, from any Prometheus or from their folders",
		Long: `Show the standings and verdicts of past races. RACE is a testid in the Prometheus of --prometheus-url (also of a race that a stock k6 ran),
or the folder of a race that photofinish recorded.

With --baseline-race each app is compared with itself in that earlier race, through a lane that ran unchanged in both: the one of --baseline, else the
baseline that both races have. Without such a lane nothing is called faster or slower: the machine has moved on. Nor is anything where a race is known from
Prometheus only, which does not say on what machine and how it was run.

With --trend the races are those of one name, and what is told is where each app changed for good: a change that is small against the noise of one race
shows in many. Races on another machine or by another definition than the newest are named and left out; where a script was edited is named too.`,
		Example: compareExamples,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			*o = runCompare(cmd.Context(), c, args, f)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.prometheus.add(flags, "prometheus", "address of the Prometheus that holds the races, without /api/v1")
	flags.StringVar(&f.baseline, "baseline", "", "the app that the others are compared with; a recorded race is judged anew against another than its own")
	flags.StringVar(&f.baselineRace, "baseline-race", "", "an earlier race in which each app is compared with itself")
	minimumEffectFlag(flags, &f.effects)
	flags.DurationVar(&f.since, "since", 30*24*time.Hour, "how far back a testid is looked for")
	flags.StringSliceVar(&f.appLabels, "app-label", nil, "labels that may name the app in cAdvisor's series, in order (default photofinish, compose, Kubernetes, container name)")
	flags.StringVar(&f.failOn, "fail-on", "", "\"regression\": exit code 4 if an app is slower or worse than the baseline in a race that finished")
	flags.BoolVar(&f.json, "json", false, "the races as race.json on standard output and nothing else there")
	flags.BoolVar(&f.trend, "trend", false, "where each app changed for good over these races, instead of each race by itself")
	f.handouts.flags(flags)
	return cmd
}

func runCompare(ctx context.Context, c console, ids []string, f compareFlags) outcome {
	var o outcome
	if f.failOn != "" && f.failOn != "regression" {
		return outcome{err: race.Errorf(race.Invalid, "the only condition is: --fail-on regression", "--fail-on %q is not known", f.failOn)}
	}
	if err := f.handouts.check(); err != nil {
		return outcome{err: err}
	}
	w := c.out
	if f.json {
		w = c.err
	}
	var err error
	if f.server, err = f.prometheus.resolve(); err != nil {
		return outcome{err: err}
	}
	if f.trend {
		return outcome{err: f.showTrend(ctx, c, ids)}
	}
	var races []race.Race
	for _, id := range ids {
		r, notices, err := f.judge(ctx, id)
		if err != nil {
			return outcome{err: errors.Join(context.Cause(ctx), err)}
		}
		view := terminal.New(w, terminalOptions(w))
		for _, n := range notices {
			view.Log(n)
		}
		if err := view.Finish(r); err != nil {
			return outcome{err: err}
		}
		if f.json {
			if err := writeJSON(c.out, r); err != nil {
				return outcome{err: err}
			}
		}
		if f.failOn != "" && r.Status != race.Finished {
			c.say("race %s is %s, so it is left out of --fail-on: only races that finished count", r.ID, r.Status)
		}
		o.regression = o.regression || f.failOn == "regression" && regressed(r)
		races = append(races, r)
	}
	o.err = f.handouts.write(races...)
	return o
}

// judge finds a race and judges it as the flags want it.
func (f compareFlags) judge(ctx context.Context, id string) (race.Race, []string, error) {
	now, err := f.load(ctx, id)
	if err != nil {
		return race.Race{}, nil, err
	}
	if f.baselineRace == "" {
		err := now.rejudge(f.baseline)
		return now.Race, now.notices, err
	}
	earlier := f
	earlier.effects = nil // which count is asked of this race, whose measures of its own the earlier one may not have had
	then, err := earlier.load(ctx, f.baselineRace)
	if err != nil {
		return race.Race{}, nil, err
	}
	r, err := rematch.Judge(now.Race, then.Race, rematch.Options{Control: f.baseline, NoControl: now.guessed || then.guessed, Effects: now.effects})
	return r, append(now.notices, then.notices...), err
}

// found is a race of the past.
type found struct {
	race.Race
	notices  []string
	recorded bool // by photofinish, and not only known from Prometheus
	guessed  bool // its baseline is any of its apps: nobody named one
	effects  race.Effects
}

// effectsFor are the smallest effects that the flags ask for, of a race with measures of its own.
func (f compareFlags) effectsFor(id string, own []race.CustomMeasure) (race.Effects, error) {
	e, err := definition.Effects(race.Effects{}, f.effects, own...)
	if err != nil {
		return e, race.Errorf(race.CodeOf(err), race.HintOf(err), "race %s: %w", id, err)
	}
	return e, nil
}

// rejudge judges a recorded race anew where it is to have another baseline ("" for its own), or other differences are to count than when it was raced.
func (r *found) rejudge(baseline string) error {
	if !r.recorded {
		return nil
	}
	against, anew, err := verdict.Against(r.Race, baseline)
	if err != nil {
		return err
	}
	if r.Race = against; anew != "" {
		r.notices = append(r.notices, anew)
	}
	if r.effects.All == 0 && len(r.effects.Of) == 0 {
		return nil
	}
	r.Verdicts = verdict.Again(r.Race, r.effects)
	r.notices = append(r.notices, fmt.Sprintf("race %s was judged anew with minimum effects that it was not raced with", r.ID))
	return nil
}

// load finds a race: in its folder if there is one of that name, else in Prometheus.
func (f compareFlags) load(ctx context.Context, id string) (found, error) {
	if _, err := os.Stat(id); err == nil || f.server.URL == "" && !errors.Is(err, fs.ErrNotExist) {
		r, err := store.Load(id)
		if err != nil {
			return found{}, err
		}
		effects, err := f.effectsFor(id, r.CustomMeasures)
		return found{Race: r, recorded: true, effects: effects}, err
	}
	if f.server.URL == "" {
		return found{}, race.Errorf(race.Invalid, "name the Prometheus that holds the race with --prometheus-url",
			"there is no folder %s, and no Prometheus to look for a race of that id", id)
	}
	q, err := f.querier()
	if err != nil {
		return found{}, err
	}
	now := time.Now()
	info, totals, err := compare.Past(ctx, q, id, compare.Window{Start: now.Add(-f.since), End: now}, compare.Join{AppLabels: f.appLabels})
	if err != nil {
		return found{}, err
	}
	r := found{notices: totals.Notices}
	if r.effects, err = f.effectsFor(id, totals.Custom); err != nil {
		return found{}, err
	}
	baseline := f.baseline
	if baseline == "" && f.baselineRace != "" && len(info.Apps) > 0 {
		baseline, r.guessed = info.Apps[0], true
	}
	r.Race, err = past.Judge(info, totals, past.Options{Baseline: baseline, Effects: r.effects, Now: now})
	return r, err
}

// querier asks the Prometheus that the flags name.
func (f compareFlags) querier() (promql.Querier, error) {
	c := promql.Config{URL: f.server.URL, Timeout: queryTimeout}
	if f.server.Guarded() {
		var err error
		if c.Transport, err = f.server.Transport("--prometheus"); err != nil {
			return nil, err
		}
	}
	return promql.New(c)
}
