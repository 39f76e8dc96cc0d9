package promql_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
)

func parse(t *testing.T, expr string) *parser.VectorSelector {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	selector, ok := parsed.(*parser.VectorSelector)
	require.True(t, ok, "%s is a %T", expr, parsed)
	return selector
}

func TestSelectorsReadAsTheyShould(t *testing.T) {
	tests := []struct {
		name, got, want string
	}{
		{"one metric", promql.Selector([]string{"up"}, promql.Equal("a", "b")), `up{a="b"}`},
		{"several metrics", promql.Selector([]string{"up", "down"}), `{__name__=~"up|down"}`},
		{"quotes and backslashes", promql.Selector([]string{"up"}, promql.Equal("a", `"}\`)), `up{a="\"}\\"}`},
		{"one of one", promql.OneOf("a", "x.y").String(), `a="x.y"`},
		{"one of several, with regular expressions' own characters", promql.OneOf("a", "x.y", "z|").String(), `a=~"x\\.y|z\\|"`},
		{"none of some", promql.NoneOf("a", "", "POD").String(), `a!~"|POD"`},
		{"a label that is no plain name", promql.Equal("my.label", "x").String(), `"my.label"="x"`},
		{"grouping", promql.Labels("a", "b.c"), `(a, "b.c")`},
		{"whole seconds", promql.Duration(90 * time.Second), "90s"},
		{"parts of a second", promql.Duration(1500 * time.Millisecond), "1500ms"},
		{"no time", promql.Duration(0), "1ms"},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, tt.got, tt.name)
	}
}

func TestOneOfNothingMatchesNothing(t *testing.T) {
	m := parse(t, promql.Selector([]string{"up"}, promql.OneOf("app"))).LabelMatchers
	app := m[slices.IndexFunc(m, func(m *labels.Matcher) bool { return m.Name == "app" })]
	for _, v := range []string{"", "a", "\n", "é"} {
		require.False(t, app.Matches(v), "%q", v)
	}
}

// FuzzNoValueCanChangeTheExpression: whatever stands in races, apps or labels, the parsed expression has the same shape and means exactly that value.
func FuzzNoValueCanChangeTheExpression(f *testing.F) {
	for _, seed := range []string{
		"control", "", `"`, `\`, `"} or up{a="`, "a|b", ".*", "\x00", "\xff\xfe", "é€😀", "a\nb", "`", `\Q\E`, "{{x}}", "$__interval", "#c", strings.Repeat("x", 300),
	} {
		f.Add(seed, "other", "label")
		f.Add("other", seed, seed)
	}
	f.Fuzz(func(t *testing.T, a, b, label string) {
		label = "l" + label // never the name of another matcher here
		matchers := []promql.Matcher{promql.Equal("testid", a), promql.OneOf(label, a, b), promql.NotEqual("n", b), promql.NoneOf("o", a, b)}
		expr := promql.Selector([]string{"up"}, matchers...)
		parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
		if err != nil {
			// What is not UTF-8 may be refused by Prometheus; it changes nothing.
			require.False(t, utf8.ValidString(label+" "+a+" "+b), "%s: %v", expr, err)
			return
		}
		selector, ok := parsed.(*parser.VectorSelector)
		require.True(t, ok, "%s is a %T", expr, parsed)
		require.Equal(t, "up", selector.Name)
		require.Len(t, selector.LabelMatchers, len(matchers)+1, expr)
		found := func(name string, kind labels.MatchType) *labels.Matcher {
			for _, m := range selector.LabelMatchers {
				if m.Name == name && m.Type == kind {
					return m
				}
			}
			require.Failf(t, "matcher lost", "%s %s in %s", name, kind, expr)
			return nil
		}
		require.Equal(t, a, found("testid", labels.MatchEqual).Value)
		require.Equal(t, b, found("n", labels.MatchNotEqual).Value)
		either := found(label, labels.MatchRegexp)
		require.True(t, either.Matches(a) && either.Matches(b), expr)
		for _, other := range []string{a + "x", "x" + b, "up", ""} {
			require.Equal(t, other == a || other == b, either.Matches(other), "%q by %s", other, expr)
		}
		grouped, err := parser.NewParser(parser.Options{}).ParseExpr("sum by " + promql.Labels(label, "b") + " (" + expr + ")")
		if !utf8.ValidString(label) {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, []string{label, "b"}, grouped.(*parser.AggregateExpr).Grouping)
		literal, err := parser.NewParser(parser.Options{}).ParseExpr(promql.Quote(a))
		require.NoError(t, err)
		require.Equal(t, a, literal.(*parser.StringLiteral).Val)
		require.Regexp(t, regexp.MustCompile(`^[\x20-\x7e]*$`), promql.Quote(a))
	})
}
