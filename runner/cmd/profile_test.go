package cmd_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/flame"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/runnerclient"
	"github.com/photofinish/photofinish/runner/store"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

const profiled = "profile: { pprof: '/debug/pprof' }"

// profileOf reads a profile that a race has kept.
func (f finished) profileOf(t *testing.T, app string, kind race.ProfileKind) *profile.Profile {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, store.ProfileFile(app, kind)))
	require.NoError(t, err)
	p, err := flame.Parse(data)
	require.NoError(t, err)
	return p
}

func TestAppsAreProfiledAfterTheHeatsThatCount(t *testing.T) {
	var mu sync.Mutex
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, r.URL.Query().Get("name"))
	}))
	t.Cleanup(server.Close)
	for _, mode := range []string{"together", "turns"} {
		t.Run(mode, func(t *testing.T) {
			ownTemp(t)
			sent = nil
			f := runRace(t.Context(), t, writeScript(t, "", "one: "+lane(30101, profiled), "two: "+lane(30102, profiled, "spin=4ms")),
				"--mode", mode, "--duration", "2s", "--pyroscope-url", server.URL)
			require.Zero(t, f.code)
			require.Contains(t, f.stdout, ", then 1 for profiles: about")
			require.Len(t, f.record.Heats, 2, "the heats that count")
			for _, v := range f.record.Verdicts {
				require.Equal(t, 2, v.Heats)
			}
			require.InDelta(t, 200, f.lane(t, "one").Client.Requests, 10, "50 a second, 2 s, 2 heats")
			require.Len(t, f.record.Profiling.Heats, 1)
			heat := f.record.Profiling.Heats[0]
			require.Equal(t, 3, heat.Number)
			require.True(t, heat.StartedAt.After(*f.record.FinishedAt), "the race is over before")
			require.NotNil(t, heat.Lanes["two"].Measures["cpu_ms_per_request"])
			checkProfiles(t, f)
			slices.Sort(sent)
			name := func(app string) string { return app + "{app=" + app + ",heat=3,race=" + f.record.ID + "}" }
			require.Equal(t, []string{name("one"), name("one"), name("two"), name("two")}, sent)
			require.True(t, strings.HasPrefix(f.lane(t, "one").ProfilesURL, server.URL+"?"))
			_, lost := f.finding(race.SeriesLost)
			require.False(t, lost, "nothing of the heat for profiles is taken for a part of the race")
		})
	}
}

func checkProfiles(t *testing.T, f finished) {
	t.Helper()
	cost, found := f.finding(race.Profiled)
	require.True(t, found)
	require.Equal(t, race.Note, cost.Severity)
	require.Contains(t, cost.Detail, "of CPU for a request then")
	for _, app := range []string{"one", "two"} {
		l := f.lane(t, app)
		require.Len(t, l.Profiles, 2)
		for _, p := range l.Profiles {
			info, err := os.Stat(filepath.Join(f.dir, store.ProfileFile(app, p.Kind)))
			require.NoError(t, err)
			require.Equal(t, info.Size(), p.Bytes)
			require.InDelta(t, 2, p.Seconds, .5)
			require.InDelta(t, 100, p.Requests, 20)
		}
		require.NotNil(t, f.profileOf(t, app, race.HeapProfile))
	}
	g := flame.New()
	require.NoError(t, g.Add(flame.Left, f.profileOf(t, "two", race.CPUProfile), flame.CPU, 1/float64(f.lane(t, "two").Profiles[0].Requests)))
	require.InDelta(t, 4, g.Total(flame.Left)/1e6, 2.5, "ms of CPU for a request, of which 100 give 40 samples: 4 standard deviations")
	require.True(t, slices.ContainsFunc(g.Rows(1000), func(r flame.Row) bool {
		return strings.HasPrefix(r.Label, "github.com/photofinish/photofinish/runner/cmd_test.app")
	}))
}

func TestAProfileThatCannotBeTakenIsSaidAndChangesNoVerdict(t *testing.T) {
	ownTemp(t)
	f := runRace(t.Context(), t, writeScript(t, "", "good: "+lane(30101, profiled), "nowhere: "+lane(30102, "profile: { pprof: '/pprof' }"),
		"page: "+lane(30103, profiled, "page"), "hangs: "+lane(30104, profiled, "hang"), "dies: "+lane(30105, profiled, "die"), "unasked: "+lane(30106, "cpus: 1")), "--mode", "turns")
	require.Zero(t, f.code)
	require.Equal(t, race.Finished, f.record.Status)
	missing := map[string]string{}
	for _, one := range f.record.Audit.Findings {
		switch one.Kind {
		case race.ProfileMissing:
			require.Equal(t, race.Warning, one.Severity)
			missing[one.Lane] += one.Detail + "; "
		case race.LaneOut, race.HeatLost, race.Restarted:
			require.Failf(t, "not of the race", "%+v", one)
		default:
		}
	}
	for app, says := range map[string]string{
		"nowhere": "/pprof/profile?seconds=1: ",
		"page":    "answered a page, and no profile",
		"hangs":   "no answer within 11s",
		"dies":    "the app left heat 3, which was run for profiles: exit code 7",
	} {
		require.Contains(t, missing[app], says, app)
		require.Equal(t, race.Stopped, f.lane(t, app).Exit.Reason, "it did not leave the race")
		require.Len(t, f.record.Heats[1].Lanes[app].Measures, len(f.record.Heats[1].Lanes["good"].Measures))
	}
	require.Len(t, missing, 4)
	require.Len(t, f.lane(t, "good").Profiles, 2)
	require.Empty(t, f.lane(t, "unasked").Profiles)
	require.NotEmpty(t, f.record.Verdicts)
}

func TestAnAppsOwnProfilerFindsThePyroscope(t *testing.T) {
	ownTemp(t)
	f := runRace(t.Context(), t, writeScript(t, "", "one: "+lane(30101, "profile: { pyroscope: 'http://127.0.0.1:30109' }", "pyroscope=http://127.0.0.1:30109"), "two: "+lane(30102, "cpus: 1")), "--heats", "1")
	require.Zero(t, f.code)
	require.Zero(t, f.lane(t, "one").Client.Failed)
	require.Nil(t, f.record.Profiling, "nothing is taken here")
	require.Contains(t, f.lane(t, "one").ProfilesURL, "http://127.0.0.1:30109?")
	require.Empty(t, f.lane(t, "two").ProfilesURL)
}

func TestProfilesOfARunnersRaceAreServedAndCarried(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	s := newServed(t, "")
	script, err := os.ReadFile(writeScript(t, "", "one: "+lane(enginetest.FreePort(t), profiled), "two: "+lane(enginetest.FreePort(t), profiled)))
	require.NoError(t, err)
	s.write("scripts/race.js", string(script))
	s.start()
	id := s.submit(`{"script":"race.js","heats":1}`)
	record := s.until(id, "finished")
	require.Equal(t, 1.0, record["profiling"].(map[string]any)["planned_heats"])
	require.Len(t, s.ask(200, "GET", "/v1/races/"+id+"/profiles", "")["profiles"], 4)
	client, err := runnerclient.New(runnerclient.Config{URL: s.url, Token: serveToken})
	require.NoError(t, err)
	data, err := client.Profile(t.Context(), id, "two", race.HeapProfile)
	require.NoError(t, err)
	_, err = flame.Parse(data)
	require.NoError(t, err)
	_, err = client.Profile(t.Context(), id, "three", race.HeapProfile)
	require.Equal(t, race.NotFound, race.CodeOf(err))

	exported := run(t.Context(), t, "", "races", "export", "--config", s.config)
	other := newServed(t, "")
	other.write("races.jsonl", exported.stdout)
	require.Zero(t, run(t.Context(), t, "", "races", "import", "--config", other.config, filepath.Join(other.dir, "races.jsonl")).code)
	checkCommand(t, data, id, "--config", other.config, "--app", "two", "--kind", "heap")
}

// checkCommand holds what `races profile` writes, to a file and to standard output, against what it should.
func checkCommand(t *testing.T, data []byte, args ...string) {
	t.Helper()
	args = append([]string{"races", "profile"}, args...)
	f := run(t.Context(), t, "", args...)
	require.Zero(t, f.code, f.stderr)
	require.Equal(t, string(data), f.stdout)
	file := filepath.Join(t.TempDir(), "x.pb.gz")
	require.Zero(t, run(t.Context(), t, "", append(args, "-o", file)...).code)
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, data, written)
	f = run(t.Context(), t, "", append(args, "--app", "nobody")...)
	require.Equal(t, 2, f.code)
	require.Contains(t, f.stderr, `profile of an app "nobody"`)
}

func TestProfilesOfAFolderAreReadAndImported(t *testing.T) {
	r := racetest.FourApps().Race
	app := r.Lanes[0].App
	r.Lanes[0].Profiles = []race.Profile{{Kind: race.CPUProfile, Bytes: 3}, {Kind: race.HeapProfile, Bytes: 3}}
	folder := saved(t, r)
	data := []byte{0x1f, 0x8b, 0}
	require.NoError(t, store.Folder{Path: folder}.SaveProfile(r.ID, app, race.CPUProfile, data))
	checkCommand(t, data, folder, "--app", app)
	f := run(t.Context(), t, "", "races", "profile", folder, "--app", app, "--kind", "heap")
	require.Contains(t, f.stderr, "is no longer in "+folder)
	s := newServed(t, "")
	require.Zero(t, run(t.Context(), t, "", "races", "import", "--config", s.config, folder).code)
	checkCommand(t, data, r.ID, "--config", s.config, "--app", app)
}

func TestARaceThatIsInterruptedWhileItIsProfiledHasItsVerdict(t *testing.T) {
	ownTemp(t)
	r := startRunner(t, writeScript(t, "", "one: "+lane(30101, profiled), "two: "+lane(30102, profiled)), "--heats", "2", "--duration", "5s", "--mode", "together")
	r.says(t, "taking profiles of one, two")
	require.Equal(t, race.Collecting, r.record().Status, "what counts is on the disk before")
	require.NotEmpty(t, r.record().Verdicts)
	require.NoError(t, r.cmd.Process.Signal(os.Interrupt))
	<-r.ended
	record := r.record()
	require.Equal(t, race.Finished, record.Status)
	require.Len(t, record.Heats, 2)
	require.NotEmpty(t, record.Verdicts)
	require.Empty(t, record.Lanes[0].Profiles)
	require.True(t, slices.ContainsFunc(record.Audit.Findings, func(f race.Finding) bool { return f.Kind == race.ProfileMissing && f.Lane == "one" }))
}
