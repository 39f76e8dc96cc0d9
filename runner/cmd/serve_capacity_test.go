package cmd_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

func TestTheRunnerSearchesCapacitiesUpToTheRateThatItAllows(t *testing.T) {
	needConfinement(t)
	s := newServed(t, "limits: {rate: 100}\n")
	s.script("race.js", "1s", "")
	s.start()
	id := s.submit(`{"script":"race.js","find_capacity":"latency_p95<10000","load":{"rate":60},"mode":"together"}`)
	var told []string
	for _, e := range s.events(id, "") {
		if detail, is := e.data["detail"].(string); e.kind == "status" && is && strings.HasPrefix(detail, "finding the capacity: ") {
			require.Equal(t, "racing", e.data["status"])
			told = append(told, detail)
		}
	}
	require.Equal(t, []string{"finding the capacity: one tries 60.0/s (1), two tries 60.0/s (1)", "finding the capacity: one tries 100/s (2), two tries 100/s (2)"}, told)
	client, err := runnerclient.New(runnerclient.Config{URL: s.url, Token: serveToken})
	require.NoError(t, err)
	record, err := client.Race(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, race.Finished, record.Status)
	for _, l := range record.Capacity.Lanes {
		require.Equal(t, race.LimitRate, l.Limit)
		require.True(t, l.Open())
		require.InDelta(t, 100, *l.Rate, 0)
	}
	f := finished{record: record.Race}
	unknown, found := f.finding(race.CapacityUnknown)
	require.True(t, found)
	require.Equal(t, "it holds at least 100/s, and maybe more: no higher rate may be asked for", unknown.Detail)
}
