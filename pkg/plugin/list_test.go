package plugin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// paged is a runner with some races, the newest first. asked counts the pages of its list that were asked for.
func paged(tb testing.TB, races []race.Race, asked *atomic.Int64) string {
	tb.Helper()
	texts := make([]json.RawMessage, len(races)) // so that a benchmark need not count the work
	for i, r := range races {
		text, err := json.Marshal(r)
		require.NoError(tb, err)
		texts[i] = text
	}
	return serve(tb, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		from, _ := strconv.Atoi(r.FormValue("cursor"))
		limit, _ := strconv.Atoi(r.FormValue("limit"))
		to := min(from+limit, len(texts))
		page := map[string]any{"races": texts[from:to]}
		if to < len(texts) {
			page["next"] = strconv.Itoa(to)
		}
		_ = json.NewEncoder(w).Encode(page)
	})
}

// longLived are n races, the newest of which began a second before the scene, the next so much earlier.
func longLived(n int, every time.Duration) []race.Race {
	races := make([]race.Race, n)
	for i := range races {
		at := scene().Add(-time.Second - time.Duration(i)*every)
		races[i] = race.Race{ID: fmt.Sprint("r", i), Status: race.Finished, StartedAt: &at, FinishedAt: &at}
	}
	return races
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
			var asked atomic.Int64
			response := ask(t, open(t, serve(t, tt.prometheus), paged(t, longLived(tt.recorded, time.Millisecond), &asked)), `{"queryType":"races"}`)
			require.NoError(t, response.Error)
			f := response.Frames[0]
			require.Equal(t, 1000, f.Rows())
			require.Equal(t, tt.oldest, f.At(0, 999))
			require.Equal(t, tt.says, noticesOf(response.Frames))
		})
	}
}

func TestTheListIsReadAsFarAsTheTimeRangeReaches(t *testing.T) {
	tests := []struct {
		name  string
		every time.Duration // between two races
		pages int64
		shown int
	}{
		{"races of an hour", time.Second, 9, 200},
		{"a race an hour: those of a day before the range are read, for they might have taken long", time.Hour, 2, 1},
		{"a race a week", 7 * 24 * time.Hour, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Int64
			d := open(t, serve(t, emptyPrometheus), paged(t, longLived(200, tt.every), &asked))
			response := ask(t, d, `{"queryType":"races"}`)
			require.NoError(t, response.Error)
			require.Equal(t, tt.shown, response.Frames[0].Rows())
			require.Equal(t, tt.pages, asked.Load())
			require.Empty(t, noticesOf(response.Frames))

			require.NoError(t, ask(t, d, `{"queryType":"standings","races":["$latest"]}`).Error)
			require.Equal(t, tt.pages+1, asked.Load(), "only the first page can have changed")
		})
	}
}

func TestRacesThatDidNotBeginAreListedWhereTheyEndedOrWait(t *testing.T) {
	ago := func(days int) *time.Time { return ptr(scene().AddDate(0, 0, -days)) }
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t,
		race.Race{ID: "waits", Status: race.Queued}, race.Race{ID: "prepared", Status: race.Preparing},
		race.Race{ID: "today", Status: race.Finished, StartedAt: ago(0), FinishedAt: ago(0)},
		race.Race{ID: "cancelled by an older runner", Status: race.Cancelled},
		race.Race{ID: "cancelled a week ago", Status: race.Cancelled, FinishedAt: ago(7)},
		race.Race{ID: "two weeks ago", Status: race.Finished, StartedAt: ago(14), FinishedAt: ago(14)}))
	d.now = func() time.Time { return scene().Add(time.Minute) }
	listed := func(from, to time.Time) (ids []string) {
		response := askAt(t, d, `{"queryType":"races"}`, from, to)
		require.NoError(t, response.Error)
		for i := range response.Frames[0].Rows() {
			ids = append(ids, response.Frames[0].At(0, i).(string))
		}
		return ids
	}
	now := d.now().Add(-2 * time.Second) // Grafana's is a little earlier
	require.Equal(t, []string{"prepared", "waits", "today"}, listed(scene().Add(-time.Hour), now))
	require.Equal(t, []string{"prepared", "waits", "today", "cancelled a week ago", "two weeks ago"}, listed(*ago(30), now))
	require.Equal(t, []string{"cancelled a week ago"}, listed(*ago(8), *ago(6)))
}

func TestManyOfWhichNobodyKnowsTheEndHideNoRaceThatGoesOn(t *testing.T) {
	var races []race.Race
	for i := range 2 * firstPage {
		races = append(races, race.Race{ID: fmt.Sprint("cancelled", i), Status: race.Cancelled})
	}
	began := scene()
	races = append(races, race.Race{ID: "racing", Status: race.Racing, StartedAt: &began})
	races = append(races, longLived(200, 24*time.Hour)...)
	var asked atomic.Int64
	d := open(t, serve(t, emptyPrometheus), paged(t, races, &asked))
	response := ask(t, d, `{"queryType":"live"}`)
	require.NoError(t, response.Error)
	require.Contains(t, response.Frames[0].Meta.ExecutedQueryString, "GET /v1/races/racing")
	require.Equal(t, int64(2), asked.Load())
}

func TestRacesWereOverOnceAllHadEnded(t *testing.T) {
	ended := scene().Add(-time.Minute)
	over := runnerclient.Record{Race: race.Race{Status: race.Finished, FinishedAt: &ended}}
	unknown := runnerclient.Record{Race: race.Race{Status: race.Cancelled}}
	racing := runnerclient.Record{Race: race.Race{Status: race.Racing}}
	require.True(t, wereOver([]runnerclient.Record{over, over}, scene()))
	require.False(t, wereOver([]runnerclient.Record{over}, ended))
	require.False(t, wereOver([]runnerclient.Record{over, unknown}, scene()), "nobody knows when it ended")
	require.False(t, wereOver([]runnerclient.Record{over, racing}, scene()))
}

func TestPanelsThatAskAtOnceShareTheRunnersAnswer(t *testing.T) {
	const panels = 20
	r := fourApps()
	runner := fakeRunner(t, r)
	for _, races := range []string{`[]`, `["` + r.ID + `"]`} {
		var asked atomic.Int64
		let := make(chan struct{})
		d := open(t, serve(t, emptyPrometheus), serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			<-let
			http.Redirect(w, r, runner+r.URL.RequestURI(), http.StatusTemporaryRedirect)
		}))
		var group sync.WaitGroup
		for range panels {
			group.Go(func() {
				response := askAt(t, d, `{"queryType":"standings","races":`+races+`}`, r.StartedAt.Add(-time.Hour), r.FinishedAt.Add(time.Hour))
				if assert.NoError(t, response.Error) {
					assert.Equal(t, 4, response.Frames[0].Rows())
				}
			})
		}
		assert.Eventually(t, func() bool {
			return waiting(&d.records.pages)+waiting(&d.records.single) == panels
		}, 4*time.Second, time.Millisecond) // what the runner may take is 5 s
		close(let)
		group.Wait()
		require.Equal(t, int64(1), asked.Load())
	}
}

// waiting is how many wait for answers that are under way.
func waiting[T any](f *flights[T]) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.going {
		n += one.waiting
	}
	return n
}

// BenchmarkLatest: the verdict of the newest of 300 nightly races, of four apps and eight heats each, for the second time. The runner's work is in it.
func BenchmarkLatest(b *testing.B) {
	races := nightlies(300)
	slices.Reverse(races)
	var asked atomic.Int64
	d := open(b, serve(b, emptyPrometheus), paged(b, races, &asked))
	for name, days := range map[string]int{"of a week": 7, "of a year": 365} {
		b.Run(name, func(b *testing.B) {
			to := races[0].FinishedAt.Add(time.Hour)
			look := func() {
				response := askAt(b, d, `{"queryType":"verdict","races":["$latest"]}`, to.AddDate(0, 0, -days), to)
				require.NoError(b, response.Error)
				require.Len(b, response.Frames[0].Fields, 9)
			}
			look()
			for b.Loop() {
				look()
			}
		})
	}
}
