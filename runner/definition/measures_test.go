package definition_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
)

// declare is a script of two lanes whose ext also holds these keys.
func declare(keys string) (race.Definition, error) {
	return definition.Parse(definition.Script{
		Options: []byte(`{"ext":{"photofinish":{` + keys + `,"lanes":{"a":{"url":"http://a"},"b":{"url":"http://b"}}}}}`), HasDefault: true, Exports: []string{"default"},
	}, "s.js", definition.Overrides{})
}

func TestAScriptDeclaresMeasuresOfItsOwn(t *testing.T) {
	d, err := declare(`"measures":{"sold":{"better":"higher"},"checkout":{"title":"Checkout","unit":"s","better":"lower"},
		"queue":{"unit":"jobs","better":"lower","expr":"max by (app) (max_over_time(queue{race=\"$race\"}[$window]))"},"plain":{}},
		"primary":["latency_p95","checkout_p95","queue","sold_per_second"],"minimum_effect":{"checkout_p95":0.1}`)
	require.NoError(t, err)
	require.Equal(t, []race.DeclaredMeasure{
		{Name: "checkout", Title: "Checkout", Unit: "s", Better: "lower"},
		{Name: "plain"},
		{Name: "queue", Unit: "jobs", Better: "lower", Expr: `max by (app) (max_over_time(queue{race="$race"}[$window]))`},
		{Name: "sold", Better: "higher"},
	}, d.Measures)
	require.Equal(t, []string{"latency_p95", "checkout_p95", "queue", "sold_per_second"}, d.Primary)
	require.InDelta(t, .1, d.MinimumEffect.Of["checkout_p95"], 0)
}

func TestAWrongDeclarationNamesWhatIsWrong(t *testing.T) {
	expr := func(text string) string {
		return `"measures":{"m":{"expr":` + quoted(text) + `}}`
	}
	for name, c := range map[string]struct{ keys, says string }{
		"an unknown key":                  {`"measures":{"m":{"bettre":"lower"}}`, `measures.m: unknown key "bettre"`},
		"no object":                       {`"measures":{"m":3}`, "must be an object"},
		"a direction that is none":        {`"measures":{"m":{"better":"less"}}`, `"less" is unknown; choose lower, higher, none`},
		"a name that k6 would refuse":     {`"measures":{"a-b":{}}`, "is no name of a metric"},
		"a metric of k6's own":            {`"measures":{"http_req_duration":{"better":"lower"}}`, "a metric of k6's own"},
		"a title of two lines":            {`"measures":{"m":{"title":"a\nb"}}`, "one line of printable text"},
		"a title without an end":          {`"measures":{"m":{"title":"` + strings.Repeat("x", 61) + `"}}`, "longer than 60"},
		"an expression named as built in": {`"measures":{"latency_p95":{"expr":"up"}}`, "latency_p95 is a measure of the contract"},
		"no PromQL":                       {expr(`sum by (app) (`), "is no PromQL"},
		"an unknown placeholder":          {expr(`sum by (app) (rate(x[$__range]))`), "$__range is no placeholder"},
		"a number":                        {expr(`42`), "not an instant vector"},
		"a range":                         {expr(`x[5m]`), "not an instant vector"},
		"a sum of everything":             {expr(`sum(x)`), "without a label app"},
		"a sum by another label":          {expr(`sum by (instance) (x)`), "without a label app"},
		"a sum without app":               {expr(`sum without (app) (x)`), "without a label app"},
		"an app that is joined away":      {expr(`sum by (app) (x) / on (heat) sum by (heat) (y)`), "without a label app"},
		"something made of nothing":       {expr(`vector(1)`), "without a label app"},
		"what is absent":                  {expr(`absent(x)`), "without a label app"},
		"a primary that is not declared":  {`"primary":["checkout_p95"]`, `there is no measure "checkout_p95"`},
		"a primary without a direction":   {`"measures":{"checkout":{}},"primary":["checkout_p95"]`, "checkout_p95 has no direction"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := declare(c.keys)
			require.Equal(t, race.Invalid, race.CodeOf(err), "%v", err)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestExpressionsThatKeepTheirAppsAreTaken(t *testing.T) {
	for _, expr := range []string{
		`up`, `sum by (app, heat) (x)`, `sum without (instance) (x)`, `topk(2, x)`, `-x`, `2 * x`, `x > 1`, `x and on (instance) y`, `(x or y)`,
		`label_replace(sum by (pod) (x), "app", "$1", "pod", "(.+)")`, `x{path=~"/a$"}`, `count_values("app", x)`,
		`sum by (app) (x) / on (app) sum by (app) (y)`, `x * on (instance) group_left (app) max by (instance, app) (y)`, `max_over_time(rate(x[1m])[$window:10s])`,
		`1000 * histogram_quantile(0.95, sum by (app) (rate(k6_http_req_waiting_seconds{testid="$race"}[$window])))`,
	} {
		_, err := declare(`"measures":{"m":{"expr":` + quoted(expr) + `}}`)
		require.NoError(t, err, expr)
	}
}

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
