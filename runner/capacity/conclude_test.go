package capacity_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/capacity"
)

// tries are those of rates that end in how they went: "" is held.
func tries(phase race.TryPhase, limits map[float64]race.CapacityLimit, rates ...float64) []race.Try {
	var list []race.Try
	for _, rate := range rates {
		t := race.Try{Phase: phase, Rate: rate, Limit: limits[rate], Held: limits[rate] == ""}
		if !t.Held {
			t.Broke = []string{string(t.Limit)}
		}
		list = append(list, t)
	}
	return list
}

func TestWhatTheTriesComeTo(t *testing.T) {
	app, k6, vus := race.LimitApp, race.LimitK6, race.LimitVUs
	for name, c := range map[string]struct {
		tries []race.Try
		ended race.CapacityLimit
		limit race.CapacityLimit
		rate  float64 // 0 is none
		open  bool
	}{
		"the app's own limit": {
			append(tries(race.TrySearch, map[float64]race.CapacityLimit{200: app}, 100, 200), tries(race.TryConfirm, map[float64]race.CapacityLimit{105: app}, 103, 105, 103, 105, 103)...), "", app, 104, false,
		},
		"k6 was full on the way, but the app's limit lies below": {
			append(tries(race.TrySearch, map[float64]race.CapacityLimit{200: k6}, 100, 200), tries(race.TryConfirm, map[float64]race.CapacityLimit{105: app}, 103, 105, 103, 105, 103)...), "", app, 104, false,
		},
		"k6 itself was the limit": {
			append(tries(race.TrySearch, map[float64]race.CapacityLimit{200: k6}, 100, 200), tries(race.TryConfirm, map[float64]race.CapacityLimit{105: k6}, 103, 105, 103, 105, 103)...), "", k6, 103, true,
		},
		"no VU was free": {
			append(tries(race.TrySearch, map[float64]race.CapacityLimit{200: vus}, 100, 200), tries(race.TryConfirm, map[float64]race.CapacityLimit{105: vus}, 103, 105)...), "", vus, 103, true,
		},
		"everything was held":               {tries(race.TrySearch, nil, 500_000, 1_000_000), "", race.LimitRate, 1_000_000, true},
		"the app did not start again":       {tries(race.TrySearch, nil, 100, 200), race.LimitStart, race.LimitStart, 200, true},
		"nothing was held":                  {tries(race.TrySearch, map[float64]race.CapacityLimit{100: app, 50: app}, 100, 50), "", app, 0, false},
		"nothing was tried, for want of it": {nil, race.LimitStart, race.LimitStart, 0, false},
		"it ran out of tries":               {tries(race.TrySearch, nil, slices.Repeat([]float64{100}, capacity.MaxTries)...), "", race.LimitTries, 100, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := capacity.Conclude(race.LaneCapacity{App: "a", Tries: c.tries}, c.ended)
			require.Equal(t, c.limit, l.Limit)
			require.Equal(t, c.open, l.Open())
			if c.rate == 0 {
				require.Nil(t, l.Rate)
				return
			}
			require.InEpsilon(t, c.rate, *l.Rate, .015)
		})
	}
}

func TestWhatBrokeFirstIsAtTheLowestRateThatMostlyFails(t *testing.T) {
	list := []race.Try{
		{Rate: 100, Held: false, Broke: []string{"by chance"}, Limit: race.LimitApp},
		{Rate: 100, Held: true},
		{Rate: 100, Held: true},
		{Rate: 120, Held: false, Broke: []string{"far above"}, Limit: race.LimitApp},
		{Rate: 105, Held: false, Broke: []string{"latency_p95<60: 61 ms", "error_rate<0.01: 2%"}, Limit: race.LimitApp, Phase: race.TryConfirm},
	}
	require.Equal(t, "latency_p95<60: 61 ms", capacity.Conclude(race.LaneCapacity{Tries: list}, "").Broke)
}
