package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/live"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// liveColumns are those of the contract, in its order.
const liveColumns = "time app phase heat requests rate p50 p95 errors cpu_cores memory_bytes place"

func columns(f *data.Frame) string {
	names := make([]string, len(f.Fields))
	for i, field := range f.Fields {
		names[i] = field.Name
	}
	return strings.Join(names, " ")
}

// cell is a value of a frame as text.
func cell(t *testing.T, f *data.Frame, column string, row int) string {
	t.Helper()
	field, at := f.FieldByName(column)
	require.GreaterOrEqual(t, at, 0, column)
	v, ok := field.ConcreteAt(row)
	if !ok {
		return "null"
	}
	return fmt.Sprint(v)
}

// running is a recorded race as it was in its first heat.
func running() race.Race {
	r := fourApps()
	r.Status, r.FinishedAt, r.Verdicts, r.Heats = race.Racing, nil, nil, nil
	for i := range r.Lanes {
		r.Lanes[i].Client, r.Lanes[i].Measures, r.Lanes[i].Exit = nil, nil, nil
	}
	return r
}

// telling is a runner that knows one race, whose events are those given, the first stream of them cut off after half.
func telling(t *testing.T, r func() race.Race, events ...string) string {
	t.Helper()
	streams := 0
	return serve(t, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/v1/races/" + r().ID:
			_ = json.NewEncoder(w).Encode(r())
		case "/v1/races/" + r().ID + "/events":
			from, to := 0, len(events)/2
			if streams++; streams > 1 {
				from, to = to, len(events)
			}
			for _, e := range events[from:to] {
				fmt.Fprint(w, e)
			}
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"code":"not_found","message":"no such race"}`)
		}
	})
}

func sse(kind, body string) string {
	return "id: 1\nevent: " + kind + "\ndata: " + strings.ReplaceAll(body, "\n", "") + "\n\n"
}

func progressOf(requests int) string {
	return sse("progress", fmt.Sprintf(`{"at":"2026-03-14T09:00:05Z","status":"racing","phase":"race","heat":1,"heats":8,"mode":"together",
"elapsed_ms":9000,"remaining_ms":60000,"lanes":[
{"app":"control","place":1,"baseline":true,"requests":%d,"errors":0,"error_rate":0,"rate":50,"p50":1.5,"p95":2.5,"cpu_cores":0.1,"cpu_limit":0.5,
"memory_bytes":1000,"memory_limit":128000000,"done":0.0625,"racing":true,"out":""},
{"app":"high-cpu","place":0,"requests":7,"errors":2,"rate":0,"p50":0,"p95":0,"cpu_cores":null,"memory_bytes":null,"done":0.0625,"racing":false,"out":"memory, 4 s"}]}`,
		requests))
}

// packets collects what a stream sends.
type packets []*data.Frame

func (p *packets) Send(packet *backend.StreamPacket) error {
	f := &data.Frame{}
	if err := json.Unmarshal(packet.Data, f); err != nil {
		return err
	}
	*p = append(*p, f)
	return nil
}

func follow(t *testing.T, d *Datasource, path string) packets {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var sent packets
	require.NoError(t, d.RunStream(ctx, &backend.RunStreamRequest{Path: path}, backend.NewStreamSender(&sent)))
	return sent
}

func TestLiveAnswersWithTheChannelAndHowTheRaceStands(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, running(), fourApps()))
	answer := ask(t, d, `{"queryType":"live","races":["`+running().ID+`"]}`)
	require.NoError(t, answer.Error)
	f := answer.Frames[0]
	require.Equal(t, liveColumns, columns(f))
	require.Equal(t, len(running().Lanes), f.Rows())
	require.Equal(t, "null", cell(t, f, "p95", 0), "nothing is known before the first event")
	channel, err := live.ParseChannel(f.Meta.Channel)
	require.NoError(t, err)
	require.Equal(t, "ds/pf", channel.Scope+"/"+channel.Namespace)
	id, everything, ok := readLivePath(channel.Path)
	require.True(t, ok)
	require.Equal(t, running().ID, id)
	require.False(t, everything)

	more := ask(t, d, `{"queryType":"live","races":["`+running().ID+`"],"field":"all"}`).Frames[0]
	require.Equal(t, liveColumns+" status detail heats elapsed remaining done racing out baseline cpu_limit memory_limit target took", columns(more))
	require.Equal(t, f.Meta.Channel+"/all", more.Meta.Channel)
	require.ErrorContains(t, ask(t, d, `{"queryType":"live","field":"ratio"}`).Error, "choose one of all")
}

func TestLiveOfAnEndedRaceTellsWhatCameOfIt(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, fourApps()))
	f := ask(t, d, `{"queryType":"live","races":["`+fourApps().ID+`"],"field":"all"}`).Frames[0]
	require.Empty(t, f.Meta.Channel, "there is nothing to follow")
	require.NotEmpty(t, ask(t, d, `{"queryType":"live","races":["`+fourApps().ID+`"]}`).Frames[0].Meta.Channel, "the contract's own answer has it all the same")
	places := map[string]bool{}
	for row, l := range fourApps().Lanes {
		require.Equal(t, "done", cell(t, f, "phase", row))
		require.Equal(t, fmt.Sprint(l.Client.Requests), cell(t, f, "requests", row))
		require.Equal(t, fmt.Sprint(*l.Client.LatencyMS.P95), cell(t, f, "p95", row))
		places[cell(t, f, "place", row)] = true
	}
	require.Len(t, places, len(fourApps().Lanes))
}

func TestLatestInLiveIsTheRaceThatRuns(t *testing.T) {
	older, newer, waiting := fourApps(), running(), running()
	older.ID, newer.ID, waiting.ID, waiting.Status, waiting.StartedAt = "older", "newer", "waiting", race.Queued, nil
	for name, tt := range map[string]struct {
		races []race.Race
		query string
		want  string
	}{
		"the one that runs, before one that waits":    {[]race.Race{waiting, newer, older}, `{"queryType":"live","races":["$latest"]}`, "newer"},
		"the one that waits, before one that is over": {[]race.Race{waiting, older}, `{"queryType":"live","races":["$latest"]}`, "waiting"},
		"the newest":                    {[]race.Race{older}, `{"queryType":"live"}`, "older"},
		"none of another name":          {[]race.Race{newer, older}, `{"queryType":"live","races":["$latest"],"name":"another"}`, ""},
		"of the name that is asked for": {[]race.Race{newer, older}, `{"queryType":"live","races":["$latest"],"name":"` + newer.Name + `"}`, "newer"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, serve(t, emptyPrometheus), fakeRunner(t, tt.races...))
			d.now = func() time.Time { return scene().Add(5 * time.Minute) }
			around := scene().Add(-24 * time.Hour)
			answer := askAt(t, d, tt.query, around, around.Add(48*time.Hour))
			require.NoError(t, answer.Error)
			if tt.want == "" {
				require.Empty(t, answer.Frames[0].Meta.Channel)
				require.Contains(t, noticesOf(answer.Frames), `no race called "another"`)
				return
			}
			require.Equal(t, "ds/pf/"+livePath(tt.want, false), answer.Frames[0].Meta.Channel)
		})
	}
}

func TestWhereNobodyTellsLiveANoticeSaysWhatWillDo(t *testing.T) {
	d := open(t, serve(t, recordedPrometheus(t)), "")
	answer := ask(t, d, `{"queryType":"live","races":["golden"]}`)
	require.NoError(t, answer.Error)
	require.Empty(t, answer.Frames[0].Meta.Channel)
	require.Equal(t, liveColumns, columns(answer.Frames[0]), "an empty frame with its columns")
	require.Contains(t, noticesOf(answer.Frames), "has none, so nobody tells live of it; a query of type timeseries follows it")
}

func TestAChannelThatGrafanaWouldNotTakeIsANotice(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, running()))
	d.uid = strings.Repeat("u", 140)
	answer := ask(t, d, `{"queryType":"live","races":["`+running().ID+`"]}`)
	require.Empty(t, answer.Frames[0].Meta.Channel)
	require.Contains(t, noticesOf(answer.Frames), "shorter uid")
	require.Equal(t, len(running().Lanes), answer.Frames[0].Rows())
}

func TestEachEventIsAFrameWithARowForEachLane(t *testing.T) {
	ended := false
	d := open(t, serve(t, emptyPrometheus), telling(t, func() race.Race {
		if ended {
			return fourApps()
		}
		return running()
	}, sse("status", `{"at":"2026-03-14T09:00:00Z","status":"queued","position":2}`), progressOf(50), sse("progress", "[]"), progressOf(60),
		sse("log", `{"line":"not of lanes"}`), sse("status", `{"at":"2026-03-14T09:00:06Z","status":"collecting"}`),
		sse("end", `{"at":"2026-03-14T09:00:07Z","status":"finished"}`)))
	sent := follow(t, d, livePath(running().ID, true))
	ended = true
	require.Len(t, sent, 5, "all but the log")
	require.Equal(t, "place 2 in the queue", cell(t, sent[0], "detail", 0))
	require.Equal(t, "queued", cell(t, sent[0], "phase", 0))
	for column, want := range map[string][2]string{
		"app": {"control", "high-cpu"}, "phase": {"race", "race"}, "heat": {"1", "1"}, "requests": {"50", "7"}, "rate": {"50", "0"}, "p95": {"2.5", "null"},
		"errors": {"0", "2"}, "cpu_cores": {"0.1", "null"}, "memory_bytes": {"1000", "null"}, "place": {"1", "0"}, "out": {"", "memory, 4 s"},
		"racing": {"true", "false"}, "cpu_limit": {"0.5", "null"}, "baseline": {"true", "false"}, "done": {"0.0625", "0.0625"}, "remaining": {"60", "60"},
	} {
		require.Equal(t, want, [2]string{cell(t, sent[1], column, 0), cell(t, sent[1], column, 1)}, column)
	}
	require.Equal(t, "60", cell(t, sent[2], "requests", 0), "what came after the break")
	require.Equal(t, []string{"60", "null", "collecting"}, []string{cell(t, sent[3], "requests", 0), cell(t, sent[3], "rate", 0), cell(t, sent[3], "status", 0)})
	require.Equal(t, "finished", cell(t, sent[4], "status", 0))
	require.Equal(t, liveColumns, columns(follow(t, open(t, serve(t, emptyPrometheus), telling(t, running, progressOf(1), sse("end", `{}`))), livePath(running().ID, false))[0]))
}

func TestWhoMayFollowARace(t *testing.T) {
	known := livePath(running().ID, false)
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, running()))
	anonymous := backend.PluginContext{User: &backend.User{Role: "Viewer"}}
	for path, want := range map[string]backend.SubscribeStreamStatus{
		known: backend.SubscribeStreamStatusOK, known + "/all": backend.SubscribeStreamStatusOK,
		livePath("nowhere", false): backend.SubscribeStreamStatusNotFound, "race/": backend.SubscribeStreamStatusNotFound,
		"race/" + running().ID: backend.SubscribeStreamStatusNotFound, known + "/../x": backend.SubscribeStreamStatusNotFound, "": backend.SubscribeStreamStatusNotFound,
	} {
		answer, err := d.SubscribeStream(t.Context(), &backend.SubscribeStreamRequest{PluginContext: anonymous, Path: path})
		require.NoError(t, err)
		require.Equal(t, want, answer.Status, path)
		if want == backend.SubscribeStreamStatusOK {
			var f data.Frame
			require.NoError(t, json.Unmarshal(answer.InitialData.Data(), &f))
			require.Equal(t, len(running().Lanes), f.Rows(), "who joins late can read what follows")
		}
	}
	published, err := d.PublishStream(t.Context(), &backend.PublishStreamRequest{PluginContext: backend.PluginContext{User: &backend.User{Login: "root", Role: "Admin"}}, Path: known})
	require.NoError(t, err)
	require.Equal(t, backend.PublishStreamStatusPermissionDenied, published.Status)

	without := open(t, serve(t, emptyPrometheus), "")
	answer, err := without.SubscribeStream(t.Context(), &backend.SubscribeStreamRequest{PluginContext: anonymous, Path: known})
	require.NoError(t, err)
	require.Equal(t, backend.SubscribeStreamStatusNotFound, answer.Status)
	gone := httptest.NewServer(nil)
	gone.Close()
	_, err = open(t, serve(t, emptyPrometheus), gone.URL).SubscribeStream(t.Context(), &backend.SubscribeStreamRequest{PluginContext: anonymous, Path: known})
	require.ErrorContains(t, err, "cannot be reached", "the page asks again after an error, and not after not found")
}

func TestAStreamOfNoRaceEndsAtOnce(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t))
	require.Empty(t, follow(t, d, livePath("nowhere", false)))
	require.Empty(t, follow(t, d, "nonsense"))
}

// FuzzOnlyPathsOfRacesAreRead: a path is read only where it is exactly what a race's id is written as, and Grafana takes every such path.
func FuzzOnlyPathsOfRacesAreRead(f *testing.F) {
	for _, seed := range []string{"race/", "race/YWIy", "race/YWIy/all", "race/YWIy=", "race/Li4vLi4", "race/../YWIy", "race/YWJ6", strings.Repeat("race/", 50), "race/YWIy\x00", "race/Y\nw", "race/YX"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		id, everything, ok := readLivePath(path)
		if !ok {
			require.Empty(t, id)
			return
		}
		require.True(t, race.ValidID(id), id)
		require.Equal(t, path, livePath(id, everything))
		channel, err := live.ParseChannel("ds/" + strings.Repeat("u", 40) + "/" + path)
		require.NoError(t, err, "of the longest uid that Grafana gives")
		require.Equal(t, path, channel.Path)
	})
}

func TestALiveRaceTellsHowLongItTookOnceItIsOver(t *testing.T) {
	for _, r := range []race.Race{running(), fourApps()} {
		d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
		response := ask(t, d, `{"queryType":"live","races":["`+r.ID+`"],"field":"all"}`)
		require.NoError(t, response.Error)
		want := "null"
		if r.Status.Ended() {
			want = fmt.Sprint(r.FinishedAt.Sub(*r.StartedAt).Seconds())
		}
		require.Equal(t, want, cell(t, response.Frames[0], "took", 0))
	}
}
