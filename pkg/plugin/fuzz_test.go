package plugin

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/promql"
)

// listener hears every expression and answers as a Prometheus would that holds one race with these names, and a second app, so that lists of values are written too.
type listener struct {
	mu          sync.Mutex
	exprs       []string
	testid, app string
}

func (l *listener) Query(_ context.Context, q promql.Query) (promql.Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.exprs = append(l.exprs, q.Expr)
	var result promql.Result
	for i, app := range []string{l.app, second, l.app, l.app, l.app} {
		s := promql.Series{Labels: map[string]string{
			"__name__": append([]string{"photofinish_http_reqs_total", "photofinish_http_reqs_total"}, customNames...)[i], "testid": l.testid, "app": app, "heat": l.app, "phase": "race", "photofinish_tagged": "yes",
			"expected_response": "true", "metric": app, "name": app, "container": app, "pod": app, "container_label_photofinish_app": app, "l" + l.app: app, "quantile": "0.5",
		}}
		for i := range 5 {
			s.Points = append(s.Points, promql.Point{At: scene().Add(time.Duration(i) * time.Second).UnixMilli(), Value: float64(i)})
		}
		result.Series = append(result.Series, s)
	}
	return result, nil
}

// customNames are the series of metrics of a script's own; what names the app names a metric too.
var customNames = []string{"photofinish_custom_trend_max", "photofinish_custom_rate_total", "photofinish_custom_counter_total"}

// second is the app beside the one under test.
const second = "second app"

// FuzzNoValueOfAQueryCanChangeThePromQL: whatever stands in races, apps, baseline and labels, each expression has a shape that plain values give it,
// and every matcher means exactly the values that were given.
func FuzzNoValueOfAQueryCanChangeThePromQL(f *testing.F) {
	for _, seed := range []string{"control", `"`, `\`, `"} or up{a="`, "a|b", ".*", "\x00", "é€😀", "a\nb", "`", "#c", "ab2@1773478800", "@", strings.Repeat("x", maxText)} {
		f.Add(seed, seed)
		f.Add("golden", seed)
		f.Add(seed, "control")
	}
	f.Add("", "0")
	plain := map[string]map[string]bool{}
	for _, kind := range queryTypes() {
		plain[kind] = map[string]bool{}
		for _, id := range []string{"plain", "plain@1773478800", ""} {
			for _, app := range []string{"app", "no name of a metric"} {
				for _, expr := range hear(f, kind, id, app) {
					plain[kind][shape(f, expr)] = true
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, id, app string) {
		if !utf8.ValidString(id+app) || utf8.RuneCountInString(id) > maxText || utf8.RuneCountInString(app) > maxText {
			return // JSON cannot carry it, or no query has it; pkg/promql's own test does
		}
		for _, kind := range queryTypes() {
			heard := hear(t, kind, id, app)
			if strings.TrimSpace(id) == id && !variable.MatchString(id+app) && id != all && app != all {
				require.NotEmpty(t, heard, kind)
			}
			for _, expr := range heard {
				require.Contains(t, plain[kind], shape(t, expr), "%s: a shape that no plain name gives: %s", kind, expr)
				parser.Inspect(parse(t, expr), func(node parser.Node, _ []parser.Node) error {
					if v, ok := node.(*parser.VectorSelector); ok {
						for _, m := range v.LabelMatchers {
							means(t, m, id, app)
						}
					}
					return nil
				})
			}
		}
	})
}

func parse(tb testing.TB, expr string) parser.Expr {
	tb.Helper()
	parsed, err := parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr(expr)
	require.NoError(tb, err, expr)
	return parsed
}

// lengths are durations, which depend on the times of a race.
var lengths = regexp.MustCompile(`\[[^\]]*\]|offset [0-9a-z]+`)

// shape is an expression without the values of its matchers and without the label that the settings name.
func shape(tb testing.TB, expr string) string {
	tb.Helper()
	parsed := parse(tb, expr)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			for i, m := range n.LabelMatchers {
				value, kind, name := "value", labels.MatchEqual, m.Name
				if m.Type == labels.MatchNotEqual || m.Type == labels.MatchNotRegexp {
					kind = labels.MatchNotEqual
				}
				if name == "__name__" || name == "phase" {
					value = m.Value // these come from the package itself
				}
				n.LabelMatchers[i] = labels.MustNewMatcher(kind, plainLabel(name), value)
			}
		case *parser.AggregateExpr:
			for i, name := range n.Grouping {
				n.Grouping[i] = plainLabel(name)
			}
		}
		return nil
	})
	return lengths.ReplaceAllString(parsed.String(), "")
}

// plainLabel is a label's name, one word for any that only the settings can bring in.
func plainLabel(name string) string {
	if slices.Contains(strings.Fields("__name__ testid app heat phase expected_response result metric contains photofinish_tagged id instance job container pod name "+
		"container_label_photofinish_app container_label_photofinish_race"), name) {
		return name
	}
	return "label_of_the_settings"
}

// hear answers a query with names that are as given, and tells which expressions it came to.
func hear(tb testing.TB, kind, id, app string) []string {
	tb.Helper()
	var heard []string
	for _, given := range []struct {
		label string
		apps  []string
	}{{"name", nil}, {"name", []string{app}}, {"container_label_photofinish_app", nil}, {"l" + app, nil}, {"container", nil}} {
		l := &listener{testid: id, app: app}
		d := &Datasource{
			memory: newMemory(memoryBytes), now: time.Now, prom: l,
			join: compare.Join{AppLabels: []string{given.label}, AppMap: map[string]string{app: id}},
		}
		query, err := json.Marshal(map[string]any{"queryType": kind, "races": []string{id}, "apps": given.apps, "baseline": app})
		require.NoError(tb, err)
		d.answer(tb.Context(), backend.DataQuery{
			RefID: "A", JSON: query, Interval: time.Second, TimeRange: backend.TimeRange{From: scene().Add(-time.Minute), To: scene().Add(time.Minute)},
		})
		heard = append(heard, l.exprs...)
	}
	return heard
}

// means holds a matcher to the values that the package itself, or the query, puts there.
func means(t *testing.T, m *labels.Matcher, id, app string) {
	t.Helper()
	only := func(values ...string) {
		switch {
		case m.Type == labels.MatchEqual:
			require.Contains(t, values, m.Value, "%s", m)
		case m.Type == labels.MatchRegexp && m.SetMatches() != nil: // the regular expression is a list of texts
			for _, v := range m.SetMatches() {
				require.Contains(t, values, v, "%s", m)
			}
		default: // a list with the empty text in it
			require.Equal(t, labels.MatchRegexp, m.Type, "%s", m)
			require.True(t, slices.ContainsFunc(values, func(v string) bool { return v != "" && m.Matches(v) }) || strings.TrimSpace(id) == "", "%s matches none of %q", m, values)
			for _, v := range append(values, "up", "a", id+app) {
				for _, other := range []string{v + "x", "x" + v, strings.ToUpper(v), v} {
					require.False(t, m.Matches(other) && !slices.Contains(values, other), "%s matches %q too", m, other)
				}
			}
		}
	}
	switch m.Name {
	case "testid":
		if m.Type == labels.MatchNotEqual {
			require.Empty(t, m.Value)
			return
		}
		plain := strings.TrimSpace(id)
		if at := strings.LastIndexByte(plain, '@'); at > 0 && m.Value == plain[:at] {
			return
		}
		only(id, plain)
	case "app":
		only(app, second)
	case "metric":
		require.True(t, measure.ValidName(m.Value), "%s", m)
		only(app)
	case "heat":
		only(app)
	case "container_label_photofinish_race":
		only("", id, strings.TrimSpace(id))
	case "name", "container_label_photofinish_app", strings.TrimSpace("l" + app):
		only(app, second, strings.TrimSpace(id))
	case "pod":
		only(app, second)
	case "container":
		if m.Type != labels.MatchNotRegexp && m.Value != "|POD|pause" {
			only(app, second, strings.TrimSpace(id))
		}
	case "__name__", "phase":
	default:
		require.Failf(t, "a matcher that nobody wrote", "%s", m)
	}
}
