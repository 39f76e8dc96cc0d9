package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/past"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
)

func ptr[T any](v T) *T { return &v }

// calm is a race of four heats without anything to remark: two limited lanes in turns on two CPUs.
func calm() *audit.Observations {
	half := race.Resources{CPUs: ptr(0.5), Memory: ptr(int64(128 << 20))}
	o := &audit.Observations{
		Baseline: "control", Mode: race.Turns, Arrivals: race.Uniform, CPUs: 2, Series: 300,
		Lanes: []audit.Lane{
			{App: "control", Asked: half, Counts: audit.Counts{Output: 8000, Summary: ptr(int64(8000)), Prometheus: ptr(int64(8000))}},
			{App: "other", Asked: half, Counts: audit.Counts{Output: 8000}},
		},
	}
	for n := range 4 {
		lane := audit.LaneHeat{
			Enforced: true, CPU: ptr(0.5), Throttled: ptr(time.Duration(0)), Periods: ptr(uint64(100)), ThrottledPeriods: ptr(uint64(0)),
			Requests: 2000, Iterations: 2000, StartLagP99: ptr(0.2), P50: ptr(5.0), Exit: race.Exit{Reason: race.Stopped},
		}
		o.Heats = append(o.Heats, audit.Heat{
			Number: n + 1, Duration: 10 * time.Second, Wall: 10*time.Second + 2*time.Millisecond,
			K6:      audit.K6{CPU: ptr(3.0)},
			Machine: audit.Machine{Busy: ptr(4.6), Steal: ptr(0.01), Own: 0.4},
			Lanes:   map[string]audit.LaneHeat{"control": lane, "other": lane},
		})
	}
	return o
}

// change edits a lane in the given heats.
func change(o *audit.Observations, app string, edit func(*audit.LaneHeat), heats ...int) {
	for _, n := range heats {
		lane := o.Heats[n-1].Lanes[app]
		edit(&lane)
		o.Heats[n-1].Lanes[app] = lane
	}
}

var all = []int{1, 2, 3, 4}

type want struct {
	lane     string
	kind     race.FindingKind
	severity race.Severity
	says     string // a number or word that must stand in the detail
}

var cases = map[string]struct {
	provoke func(*audit.Observations)
	want    []want
}{
	"a calm race has no finding": {func(*audit.Observations) {}, nil},

	"no lane's limits are in force": {func(o *audit.Observations) {
		change(o, "control", func(l *audit.LaneHeat) { l.Enforced = false }, all...)
		change(o, "other", func(l *audit.LaneHeat) { l.Enforced = false }, all...)
	}, []want{{"control", race.LimitsNotEnforced, race.Warning, "0.5 CPUs"}, {"other", race.LimitsNotEnforced, race.Warning, "128 MiB"}}},
	"one lane's limits are not in force": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Enforced = false }, 2)
	}, []want{{"other", race.LimitsNotEnforced, race.Unfair, "control were"}}},
	"lanes without limits need none in force": {func(o *audit.Observations) {
		for i := range o.Lanes {
			o.Lanes[i].Asked = race.Resources{}
			change(o, o.Lanes[i].App, func(l *audit.LaneHeat) { l.Enforced = false }, all...)
		}
	}, nil},
	"lanes with different limits": {
		func(o *audit.Observations) { o.Lanes[1].Asked.CPUs = ptr(1.0) },
		[]want{{"other", race.LimitsDiffer, race.Warning, "1 CPUs"}},
	},
	"CPU sets of the same size are no difference": {func(o *audit.Observations) {
		o.Lanes[0].Asked.CPUSet, o.Lanes[1].Asked.CPUSet = ptr("0-1"), ptr("2,3")
	}, nil},
	"CPU sets of different sizes": {func(o *audit.Observations) {
		o.Lanes[0].Asked.CPUSet, o.Lanes[1].Asked.CPUSet = ptr("0-1"), ptr("2-5")
	}, []want{{"other", race.LimitsDiffer, race.Warning, "a set of 4 CPUs"}}},

	"a lane in its quota in 30% of the periods": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.ThrottledPeriods, l.Throttled = ptr(uint64(30)), ptr(time.Second) }, all...)
	}, []want{{"other", race.Throttled, race.Warning, "30% of the periods (120 of 400), waiting 4 s"}}},
	"a lane in its quota in 2% of the periods": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.ThrottledPeriods = ptr(uint64(2)) }, all...)
	}, []want{{"other", race.Throttled, race.Note, "2%"}}},

	"iterations were dropped": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Dropped, l.Iterations = 500, 1500 }, 1)
	}, []want{{"other", race.DroppedIterations, race.Warning, "500 of 8000"}}},
	"one iteration in many was dropped": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Dropped = 1 }, 1)
	}, []want{{"other", race.DroppedIterations, race.Note, "1 of 8001"}}},

	"requests were late in one heat": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.StartLagP99 = ptr(3.0) }, 3)
	}, []want{{"other", race.StartLag, race.Warning, "late in 1 of 4 heats: in heat 3"}}},
	"requests were late beyond the median in half of the heats": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.StartLagP99 = ptr(30.0) }, 1, 2)
	}, []want{{"other", race.StartLag, race.Unfair, "30 ms"}}},
	"a millisecond beside a quick answer is the timer's": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.StartLagP99, l.P50 = ptr(1.5), ptr(0.5) }, all...)
	}, nil},
	"a late start beside a slow answer is no matter": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.StartLagP99, l.P50 = ptr(9.0), ptr(100.0) }, all...)
	}, nil},

	"a stock k6": {func(o *audit.Observations) {
		o.StockK6 = &race.K6{Image: race.Image{Name: "grafana/k6:2"}, Version: "v2.2.0"}
	}, []want{{"", race.StockK6, race.Note, "k6 v2.2.0 of the image grafana/k6:2"}}},
	"a stock k6, poisson arrivals and an app that died": {func(o *audit.Observations) {
		o.StockK6, o.Arrivals = &race.K6{Version: "v2.2.0"}, race.Poisson
		change(o, "other", func(l *audit.LaneHeat) { l.Exit = race.Exit{Reason: race.OOM}; l.OOMKills = 1 }, 3)
	}, []want{
		{"other", race.OutOfMemory, race.Warning, "heat 3"},
		{"", race.StockK6, race.Warning, "no poisson arrivals"},
		{"other", race.StockK6, race.Warning, "asked on after its app had ended in heat 3"},
		{"", race.StockK6, race.Note, "once a second"},
	}},
	"a stock k6 for each lane is ended with its app": {func(o *audit.Observations) {
		o.StockK6, o.AppURLAtInit = &race.K6{}, true
		change(o, "other", func(l *audit.LaneHeat) { l.Exit = race.Exit{Reason: race.Killed} }, 3)
	}, []want{{"other", race.LaneOut, race.Warning, "heat 3"}, {"", race.AppURLAtInit, race.Note, ""}, {"", race.StockK6, race.Note, ""}}},

	"k6 was nearly full": {
		func(o *audit.Observations) {
			o.Heats[1].K6 = audit.K6{CPU: ptr(8.5), Available: 1}
			o.Heats[1].Machine.Busy = ptr(10.0)
		},
		[]want{{"", race.K6Saturated, race.Warning, "85% of the CPU it may use in heat 2"}},
	},
	"k6 was full in every heat": {func(o *audit.Observations) {
		for i := range o.Heats {
			o.Heats[i].K6 = audit.K6{CPU: ptr(9.9), Available: 1}
			o.Heats[i].Machine.Busy = ptr(11.0)
		}
	}, []want{{"", race.K6Saturated, race.Unfair, "4 of 4 heats"}}},

	"an app died": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Exit = race.Exit{Reason: race.Exited, Code: ptr(2)} }, 3)
	}, []want{{"other", race.LaneOut, race.Warning, "heat 3: it exited by itself (code 2)"}}},
	"an app was killed for its memory": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Exit, l.OOMKills = race.Exit{Reason: race.OOM}, 1 }, 1, 4)
	}, []want{{"other", race.OutOfMemory, race.Warning, "2 heats (1, 4)"}}},
	"an app was started again": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Restarts = 1 }, 2)
	}, []want{{"other", race.Restarted, race.Warning, "heat 2"}}},
	"a lane got no request": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Requests = 0 }, all...)
	}, []want{{"other", race.NoRequests, race.Warning, "whole race"}}},
	"a lane got no request in one heat": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Requests = 0 }, 2)
	}, []want{{"other", race.NoRequests, race.Warning, "in heat 2"}}},
	"thresholds were crossed": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Crossed = []audit.Crossing{{Condition: "http_req_duration: p(95)<10"}} }, 2, 3)
		o.Heats[0].Crossed = []audit.Crossing{{Condition: "vus: value<5"}, {Condition: "vus: value<5"}} // by two k6 processes
	}, []want{
		{"", race.ThresholdCrossed, race.Warning, "vus: value<5 in heat 1"},
		{"other", race.ThresholdCrossed, race.Warning, "http_req_duration: p(95)<10 in 2 heats (2, 3)"},
	}},
	"a threshold retired a lane": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) {
			l.Crossed = []audit.Crossing{{Condition: "http_req_failed: rate<0.5", Retired: true}}
		}, 2)
	}, []want{{"other", race.ThresholdAborted, race.Warning, "heat 2"}}},
	"a lane fails more often": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Failed = 20 }, all...)
	}, []want{{"other", race.ErrorsDiffer, race.Warning, "1% of 8000 requests, control in 0%"}}},
	"both lanes fail alike": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.Failed = 20 }, all...)
		change(o, "control", func(l *audit.LaneHeat) { l.Failed = 20 }, all...)
	}, nil},

	"together where the CPUs had room": {func(o *audit.Observations) {
		o.Mode, o.Lanes[0].Asked.CPUs, o.Lanes[1].Asked.CPUs = race.Together, ptr(1.0), ptr(1.0)
	}, []want{{"", race.Interference, race.Warning, "3 CPUs with k6, the machine has 2; they had room (at most 20% was used)"}}},
	"together where the CPUs were fought for": {func(o *audit.Observations) {
		o.Mode = race.Together
		for i := range o.Heats[:2] {
			change(o, "other", func(l *audit.LaneHeat) { l.CPU = ptr(13.0) }, i+1)
			o.Heats[i].Machine.Busy = ptr(17.0)
		}
	}, []want{{"", race.Interference, race.Unfair, "in 2 of 4 heats (82.5%"}}},
	"lanes on machines of their own have the CPUs of those": {func(o *audit.Observations) {
		o.Mode = race.Together
		for i := range o.Lanes {
			o.Lanes[i].Remote, o.Lanes[i].Asked.CPUs = true, ptr(4.0)
			change(o, o.Lanes[i].App, func(l *audit.LaneHeat) { l.CPU = ptr(40.0) }, all...)
		}
		for i := range o.Heats {
			o.Heats[i].Machine.Busy = ptr(3.5)
		}
	}, nil},
	"others beside lanes and a k6 that are elsewhere": {func(o *audit.Observations) {
		for i := range o.Lanes {
			o.Lanes[i].Remote = true
		}
		for i := range o.Heats {
			o.Heats[i].K6.Remote, o.Heats[i].K6.Available, o.Heats[i].Machine.Busy = true, 4, ptr(0.5)
		}
		o.Heats[2].Machine.Busy = ptr(12.0)
	}, []want{{"", race.OtherLoad, race.Warning, "58% of the machine's CPU in heat 3"}}},
	"k6 in pods": {func(o *audit.Observations) {
		o.StockK6 = &race.K6{Image: race.Image{Name: "grafana/k6:2"}, Version: "v2.2.0", Pods: 4}
	}, []want{{"", race.StockK6, race.Note, "once a second"}, {"", race.StockK6, race.Note, "4 pods of k6 shared the load"}}},
	"k6 in pods of which nobody knows what they spend": {func(o *audit.Observations) {
		o.StockK6 = &race.K6{Pods: 4}
		for i := range o.Heats {
			o.Heats[i].K6, o.Heats[i].Machine.Busy = audit.K6{Remote: true}, ptr(1.5)
		}
	}, []want{{"", race.StockK6, race.Warning, "nobody knows whether they had CPUs enough"}, {"", race.StockK6, race.Note, ""}, {"", race.StockK6, race.Note, ""}}},
	"together with CPUs of their own": {func(o *audit.Observations) {
		o.Mode, o.Pinned, o.Lanes[0].Asked.CPUs, o.Lanes[1].Asked.CPUs = race.Together, true, ptr(4.0), ptr(4.0)
	}, nil},
	"together within the CPUs": {func(o *audit.Observations) { o.Mode = race.Together }, nil},
	"together and in step": {
		func(o *audit.Observations) { o.Mode, o.Arrivals = race.Together, race.Even },
		[]want{{"", race.Interference, race.Warning, "same ticks"}},
	},
	"in step but in turns": {func(o *audit.Observations) { o.Arrivals = race.Even }, nil},

	"a closed model": {
		func(o *audit.Observations) { o.ClosedScenarios = []string{"load"} },
		[]want{{"", race.ClosedModel, race.Note, "load"}},
	},
	"APP_URL is read at init": {
		func(o *audit.Observations) { o.AppURLAtInit = true },
		[]want{{"", race.AppURLAtInit, race.Note, "41-79% more CPU"}},
	},

	"a build ran beside one heat": {
		func(o *audit.Observations) { o.Heats[2].Machine.Busy = ptr(16.0) },
		[]want{{"", race.OtherLoad, race.Warning, "58% of the machine's CPU in heat 3"}},
	},
	"a build ran beside all heats": {func(o *audit.Observations) {
		for i := range o.Heats {
			o.Heats[i].Machine.Busy = ptr(16.0)
		}
	}, []want{{"", race.OtherLoad, race.Unfair, "4 of 4 heats"}}},
	"the hypervisor stole time": {
		func(o *audit.Observations) { o.Heats[0].Machine.Steal = ptr(2.0) },
		[]want{{"", race.OtherLoad, race.Warning, "10% of the CPU time away in heat 1"}},
	},
	"a lane that runs elsewhere hides what is other load": {func(o *audit.Observations) {
		o.Lanes[1] = audit.Lane{App: "other", Elsewhere: true}
		o.Heats[2].Machine.Busy = ptr(16.0)
	}, nil},
	"the clock jumped": {
		func(o *audit.Observations) { o.Heats[1].Wall = 9 * time.Second },
		[]want{{"", race.ClockJump, race.Warning, "-1.000 s in heat 2"}},
	},

	"Prometheus lost a push": {
		func(o *audit.Observations) { o.Lanes[0].Counts.Prometheus = ptr(int64(7800)) },
		[]want{{"control", race.SeriesLost, race.Warning, "7800 requests and k6 counted 8000 (2.5% apart)"}},
	},
	"k6's summary counts otherwise": {
		func(o *audit.Observations) { o.Lanes[0].Counts.Summary = ptr(int64(8001)) },
		[]want{{"control", race.SeriesLost, race.Unfair, "8001"}},
	},
	"a worker works twice on a message in a hundred": {
		func(o *audit.Observations) {
			change(o, "other", func(l *audit.LaneHeat) { l.Redelivered = 40 }, 2, 3)
		}, []want{{"other", race.Redelivered, race.Warning, "80 of 8000 messages (1%) were delivered more than once, in 2 heats (2, 3)"}},
	},
	"a worker works twice on a message in eight thousand": {
		func(o *audit.Observations) { change(o, "other", func(l *audit.LaneHeat) { l.Redelivered = 1 }, 2) },
		[]want{{"other", race.Redelivered, race.Note, "1 of 8000"}},
	},
	"a message is poison": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.DeadLetters = 2 }, 1)
		change(o, "other", func(l *audit.LaneHeat) { l.Poison, l.PoisonReceives = 1, 7 }, 4)
	}, []want{{"other", race.PoisonMessage, race.Warning, "in 2 heats (1, 4), however often it received them: 2 went to the dead-letter queue, 1 were still in the queue after the worker had received them up to 7 times"}}},
	"a queue is lost": {func(o *audit.Observations) {
		change(o, "other", func(l *audit.LaneHeat) { l.QueueErrors, l.QueueLost = 900, "there is no such queue" }, 4)
	}, []want{{"other", race.QueueLost, race.Unfair, "lost its queue in heat 4, and 900 of its messages failed because of a queue: there is no such queue"}}},
	"a queue refuses much": {
		func(o *audit.Observations) {
			change(o, "other", func(l *audit.LaneHeat) { l.QueueErrors = 100 }, all...)
		}, []want{{"other", race.QueueLost, race.Unfair, "400 of 8000 messages (5%)"}},
	},
	"a queue refuses little": {
		func(o *audit.Observations) { change(o, "other", func(l *audit.LaneHeat) { l.QueueErrors = 3 }, 2) },
		[]want{{"other", race.QueueLost, race.Warning, "3 of 8000 messages"}},
	},
	"too many series": {
		func(o *audit.Observations) { o.Series, o.SeriesExpected, o.Names = 801, 400, 51 },
		[]want{{"", race.SeriesBudget, race.Warning, "made 801 time series, and about 400 were to be expected; the tag `name` has 51 values of one app: set the tag `name`"}},
	},
	"too many series by another tag": {
		func(o *audit.Observations) { o.Series, o.SeriesExpected, o.Names = 4001, 400, 2 },
		[]want{{"", race.SeriesBudget, race.Warning, "give no tag a value for each request"}},
	},
	"a script of many addresses": {
		func(o *audit.Observations) { o.Series, o.SeriesExpected, o.Names = 801, 400, 20 },
		[]want{{"", race.SeriesBudget, race.Note, "20 values of one app: a threshold on a name"}},
	},
	"as many series as many addresses make": {
		func(o *audit.Observations) { o.Series, o.SeriesExpected = 800, 400 }, nil,
	},
	"a receiver refuses samples": {
		func(o *audit.Observations) {
			o.Passed = &audit.Passed{To: "https://mimir/push", Taken: 70, Refused: 20, Waiting: 10, Answer: "HTTP status 400: too many series"}
		},
		[]want{{"", race.SeriesLost, race.Warning, "https://mimir/push refused 20 of 100 samples and had not taken 10 of 100 when the race was over, so that what is looked at there misses them; race.json and the report do not: HTTP status 400: too many series"}},
	},
	"a receiver is away": {
		func(o *audit.Observations) {
			o.Passed = &audit.Passed{To: "https://mimir/push", Waiting: 10, Later: true}
		},
		[]want{{"", race.SeriesLost, race.Warning, "had not taken 10 of 10 when the race was over (they are tried on)"}},
	},
	"a receiver takes everything": {
		func(o *audit.Observations) {
			o.Passed = &audit.Passed{To: "https://mimir/push", Taken: 100, Answer: "HTTP status 429"}
		}, nil,
	},
	"a declared measure that nobody measured": {
		func(o *audit.Observations) {
			o.Missing = []audit.Missing{{Measure: "chekout_time", Why: "no lane emitted it"}}
		},
		[]want{{"", race.MeasureMissing, race.Warning, "chekout_time, of which nothing was measured: no lane emitted it"}},
	},
	"an app was profiled": {
		func(o *audit.Observations) {
			o.Profiles = []audit.Profile{{App: "other", Taken: true, CPU: ptr(.55), Measured: ptr(.5)}}
		},
		[]want{{"other", race.Profiled, race.Note, "took 0.55 ms of CPU for a request then (+10%), against 0.5 ms"}},
	},
	"an app was profiled, and what it spent is not known": {
		func(o *audit.Observations) { o.Profiles = []audit.Profile{{App: "other", Taken: true}} },
		[]want{{"other", race.Profiled, race.Note, "was profiled after the heats that count"}},
	},
	"a profile is missing": {
		func(o *audit.Observations) {
			o.Profiles = []audit.Profile{{App: "other", Missing: []string{"there is no cpu profile: 404"}}}
		},
		[]want{{"other", race.ProfileMissing, race.Warning, "there is no cpu profile: 404"}},
	},
	"k6 could not send more than an app holds": {
		func(o *audit.Observations) {
			o.Capacities = []audit.Capacity{{App: "other", Found: race.LaneCapacity{App: "other", Rate: ptr(480.), Low: ptr(480.), Limit: race.LimitK6}}}
		},
		[]want{{"other", race.CapacityUnknown, race.Warning, "it holds at least 480/s, and maybe more: k6 itself ran out of CPU"}},
	},
	"an app holds no rate": {
		func(o *audit.Observations) {
			o.Capacities = []audit.Capacity{{App: "other", Found: race.LaneCapacity{App: "other", Limit: race.LimitApp, Tries: []race.Try{{Rate: 20}, {Rate: 10, Broke: []string{"latency_p95<1: 2 ms"}}}}}}
		},
		[]want{{"other", race.CapacityUnknown, race.Warning, "already the lowest rate that was tried, 10/s, was not held (latency_p95<1: 2 ms); start lower"}},
	},
	"an app did not start again": {
		func(o *audit.Observations) {
			o.Capacities = []audit.Capacity{{App: "other", Found: race.LaneCapacity{App: "other", Limit: race.LimitStart}, Why: "it did not start again: unhealthy, 7 s"}}
		},
		[]want{{"other", race.CapacityUnknown, race.Warning, "its capacity is not known: it did not start again: unhealthy, 7 s"}},
	},
	"others used the machine while capacities were searched": {
		func(o *audit.Observations) {
			for _, h := range o.Heats {
				h.Machine.Busy = ptr(*h.Machine.Busy + 10)
				o.Tried = append(o.Tried, h)
			}
		},
		[]want{{"", race.OtherLoad, race.Unfair, "in 4 of 8 heats"}},
	},
	"a heat was lost, and is not looked into": {func(o *audit.Observations) {
		o.Heats[1] = audit.Heat{Number: 2, Lost: "k6 was killed", Wall: time.Hour}
	}, []want{{"", race.HeatLost, race.Warning, "k6 was killed"}}},
}

func TestEachKindIsFoundWhenProvokedAndOnlyThen(t *testing.T) {
	provoked := map[race.FindingKind]bool{
		race.NoAudit:     past.NotAudited("Prometheus").Kind == race.NoAudit,
		race.EarlierRace: true, // two races are compared by pkg/rematch, whose tests provoke it
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := calm()
			c.provoke(o)
			findings := audit.Judge(*o)
			require.Len(t, findings, len(c.want), "%+v", findings)
			fair := true
			for i, w := range c.want {
				f := findings[i]
				require.Equal(t, []any{w.lane, w.kind, w.severity}, []any{f.Lane, f.Kind, f.Severity}, f.Detail)
				require.True(t, strings.Contains(f.Detail, w.says), "%q does not say %q", f.Detail, w.says)
				require.NotContains(t, f.Detail, "%!")
				fair = fair && w.severity != race.Unfair
				provoked[w.kind] = true
			}
			require.Equal(t, fair, audit.Fair(findings))
		})
	}
	for _, kind := range race.FindingKinds() {
		require.True(t, provoked[kind], "no case provokes %s", kind)
	}
}

func TestTheGravestFindingComesFirst(t *testing.T) {
	o := calm()
	for _, name := range []string{"a closed model", "a lane fails more often", "k6's summary counts otherwise"} {
		cases[name].provoke(o)
	}
	var got []race.Severity
	for _, f := range audit.Judge(*o) {
		got = append(got, f.Severity)
	}
	require.Equal(t, []race.Severity{race.Unfair, race.Warning, race.Note}, got)
}

func TestNothingIsFoundWhereNothingIsKnown(t *testing.T) {
	require.Empty(t, audit.Judge(audit.Observations{}))
	require.Empty(t, audit.Judge(audit.Observations{
		Baseline: "a", Mode: race.Together, CPUs: 2, Lanes: []audit.Lane{{App: "a", Elsewhere: true}, {App: "b", Elsewhere: true}},
		Heats: []audit.Heat{{Number: 1, Lanes: map[string]audit.LaneHeat{}}},
	}))
}

func TestTheObservationsAreNotChanged(t *testing.T) {
	o := calm()
	o.Heats[0].Lost = "lost"
	audit.Judge(*o)
	require.Len(t, o.Heats, 4)
	require.Equal(t, "lost", o.Heats[0].Lost)
	require.Equal(t, 2, o.Heats[1].Number)
}
