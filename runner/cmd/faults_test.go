package cmd_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// Ports of the apps in these tests; packages are tested one after the other.
const portA, portB = 30101, 30102

// strangers are the groups of races that were there before these tests: somebody who was killed may have left them.
var strangers []string

// groupsOf are the cgroups of races whose ids match a pattern, in all hierarchies.
func groupsOf(pattern string) []string {
	var dirs []string
	for _, hierarchy := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		found, _ := filepath.Glob(filepath.Join(hierarchy, "photofinish", pattern)) // only a pattern can be wrong
		dirs = append(dirs, found...)
	}
	return slices.DeleteFunc(dirs, func(dir string) bool { return slices.Contains(strangers, dir) })
}

// nothingLeft proves that the race left no cgroup and no port.
func nothingLeft(t *testing.T) {
	t.Helper()
	require.Empty(t, groupsOf("script-*"), "cgroups are left") // the races of this package are named after script.js
	for _, address := range []string{"127.0.0.1:30101", "127.0.0.1:30102"} {
		l, err := net.Listen("tcp", address)
		require.NoError(t, err, "a port is left")
		require.NoError(t, l.Close())
	}
}

func TestAnAppThatDiesHalfWayLeavesTheRaceAndTheOthersFinish(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "", "exit=1500ms"), "c: "+lane(30103, ""))
	f := runRace(t.Context(), t, script, "--mode", "together", "--duration", "2s")
	require.Equal(t, 0, f.code)
	require.Equal(t, race.Finished, f.record.Status)
	b := f.lane(t, "b")
	require.Equal(t, race.Exited, b.Exit.Reason)
	require.Equal(t, 7, *b.Exit.Code)
	require.Contains(t, strings.Join(b.LastLog, "\n"), "the app's last words")
	require.Len(t, f.record.Heats, 2)
	require.NotContains(t, f.record.Heats[1].Lanes, "b")
	require.InDelta(t, 200, f.lane(t, "a").Client.Requests, 8)
	require.Less(t, b.Client.Failed, int64(10), "a dead app is asked no more")
	_, found := f.finding(race.LaneOut)
	require.True(t, found)
	nothingLeft(t)
}

func TestADeadAppDoesNotLetAClosedModelSpin(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "", "exit=1500ms"), "c: "+lane(30103, ""))
	f := runRace(t.Context(), t, script, "--mode", "together", "--vus", "2", "--duration", "2s", "--heats", "1")
	require.Equal(t, 0, f.code)
	require.Less(t, f.lane(t, "b").Client.Failed, int64(1000), "two users that are refused at once would fail thousands of times")
	_, found := f.finding(race.ClosedModel)
	require.True(t, found)
	nothingLeft(t)
}

func TestAMemoryLimitThatKillsTheAppIsCalledThat(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "memory: '48m'", "eat=1200ms"), "c: "+lane(30103, ""))
	f := runRace(t.Context(), t, script, "--mode", "together", "--duration", "2s")
	require.Equal(t, 0, f.code)
	require.Equal(t, race.OOM, f.lane(t, "b").Exit.Reason)
	require.Contains(t, f.stdout, "memory")
	_, found := f.finding(race.OutOfMemory)
	require.True(t, found)
	nothingLeft(t)
}

func TestAnAppThatNeverGetsHealthyIsAnErrorThatNamesIt(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "health: { path: '/', timeout: '1s' }", "ill"))
	f := runRace(t.Context(), t, script)
	require.Equal(t, 3, f.code)
	require.Equal(t, race.Failed, f.record.Status)
	require.Contains(t, f.stderr, "lane b did not get healthy")
	require.Contains(t, f.stderr, "503")
	nothingLeft(t)
}

func TestAnAppThatExitsAtOnceIsQuoted(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "", "exit=0s"))
	f := runRace(t.Context(), t, script)
	require.Equal(t, 3, f.code)
	require.Contains(t, f.stderr, "lane b")
	require.Contains(t, f.stderr, "the app's last words")
	nothingLeft(t)
}

func TestAScriptThatAsksOneAppForEveryLaneIsStopped(t *testing.T) {
	script := writeScript(t, "export default function () { http.get('http://127.0.0.1:30101/'); }", "a: "+lane(portA, ""), "b: "+lane(portB, ""))
	f := runRace(t.Context(), t, script)
	require.Equal(t, 3, f.code)
	require.Contains(t, f.stderr, "lane b runs at 127.0.0.1:30102, but the script asked 127.0.0.1:30101")
	nothingLeft(t)
}

func TestAScriptThatMakesNoRequestIsStopped(t *testing.T) {
	script := writeScript(t, "export default function () { throw new Error('out of ideas'); }", "a: "+lane(portA, ""), "b: "+lane(portB, ""))
	f := runRace(t.Context(), t, script)
	require.Equal(t, 3, f.code)
	require.Contains(t, f.stderr, "made no request")
	require.Contains(t, f.stderr, "out of ideas")
	nothingLeft(t)
}

func TestAScriptThatReadsAppURLAtInitRacesWithAK6PerLane(t *testing.T) {
	script := writeScript(t, "const BASE = __ENV.APP_URL || 'http://127.0.0.1:30101/';\nexport default function () { http.get(BASE); }",
		"a: "+lane(portA, ""), "b: "+lane(portB, "", "slow=20ms"))
	f := runRace(t.Context(), t, script)
	require.Equal(t, 0, f.code)
	require.InDelta(t, 100, f.lane(t, "b").Client.Requests, 4)
	require.Greater(t, *f.lane(t, "b").Measures["latency_p50"], 20.0, "lane b must have reached its own, slow app")
	require.Less(t, *f.lane(t, "a").Measures["latency_p50"], 20.0)
	_, found := f.finding(race.AppURLAtInit)
	require.True(t, found)
	nothingLeft(t)
}

func TestCtrlCSavesWhatWasMeasured(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, ""))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(6*time.Second, cancel)
	f := runRace(ctx, t, script, "--heats", "30")
	require.Equal(t, 3, f.code, "a context that ended without a signal")
	require.Equal(t, race.Interrupted, f.record.Status)
	require.NotEmpty(t, f.record.Heats)
	require.Positive(t, f.lane(t, "a").Client.Requests)
	require.FileExists(t, filepath.Join(f.dir, "report.html"))
	nothingLeft(t)
}

func TestCrossedThresholdsAreTheExitCode99(t *testing.T) {
	script := writeScript(t, "options.thresholds = { http_req_duration: ['p(95)<10'] };\nexport default function () { http.get(__ENV.APP_URL); }",
		"a: "+lane(portA, ""), "b: "+lane(portB, "", "slow=20ms"))
	f := runRace(t.Context(), t, script, "--heats", "1")
	require.Equal(t, 99, f.code)
	require.Equal(t, race.Finished, f.record.Status)
	require.Contains(t, f.record.Audit.Findings, race.Finding{
		Lane: "b", Kind: race.ThresholdCrossed, Severity: race.Warning, Detail: "crossed the threshold http_req_duration: p(95)<10 in heat 1",
	})
	require.Equal(t, []race.Threshold{
		{Lane: "a", Condition: "http_req_duration: p(95)<10", Heats: 1, Crossed: []int{}},
		{Lane: "b", Condition: "http_req_duration: p(95)<10", Heats: 1, Crossed: []int{1}},
	}, f.record.Thresholds)
	nothingLeft(t)
}

func TestAFolderThatCannotBeWrittenIsFoundBeforeTheRace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	f := runRace(t.Context(), t, writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--out", filepath.Join(file, "race"))
	require.Equal(t, 3, f.code)
	require.Contains(t, f.stderr, file)
	nothingLeft(t)
}
