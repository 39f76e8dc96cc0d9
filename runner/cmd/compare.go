package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/past"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/store"
	"github.com/photofinish/photofinish/runner/terminal"
)

// queryTimeout bounds one query for a comparison.
const queryTimeout = 30 * time.Second

const compareExamples = `  # a race that a stock k6 ran: k6 run --out experimental-prometheus-rw --tag testid=ab2 tests/ab-test.js
  photofinish compare ab2 --baseline control --prometheus-url http://127.0.0.1:9090

  # a race that photofinish recorded, once more
  photofinish compare races/ab-test-20261123-204412-3f1c

  # what changed over all races of a name, and since which of them
  photofinish compare --trend races/nightly-*`

type compareFlags struct {
	prometheusURL string
	baseline      string
	since         time.Duration
	appLabels     []string
	failOn        string
	json          bool
	trend         bool
	handouts      handouts
}

func compareCommand(c console, o *outcome) *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare [flags] RACE [RACE …]",
		Short: "Standings and verdicts of past races, from any Prometheus or from their folders",
		Long: `Show the standings and verdicts of past races. RACE is a testid in the Prometheus of --prometheus-url (also of a race that a stock k6 ran),
or the folder of a race that photofinish recorded.

With --trend the races are those of one name, and what is told is where each app changed for good: a change that is small against the noise of one race
shows in many. Races on another machine or by another definition than the newest are named and left out.`,
		Example: compareExamples,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			*o = runCompare(cmd.Context(), c, args, f)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.prometheusURL, "prometheus-url", "", "address of the Prometheus that holds the races")
	flags.StringVar(&f.baseline, "baseline", "", "the app that the others are compared with")
	flags.DurationVar(&f.since, "since", 30*24*time.Hour, "how far back a testid is looked for")
	flags.StringSliceVar(&f.appLabels, "app-label", nil, "labels that may name the app in cAdvisor's series, in order (default photofinish, compose, Kubernetes, container name)")
	flags.StringVar(&f.failOn, "fail-on", "", "\"regression\": exit code 4 if an app is slower or worse than the baseline")
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
	if f.trend {
		return outcome{err: f.showTrend(ctx, c, ids)}
	}
	var races []race.Race
	for _, id := range ids {
		r, notices, err := f.load(ctx, id)
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
		o.regression = o.regression || f.failOn == "regression" && regressed(r)
		races = append(races, r)
	}
	o.err = f.handouts.write(races...)
	return o
}

// load finds a race: in its folder if there is one of that name, else in Prometheus.
func (f compareFlags) load(ctx context.Context, id string) (race.Race, []string, error) {
	if _, err := os.Stat(id); err == nil || f.prometheusURL == "" && !errors.Is(err, fs.ErrNotExist) {
		r, err := store.Load(id)
		return r, nil, err
	}
	if f.prometheusURL == "" {
		return race.Race{}, nil, race.Errorf(race.Invalid, "name the Prometheus that holds the race with --prometheus-url",
			"there is no folder %s, and no Prometheus to look for a race of that id", id)
	}
	q, err := promql.New(promql.Config{URL: f.prometheusURL, Timeout: queryTimeout})
	if err != nil {
		return race.Race{}, nil, err
	}
	now := time.Now()
	info, totals, err := compare.Past(ctx, q, id, compare.Window{Start: now.Add(-f.since), End: now}, compare.Join{AppLabels: f.appLabels})
	if err != nil {
		return race.Race{}, nil, err
	}
	r, err := past.Judge(info, totals, f.baseline, now)
	return r, totals.Notices, err
}
