package plugin

import (
	"context"
	"encoding/json"
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
	"github.com/photofinish/photofinish/pkg/promql"
)

// listener hears every expression and answers as a Prometheus would that holds one race with these names.
type listener struct {
	mu          sync.Mutex
	exprs       []string
	testid, app string
}

func (l *listener) Query(_ context.Context, q promql.Query) (promql.Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.exprs = append(l.exprs, q.Expr)
	s := promql.Series{Labels: map[string]string{
		"__name__": "photofinish_http_reqs_total", "testid": l.testid, "app": l.app, "heat": l.app, "phase": "race", "expected_response": "true", "name": l.app,
	}}
	for i := range 5 {
		s.Points = append(s.Points, promql.Point{At: scene().Add(time.Duration(i) * time.Second).UnixMilli(), Value: float64(i)})
	}
	return promql.Result{Series: []promql.Series{s}}, nil
}

// FuzzNoValueOfAQueryCanChangeThePromQL: whatever stands in races, apps, baseline and labels, each expression has the shape that a plain value gives it,
// and every matcher means exactly one of the values.
func FuzzNoValueOfAQueryCanChangeThePromQL(f *testing.F) {
	for _, seed := range []string{"control", `"`, `\`, `"} or up{a="`, "a|b", ".*", "\x00", "é€😀", "a\nb", "`", "#c", "ab2@1773478800", "@", strings.Repeat("x", 300)} {
		f.Add(seed, seed)
		f.Add("golden", seed)
		f.Add(seed, "control")
	}
	f.Fuzz(func(t *testing.T, id, app string) {
		if !utf8.ValidString(id + app) {
			return // JSON cannot carry it; pkg/promql's own test does
		}
		for _, kind := range queryTypes() {
			heard := hear(t, kind, id, app)
			if strings.TrimSpace(id) == id && !variable.MatchString(id+app) && id != all && app != all {
				require.NotEmpty(t, heard, kind)
			}
			for _, expr := range heard {
				parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
				require.NoError(t, err, expr)
				parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
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

// hear answers a query with names that are as given, and tells which expressions it came to.
func hear(t *testing.T, kind, id, app string) []string {
	t.Helper()
	l := &listener{testid: id, app: app}
	d := &Datasource{
		memory: newMemory(memoryBytes), now: time.Now, prom: l,
		join: compare.Join{AppLabels: []string{"name", "l" + app}, AppMap: map[string]string{app: id}},
	}
	query, err := json.Marshal(map[string]any{"queryType": kind, "races": []string{id}, "apps": []string{app}, "baseline": app})
	require.NoError(t, err)
	d.answer(t.Context(), backend.DataQuery{
		RefID: "A", JSON: query, Interval: time.Second, TimeRange: backend.TimeRange{From: scene().Add(-time.Minute), To: scene().Add(time.Minute)},
	})
	return l.exprs
}

// means holds a matcher to the values that the package itself, or the query, puts there.
func means(t *testing.T, m *labels.Matcher, id, app string) {
	t.Helper()
	only := func(values ...string) {
		for _, v := range values {
			require.False(t, m.Matches(v+"x") && !slices.Contains(values, v+"x"), "%s matches more than %q", m, values)
		}
		require.True(t, slices.ContainsFunc(values, m.Matches), "%s matches none of %q", m, values)
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
	case "app", "heat":
		only(app, "")
	case "name", strings.TrimSpace("l" + app):
		only(app, strings.TrimSpace(id))
	case "__name__", "phase", "container":
	default:
		require.Failf(t, "a matcher that nobody wrote", "%s", m)
	}
}
