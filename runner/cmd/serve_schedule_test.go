package cmd_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestASchedulesRacesRunOneAtATime(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	s := newServed(t, "schedules: [{name: often, cron: '*/2 * * * * *', race: {script: race.js, heats: 1}}, {name: broken, cron: '@yearly', race: {script: gone.js}}]\n")
	s.script("race.js", "3s", "")
	s.start()
	var ticks []any
	started := func() (ids []string) {
		schedule, _ := s.ask(http.StatusOK, "GET", "/v1/schedules", "")["schedules"].([]any)[0].(map[string]any)
		ticks, _ = schedule["ticks"].([]any)
		for _, one := range ticks {
			if id, ok := one.(map[string]any)["race"].(string); ok {
				ids = append(ids, id)
			}
		}
		return ids
	}
	require.Eventually(t, func() bool { return len(started()) == 2 }, patience, 100*time.Millisecond, "a second race follows the first")
	ids := started()
	first := s.until(ids[1], "finished")
	require.Equal(t, "often", first["name"])
	require.Equal(t, "schedule often", first["requested_by"])
	skipped := 0
	for _, one := range ticks {
		if one.(map[string]any)["outcome"] == "skipped" {
			skipped++
			require.Contains(t, one.(map[string]any)["detail"], "has not ended")
		}
	}
	require.Positive(t, skipped, "a race of 3 s is under way when the next is due")
	require.Contains(t, s.log.String(), "the race of a schedule is not possible as things are")
	require.Contains(t, s.log.String(), "gone.js")
}
