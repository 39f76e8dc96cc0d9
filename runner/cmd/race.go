package cmd

import (
	"context"
	"errors"
	"os"
	"os/user"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
	"github.com/photofinish/photofinish/runner/images"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/pyroscope"
	"github.com/photofinish/photofinish/runner/stage"
)

const raceExamples = `  # four sample apps, everything embedded
  photofinish race tests/ab-test.js

  # apps that already run; the script asks the address in __ENV.APP_URL
  photofinish race script.js --lane old=http://127.0.0.1:8080/api --lane new=http://127.0.0.1:8081/api

  # in a pipeline: exit code 4 if a lane is slower than the baseline, the record on standard output
  photofinish race script.js --baseline old --fail-on regression --json > race.json

  # the p95 may get 5% slower and the CPU per request 10% dearer before it is a regression
  photofinish race script.js --baseline old --fail-on regression --minimum-effect latency_p95=0.05 --minimum-effect cpu_ms_per_request=0.1

  # the same for people: Markdown for the pull request, JUnit XML for the list of tests
  photofinish race script.js --baseline old --fail-on regression --markdown race.md --junit race.xml

  # as many heats as it takes, but no more than 30
  photofinish race script.js --heats 30 --until-decided

  # the same lanes as containers: each by its image, build folder or compose service
  photofinish race tests/ab-test.js --engine docker

  # a quick look: too few heats for a verdict, and it says so
  photofinish race script.js --heats 2 --duration 3s --warmup 1s`

// raceFlags are the flags of `photofinish race` as given.
type raceFlags struct {
	overrides     definition.Overrides
	engine        string
	vus           int64
	rate          float64
	duration      time.Duration
	heats         int
	untilDecided  bool
	warmup        time.Duration
	prometheusURL string
	remoteWrite   accessFlags
	maxSeries     int
	pyroscopeURL  string
	listen        string
	out           string
	keep          bool
	failOn        string
	json          bool
	handouts      handouts
}

func raceCommand(c console, o *outcome) *cobra.Command {
	var f raceFlags
	cmd := &cobra.Command{
		Use:     "race [flags] SCRIPT",
		Short:   "One race, all embedded: lanes, k6, metrics store, cAdvisor, report",
		Example: raceExamples,
		Long: `Race the lanes that a k6 script defines in options.ext.photofinish, and say which is faster, at what cost per request, and how sure that is.

Exit codes: 0 done, 2 usage or definition, 3 could not be run, 4 regression under --fail-on, 99 k6 thresholds crossed, 130 interrupted.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.resolve(cmd); err != nil {
				return err
			}
			*o = runRace(cmd.Context(), c, args[0], f)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.engine, "engine", "process", "how lanes are started: process, docker (by image, build or compose) or kubernetes (by image)")
	flags.StringArrayVar(&f.overrides.Lanes, "lane", nil, "an app that already runs, as NAME=URL; repeatable")
	flags.Int64Var(&f.vus, "vus", 0, "virtual users per lane (default the script's)")
	flags.Float64Var(&f.rate, "rate", 0, "iterations per second and lane (default the script's)")
	flags.DurationVar(&f.duration, "duration", 0, "load per lane and heat (default the script's or 10s)")
	flags.IntVar(&f.heats, "heats", race.DefaultHeats, "how often the race is repeated (default the script's or 12)")
	flags.BoolVar(&f.untilDecided, "until-decided", false, "end after the first heat that decides every primary measure; --heats is then the most")
	flags.DurationVar(&f.warmup, "warmup", race.DefaultWarmup, "load before each heat that does not count (default the script's or 3s)")
	flags.StringVar(&f.overrides.Mode, "mode", "", "together, turns or auto (default the script's or auto)")
	flags.StringVar(&f.overrides.Arrivals, "arrivals", "", "uniform, poisson or even (default the script's or uniform)")
	flags.StringVar(&f.overrides.Baseline, "baseline", "", "the lane that the others are compared with (default the script's or the first)")
	flags.StringVar(&f.overrides.Name, "name", "", "name of the race (default the script's or its file name)")
	minimumEffectFlag(flags, &f.overrides.MinimumEffect)
	flags.StringVar(&f.overrides.FindCapacity, "find-capacity", "", "search the highest rate at which each app keeps these bounds, like latency_p95<200,error_rate<0.01; --heats is then 1 by default")
	flags.StringVar(&f.prometheusURL, "prometheus-url", "", "write to this Prometheus instead of the embedded one")
	f.remoteWrite.add(flags, "remote-write", "pass everything on to this receiver of remote write, too, such as Grafana Cloud or Mimir (docs/cloud.md)")
	flags.IntVar(&f.maxSeries, "max-series", plan.DefaultMaxSeries, "refuse a race that is estimated to make more time series")
	flags.StringVar(&f.pyroscopeURL, "pyroscope-url", "", "send the profiles of lanes that have profile.pprof to this Pyroscope too")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:0", "address of the embedded Prometheus, loopback only")
	flags.StringVar(&f.out, "out", "", "folder for race.json and report.html (default races/<id>)")
	flags.BoolVar(&f.keep, "keep", false, "keep the embedded Prometheus up after the race, until Ctrl-C")
	flags.StringVar(&f.failOn, "fail-on", "", "\"regression\": exit code 4 if a lane is slower or worse than the baseline")
	flags.BoolVar(&f.json, "json", false, "race.json on standard output and nothing else there")
	f.handouts.flags(flags)
	return cmd
}

// minimumEffectFlag is the same for every command that judges.
func minimumEffectFlag(flags *pflag.FlagSet, into *[]string) {
	flags.StringArrayVar(into, "minimum-effect", nil, "the smallest difference that counts, NUMBER (0.02 is 2%, the default) or MEASURE=NUMBER; repeatable")
}

// resolve turns the flags that were given into overrides, and checks what the definition does not.
func (f *raceFlags) resolve(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	if given("vus") {
		f.overrides.VUs = &f.vus
	}
	if given("rate") {
		f.overrides.Rate = &f.rate
	}
	if given("duration") {
		f.overrides.Duration = &f.duration
	}
	if given("heats") {
		f.overrides.Heats = &f.heats
	}
	if given("until-decided") {
		f.overrides.UntilDecided = &f.untilDecided
	}
	if given("warmup") {
		f.overrides.Warmup = &f.warmup
	}
	if f.failOn != "" && f.failOn != "regression" {
		return race.Errorf(race.Invalid, "the only condition is: --fail-on regression", "--fail-on %q is not known", f.failOn)
	}
	if _, err := engines(nil, kubernetes.Options{}).Choose(f.engine, nil); err != nil {
		return err
	}
	if f.maxSeries < 1 {
		return race.Errorf(race.Invalid, "leave it out for the default", "--max-series %d allows no race", f.maxSeries)
	}
	if f.prometheusURL != "" && f.keep {
		return race.Errorf(race.Invalid, "leave one of them out", "--keep keeps the embedded Prometheus up, but --prometheus-url names another")
	}
	if f.pyroscopeURL != "" {
		if err := pyroscope.Server(f.pyroscopeURL).Check(); err != nil {
			return race.Errorf(race.Invalid, race.HintOf(err), "--pyroscope-url: %w", err)
		}
	}
	return f.handouts.check()
}

// memoryLimit (bytes) is where the garbage collector begins to work harder. The plots of the report ask the embedded Prometheus for
// thousands of histograms at once, and what it throws away while it answers would else pile up to twice of what is in use.
// GOMEMLIMIT in the environment takes precedence.
const memoryLimit = 200 << 20

// runRace runs the race and shows it. Everything that is started in it has ended when it returns.
func runRace(ctx context.Context, c console, script string, f raceFlags) outcome {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	s, err := f.prepare(ctx, c, script)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // whatever it was that the interrupt cut short
	}
	if err != nil {
		return outcome{err: err}
	}
	defer s.Close()
	return f.run(ctx, c, s)
}

func (f raceFlags) prepare(ctx context.Context, c console, script string) (*stage.Stage, error) {
	clock, err := stage.SelfAsK6()
	if err != nil {
		return nil, err
	}
	receiver, err := f.receiver()
	if err != nil {
		return nil, err
	}
	return stage.Prepare(ctx, stage.Options{
		Receiver: receiver, MaxSeries: f.maxSeries, Script: script, Overrides: f.overrides, RequestedBy: login(), Engines: engines(nil, kubernetes.Options{}), Engine: f.engine, K6: clock, //nolint:contextcheck // how an engine stands is asked later
		Out: f.out, PrometheusURL: f.prometheusURL, PyroscopeURL: f.pyroscopeURL, Listen: f.listen, Say: c.say,
	})
}

// receiver is where everything is passed on to; nil is nowhere.
func (f raceFlags) receiver() (*promserver.Receiver, error) {
	to, err := f.remoteWrite.resolve()
	switch {
	case err != nil || to.URL == "":
		return nil, errors.Join(err, f.remoteWrite.hide())
	case f.prometheusURL != "":
		return nil, race.Errorf(race.Invalid, "leave one of them out; without --prometheus-url the race's Prometheus is embedded, and passes everything on",
			"--prometheus-url names a Prometheus that is written to by itself, and --remote-write-url is what the embedded one writes to")
	}
	r, err := promserver.NewReceiver(to, "--remote-write", nil)
	return r, errors.Join(err, f.remoteWrite.hide())
}

// engines are the kinds of engines that this program has. allowed is what containers may run; nil for everything.
func engines(allowed *images.Allowed, cluster kubernetes.Options) stage.Engines {
	return stage.Engines{stage.Process(), stage.Docker(allowed), stage.Kubernetes(cluster)}
}

// login is who asked for the race; "" where the system does not tell.
func login() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
