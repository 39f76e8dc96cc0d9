package plugin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// longLived is a runner with n races, the newest of which began a second before the scene.
func longLived(t *testing.T, n int) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.FormValue("cursor"))
		limit, _ := strconv.Atoi(r.FormValue("limit"))
		page := runnerclient.Page{}
		for i := from; i < min(from+limit, n); i++ {
			at := scene().Add(-time.Second - time.Duration(i)*time.Millisecond)
			page.Races = append(page.Races, runnerclient.Record{Race: race.Race{ID: fmt.Sprint("r", i), Status: race.Finished, StartedAt: &at, FinishedAt: &at}})
		}
		if from+limit < n {
			page.Next = strconv.Itoa(from + limit)
		}
		_ = json.NewEncoder(w).Encode(page)
	})
}

func TestAListThatIsCutSaysSo(t *testing.T) {
	tests := []struct {
		name       string
		recorded   int
		prometheus http.HandlerFunc
		oldest     string
		says       string
	}{
		{"as many races as a list holds", 1000, emptyPrometheus, "r999", ""},
		{"a runner that has more", 1001, emptyPrometheus, "r999", "the runner has more than 1000 races: the oldest are left out\n"},
		{"a Prometheus that has more", 1000, busy, "r996", "there are more than 1000 races in this time: the oldest are left out\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			response := ask(t, open(t, serve(t, tt.prometheus), longLived(t, tt.recorded)), `{"queryType":"races"}`)
			require.NoError(t, response.Error)
			f := response.Frames[0]
			require.Equal(t, 1000, f.Rows())
			require.Equal(t, tt.oldest, f.At(0, 999))
			require.Equal(t, tt.says, noticesOf(response.Frames))
		})
	}
}
