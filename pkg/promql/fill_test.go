package promql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

func TestAnExpressionIsFilledWithARaceAndAWindow(t *testing.T) {
	filled, err := promql.Fill(`label_replace(rate(x{testid="$race",path=~"/a$|b"}[$window]), "app", "$1", "pod", "(.+)")`, "ab-1", 90*time.Second)
	require.NoError(t, err)
	require.Equal(t, `label_replace(rate(x{testid="ab-1",path=~"/a$|b"}[90s]), "app", "$1", "pod", "(.+)")`, filled)
	for _, expr := range []string{`x[$__range]`, `x{a="$racer"}`, `x{a="${race}"}`, `$heat`} {
		_, err := promql.Fill(expr, "ab-1", time.Second)
		require.Equal(t, race.Invalid, race.CodeOf(err), expr)
		require.Contains(t, race.HintOf(err), "$race and $window")
	}
}

// FuzzNoRaceCanChangeAnExpression: an id is refused, or stands as it is in each kind of literal.
func FuzzNoRaceCanChangeAnExpression(f *testing.F) {
	for _, seed := range []string{"ab-1", `"`, "`", `'`, `\`, `"} or up{a="`, "$window", "$race", "ab@1", "a\nb", strings.Repeat("x", 65), "é", ".*"} {
		f.Add(seed, int64(1500))
	}
	f.Fuzz(func(t *testing.T, id string, ms int64) {
		filled, err := promql.Fill("rate(x{a=\"$race\",b='$race',c=`$race`,d=~\"$race\"}[$window])", id, time.Duration(ms%1e9)*time.Millisecond)
		if err != nil {
			require.False(t, race.ValidID(id))
			return
		}
		parsed, err := parser.NewParser(parser.Options{}).ParseExpr(filled)
		require.NoError(t, err, filled)
		selector := parsed.(*parser.Call).Args[0].(*parser.MatrixSelector).VectorSelector.(*parser.VectorSelector)
		require.Len(t, selector.LabelMatchers, 5)
		for _, m := range selector.LabelMatchers {
			if m.Name != "__name__" {
				require.Equal(t, id, m.Value)
				require.True(t, m.Matches(id))
				require.False(t, m.Matches(id+"x"))
			}
		}
	})
}
