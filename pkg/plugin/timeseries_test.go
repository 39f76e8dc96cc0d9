package plugin

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
)

func TestAMonthOfThousandsOfSeriesKeepsToTheLimitOfValues(t *testing.T) {
	const month = 30 * 24 * time.Hour
	for apps, raised := range map[int]bool{1: false, 100: true, 3558: true, 3559: true, maxSeries: true} { // a month times 3,559 is more ns than an int64 holds
		q := query{From: scene(), To: scene().Add(month), Interval: time.Second, measures: measure.All()[:1]}
		req := compare.Request{Races: []compare.RaceInfo{{Start: q.From, End: q.To, Apps: numbered(apps)}}}
		var said notices
		require.NoError(t, q.fit(&req, &said))
		require.LessOrEqual(t, int(month/req.Step)*apps, maxValues, "%d series", apps)
		require.Equal(t, raised, len(said) > 0, "%d series: %v", apps, said)
	}
}
