package measure

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// Metric is a metric of a k6 script's own whose samples bear the tag app.
type Metric struct {
	Name string
	Type race.MetricType
	Time bool // its values are ms
}

// stat is one of the numbers that a Trend comes to, and the share of its values that lie below it, 0 where that is not what it is.
type stat struct {
	id, of   string
	Quantile float64
}

// stats are those of a Trend, the same as of the latency.
func stats() []stat {
	return []stat{{"mean", "The mean", 0}, {"p50", "The median", .50}, {"p90", "The 90th percentile", .90}, {"p95", "The 95th percentile", .95}, {"p99", "The 99th percentile", .99}, {"max", "The highest value", 0}}
}

// Quantile is the share of a Trend's values that lie below a custom measure; ok is false where it is none.
func Quantile(c race.CustomMeasure) (q float64, ok bool) {
	i := slices.IndexFunc(stats(), func(s stat) bool { return s.id == c.Stat })
	if i < 0 || c.Type != race.Trend {
		return 0, false
	}
	q = stats()[i].Quantile
	return q, q > 0
}

// metricName is what k6 allows for the name of a metric.
var metricName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// ValidName says whether a metric, and so a measure, may have this name.
func ValidName(s string) bool { return metricName.MatchString(s) }

// OwnOfK6 says whether a metric is one of k6's own, which are no custom measures. The modules for WebSocket, gRPC and the browser have theirs too.
func OwnOfK6(name string) bool {
	for _, prefix := range []string{"http_req_", "ws_", "grpc_", "browser_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{
		"http_reqs", "iterations", "iteration_duration", "dropped_iterations", "vus", "vus_max", "checks", "group_duration", "data_sent", "data_received",
	}, name)
}

// Capacity is the measure of a race that searched the highest rate that each app holds, of which an iteration makes so many requests.
func Capacity(requests float64) race.CustomMeasure {
	unit := PerSecond
	if requests > 1 {
		unit = IterationsPerSecond
	}
	return race.CustomMeasure{ID: race.CapacityMeasure, Name: "Capacity", Unit: string(unit), Better: string(Higher), Type: race.Searched}
}

// prefix is put before the ids of a metric whose own are taken.
const prefix = "k6_"

// Custom are the measures that a race has of its own: the declared expressions, then those of its metrics by name. Where one of a metric's ids is
// taken, all of them get the prefix k6_: what the contract, or the script's author, has named keeps its name.
func Custom(metrics []Metric, declared []race.DeclaredMeasure) []race.CustomMeasure {
	var own []race.CustomMeasure
	taken := append(IDs(), race.CapacityMeasure)
	for _, d := range declared {
		if d.Expr != "" {
			own = append(own, expression(d))
			taken = append(taken, d.Name)
		}
	}
	for _, m := range slices.SortedFunc(slices.Values(metrics), func(a, b Metric) int { return cmp.Compare(a.Name, b.Name) }) {
		d := race.DeclaredMeasure{Name: m.Name}
		if i := slices.IndexFunc(declared, func(d race.DeclaredMeasure) bool { return d.Name == m.Name && d.Expr == "" }); i >= 0 {
			d = declared[i]
		}
		for _, c := range unique(measuresOf(m, d), taken) {
			own, taken = append(own, c), append(taken, c.ID)
		}
	}
	return own
}

// unique gives measures ids that are not taken.
func unique(measures []race.CustomMeasure, taken []string) []race.CustomMeasure {
	for slices.ContainsFunc(measures, func(c race.CustomMeasure) bool { return slices.Contains(taken, c.ID) }) {
		for i := range measures {
			measures[i].ID = prefix + measures[i].ID
		}
	}
	return measures
}

func expression(d race.DeclaredMeasure) race.CustomMeasure {
	return race.CustomMeasure{
		ID: d.Name, Name: cmp.Or(d.Title, d.Name), Unit: cmp.Or(d.Unit, string(Count)), Better: direction(d, None), Type: race.Expression, Expr: d.Expr,
	}
}

// measuresOf are the measures of one metric. Only time has a direction of its own: nobody knows whether more of anything else is better.
func measuresOf(m Metric, d race.DeclaredMeasure) []race.CustomMeasure {
	title := cmp.Or(d.Title, m.Name)
	one := func(id, name string, unit Unit, better Better) race.CustomMeasure {
		return race.CustomMeasure{ID: id, Name: name, Unit: cmp.Or(d.Unit, string(unit)), Better: direction(d, better), Type: m.Type, Metric: m.Name, Time: m.Time}
	}
	switch m.Type {
	case race.Rate:
		return []race.CustomMeasure{one(m.Name, title, Ratio, None)}
	case race.Counter:
		return []race.CustomMeasure{one(m.Name+"_per_second", title+" per second", CountsPerSecond, None)}
	case race.Trend:
		unit, better := Count, None
		if m.Time {
			unit, better = Milliseconds, Lower
		}
		all := make([]race.CustomMeasure, 0, len(stats()))
		for _, s := range stats() {
			c := one(m.Name+"_"+s.id, title+" "+s.id, unit, better)
			c.Stat = s.id
			all = append(all, c)
		}
		return all
	case race.Expression, race.Searched:
	}
	return nil
}

func direction(d race.DeclaredMeasure, own Better) string {
	switch d.Better {
	case "":
		return string(own)
	case "none":
		return string(None)
	}
	return d.Better
}

// Possible are the measures that a race may have beyond the contract's: its capacity, and what a definition's declarations may come to, whatever the types of their metrics turn out to be. These have no direction
// but the declared one.
func Possible(declared []race.DeclaredMeasure) []race.CustomMeasure {
	own := append(Custom(nil, declared), Capacity(1))
	for _, d := range declared {
		if d.Expr != "" {
			continue
		}
		for _, m := range []Metric{{d.Name, race.Trend, false}, {d.Name, race.Rate, false}, {d.Name, race.Counter, false}} {
			own = append(own, Custom([]Metric{m}, []race.DeclaredMeasure{d})...)
		}
	}
	return own
}

// fromCustom is a custom measure beside those of the contract.
func fromCustom(c race.CustomMeasure) Measure {
	m := Measure{ID: c.ID, Name: c.Name, Unit: Unit(c.Unit), Better: Better(c.Better), Decimals: 2, Source: Script, Custom: c}
	switch c.Type {
	case race.Trend:
		i := slices.IndexFunc(stats(), func(s stat) bool { return s.id == c.Stat })
		what := "The " + c.Stat
		if i >= 0 {
			what = stats()[i].of
		}
		m.Sentence = what + " of what the script's Trend " + c.Metric + " was given; from photofinish_custom_trend, or from the native histogram of the metric where a stock k6 ran."
	case race.Rate:
		m.Sentence = "The share of what the script's Rate " + c.Metric + " was given that was true; from photofinish_custom_rate_total (a stock k6 writes no counts of rates)."
	case race.Counter:
		m.Sentence = "How much the script's Counter " + c.Metric + " grew in a second; from photofinish_custom_counter_total, or from the metric's series where a stock k6 ran."
	case race.Expression:
		m.Sentence = "What the script asks of Prometheus: " + c.Expr
	case race.Searched:
		m.Decimals = 1
		m.Sentence = "The highest rate at which the app keeps the conditions of the race, as a search found it; from the record of the race."
	}
	return m
}
