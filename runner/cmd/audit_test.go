package cmd_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
	"github.com/photofinish/photofinish/runner/store"
)

// What the audit can find is provoked here on the real parts: k6, cgroups, Prometheus, other processes. Elsewhere are
//   - closed-model, out-of-memory, lane-out, app-url-at-init: faults_test.go
//   - message-redelivered, poison-message, queue-lost: queues_test.go
//   - limits-not-enforced: docker_test.go; stock-k6: k6_image_test.go; no-audit: a_stock_k6_test.go; earlier-race: baseline_race_test.go
//
// Only in runner/audit, on made-up observations: clock-jump (a test must not set the clock of the machine), time stolen by a hypervisor, and restarted
// (an app that ends leaves the race, and nothing that the runner starts is started again).

// foundOf is the finding of a kind about a lane.
func (f finished) foundOf(t *testing.T, lane string, kind race.FindingKind) race.Finding {
	t.Helper()
	for _, one := range f.record.Audit.Findings {
		if one.Kind == kind && one.Lane == lane {
			return one
		}
	}
	require.Failf(t, "not found", "%s of lane %q; there are %+v", kind, lane, f.record.Audit.Findings)
	return race.Finding{}
}

// tooBusy says whether others used the machine so much that k6 or the lanes did not get the CPU that a test wants them to use up.
func (f finished) tooBusy(t *testing.T) bool {
	t.Helper()
	other, is := f.finding(race.OtherLoad)
	if is {
		t.Logf("beside others: %s", other.Detail)
	}
	return is
}

func TestTheAuditFindsWhatLanesDo(t *testing.T) {
	// d answers nothing after its first requests, which are within the warm-up: its script does not ask.
	script := writeScript(t, `import exec from 'k6/execution';
options.scenarios.load.preAllocatedVUs = 3;
export default function () {
  if (!__ENV.APP_URL.includes(':30104') || exec.scenario.iterationInTest < 3) { http.get(__ENV.APP_URL); }
}`,
		"a: "+lane(portA, ""), "b: "+lane(portB, "cpus: 0.1", "spin=20ms"), "c: "+lane(30103, "", "flaky"), "d: "+lane(30104, ""))
	f := runRace(t.Context(), t, script, "--mode", "turns", "--duration", "2s")
	require.Equal(t, 0, f.code)
	require.Contains(t, f.foundOf(t, "b", race.LimitsDiffer).Detail, "was given 0.1 CPUs, a was given no limits")
	require.Contains(t, f.foundOf(t, "b", race.Throttled).Detail, "hit its CPU quota in")
	require.Equal(t, race.Warning, f.foundOf(t, "b", race.Throttled).Severity)
	require.Positive(t, *f.lane(t, "b").Container.ThrottledSeconds)
	dropped := f.foundOf(t, "b", race.DroppedIterations)
	require.Equal(t, race.Warning, dropped.Severity, "three VUs do not keep up with an app that gets a tenth of a CPU: %s", dropped.Detail)
	require.Contains(t, f.foundOf(t, "c", race.ErrorsDiffer).Detail, "a in 0%")
	require.Contains(t, f.foundOf(t, "d", race.NoRequests).Detail, "got no request in the whole race")
	nothingLeft(t)
}

func TestTheAuditFindsAStopwatchThatIsTooSlow(t *testing.T) {
	script := writeScript(t, "export default function () { for (const end = Date.now() + 40; Date.now() < end;) {} http.get(__ENV.APP_URL); }",
		"a: "+lane(portA, ""), "b: "+lane(portB, ""))
	f := runRace(t.Context(), t, script, "--mode", "turns", "--duration", "2s")
	require.Equal(t, 0, f.code)
	late := f.foundOf(t, "a", race.StartLag)
	require.Contains(t, late.Detail, "requests were sent late in")
	if saturated, found := f.finding(race.K6Saturated); found || !f.tooBusy(t) {
		require.True(t, found, "%+v", f.record.Audit.Findings)
		require.Contains(t, saturated.Detail, "of the CPU it may use")
	}
	for _, v := range f.record.Verdicts {
		require.Equal(t, race.Inconclusive, v.Outcome)
	}
	nothingLeft(t)
}

// A tenth of b's answers are errors in each of six heats, which no neighbour changes: but for the audit that would be decided.
func TestTheAuditFindsNeighboursAndWithholdsWhatIsPlain(t *testing.T) {
	for range runtime.NumCPU() { // each burns a CPU, and is no part of the race
		burner := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
		require.NoError(t, burner.Start())
		t.Cleanup(func() { _ = burner.Process.Kill(); _ = burner.Wait() })
	}
	script := writeScript(t, "", "a: "+lane(portA, "", "spin=5ms"), "b: "+lane(portB, "", "spin=5ms", "flaky"))
	f := runRace(t.Context(), t, script, "--mode", "together", "--heats", "6", "--fail-on", "regression")
	require.Equal(t, 0, f.code, "an unfair race fails nothing")
	require.Contains(t, f.foundOf(t, "", race.OtherLoad).Detail, "programs that are no part of the race used")
	require.Equal(t, race.Unfair, f.foundOf(t, "", race.OtherLoad).Severity)
	require.False(t, f.record.Audit.Fair)
	require.Contains(t, f.stderr, "photofinish races override "+f.dir)
	for _, v := range f.record.Verdicts {
		require.Equal(t, race.Inconclusive, v.Outcome, v.Measure)
	}
	require.Contains(t, verdictOf(t, f.record, "b", "error_rate").Warnings, "the race failed its audit")
	require.Equal(t, 0, run(t.Context(), t, "", "races", "override", f.dir, "--because", "errors have nothing to do with CPUs").code)
	r, err := store.Load(f.dir)
	require.NoError(t, err)
	require.Equal(t, race.Slower, verdictOf(t, r, "b", "error_rate").Outcome, "%+v", r.Heats)
	nothingLeft(t)
}

func TestTheAuditFindsLanesThatFightForTheCPUs(t *testing.T) {
	if runtime.NumCPU() > 3 {
		t.Skip("with 4 CPUs or more each lane gets some of its own")
	}
	script := writeScript(t, "", "a: "+lane(portA, "", "spin=30ms"), "b: "+lane(portB, "", "spin=30ms"), "c: "+lane(30103, "", "spin=30ms"))
	f := runRace(t.Context(), t, script, "--mode", "together", "--arrivals", "even", "--duration", "2s")
	require.Equal(t, 0, f.code)
	said := ""
	unfair := false
	for _, one := range f.record.Audit.Findings {
		if one.Kind == race.Interference {
			said += one.Detail + "\n"
			unfair = unfair || one.Severity == race.Unfair
		}
	}
	require.Contains(t, said, "are sent their requests at the same ticks")
	require.Contains(t, said, "raced together")
	if !f.tooBusy(t) {
		require.True(t, unfair, said)
	}
	nothingLeft(t)
}

func TestAThresholdWithAbortOnFailTakesItsLaneOutAndNoOther(t *testing.T) {
	script := writeScript(t, "options.thresholds = { http_req_duration: [{ threshold: 'p(50)<60', abortOnFail: true }] };\nexport default function () { http.get(__ENV.APP_URL); }",
		"a: "+lane(portA, ""), "b: "+lane(portB, "", "slow=100ms"), "c: "+lane(30103, ""))
	f := runRace(t.Context(), t, script, "--mode", "turns")
	require.Equal(t, 99, f.code)
	require.Equal(t, race.Finished, f.record.Status)
	require.Contains(t, f.foundOf(t, "b", race.ThresholdAborted).Detail, "left the race after heat 1, in which it crossed http_req_duration: p(50)<60: the threshold has abortOnFail")
	require.Len(t, f.record.Heats, 2)
	require.Contains(t, f.record.Heats[0].Lanes, "b", "the heat that it crossed it in counts")
	require.NotContains(t, f.record.Heats[1].Lanes, "b")
	require.Contains(t, f.record.Heats[1].Lanes, "c")
	nothingLeft(t)
}

// A Prometheus that takes writes in and loses some, and a script that makes a series of every request.
func TestTheAuditFindsSeriesThatAreLostAndTooMany(t *testing.T) {
	store, err := promserver.Start(t.Context(), promserver.Options{Dir: filepath.Join(t.TempDir(), "metrics")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	address, err := url.Parse(store.URL())
	require.NoError(t, err)
	pass := httputil.NewSingleHostReverseProxy(address)
	var pushes atomic.Int64
	faulty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Counters are sent anew every second, so that what is lost once is made up for: all but the first pushes of our output are lost.
		if r.Header.Get("User-Agent") == "photofinish" && pushes.Add(1) > 3 {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(faulty.Close)
	script := writeScript(t, `import exec from 'k6/execution';
export default function () { http.get(__ENV.APP_URL, { tags: { name: 'of its own ' + exec.scenario.iterationInTest } }); }`, "a: "+lane(portA, ""), "b: "+lane(portB, ""))
	f := runRace(t.Context(), t, script, "--mode", "turns", "--prometheus-url", faulty.URL)
	require.Equal(t, 0, f.code)
	losses := 0
	for _, one := range f.record.Audit.Findings {
		if one.Kind == race.SeriesLost {
			losses++
			require.Equal(t, race.Warning, one.Severity, "plots miss them, race.json does not")
			require.Contains(t, one.Detail, "and k6 counted 100")
		}
	}
	require.Positive(t, losses, "%+v", f.record.Audit.Findings)
	budget := f.foundOf(t, "", race.SeriesBudget)
	require.Equal(t, race.Warning, budget.Severity)
	require.Contains(t, budget.Detail, "set the tag `name` on requests with variable URLs")
	require.Greater(t, *f.record.Series.Written, 2*f.record.Series.Estimated)
	nothingLeft(t)
}

func TestAHeatWhoseK6IsKilledIsTold(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, ""))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for ctx.Err() == nil {
			if pid := k6Racing(); pid > 0 {
				time.Sleep(5 * time.Second) // into the race part of 10 s
				_ = syscall.Kill(pid, syscall.SIGKILL)
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	f := runRace(t.Context(), t, script, "--mode", "turns", "--duration", "5s")
	require.Equal(t, 3, f.code)
	require.Equal(t, race.Failed, f.record.Status)
	require.Contains(t, f.foundOf(t, "", race.HeatLost).Detail, "gave no result: k6 was killed")
	nothingLeft(t)
}

// k6Racing is the process of this test's k6 in a heat; 0 where there is none.
func k6Racing() int {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		text, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		args := strings.Split(string(text), "\x00")
		if err != nil || len(args) < 4 || args[0] != os.Args[0] || args[1] != "k6" || args[2] != "run" || strings.Contains(string(text), "/probe-") {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		return pid
	}
	return 0
}
