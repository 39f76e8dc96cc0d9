package cmd_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/store"
)

// patience bounds the wait for something that takes a second or two on an idle machine.
const patience = 30 * time.Second

// runner is a runner in a process of its own, to be signalled.
type runner struct {
	cmd    *exec.Cmd
	dir    string // of the race
	stdout *output
	stderr *output
	ended  chan struct{}
}

// output is what a process printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// ownTemp gives this process and its children a folder for temporary files, and with it a ledger of races, that no other runner uses.
func ownTemp(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return dir
}

func startRunner(t *testing.T, args ...string) *runner {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	r := &runner{dir: filepath.Join(t.TempDir(), "race"), stdout: &output{}, stderr: &output{}, ended: make(chan struct{})}
	r.cmd = exec.Command(self, append([]string{"race", "--out", r.dir}, args...)...)
	r.cmd.Stdout, r.cmd.Stderr = r.stdout, r.stderr
	r.cmd.WaitDelay = time.Second
	require.NoError(t, r.cmd.Start())
	go func() { defer close(r.ended); _ = r.cmd.Wait() }()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.ended
		if id := r.record().ID; id != "" { // a test that failed leaves nothing either
			_ = cgroup.New().KillAll(context.Background(), id)
		}
		t.Logf("the runner's output:\n%s%s", r.stdout, r.stderr)
	})
	return r
}

func (r *runner) record() race.Race {
	record, _ := store.Load(r.dir)
	return record
}

// until waits until something is so of a runner that lives.
func (r *runner) until(t *testing.T, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		select {
		case <-r.ended:
			require.Failf(t, "the runner ended too early", "%s%s", r.stdout, r.stderr)
		default:
			require.True(t, time.Now().Before(deadline), "it takes too long:\n%s%s", r.stdout, r.stderr)
		}
	}
}

// says waits until the runner has printed a text.
func (r *runner) says(t *testing.T, text string) {
	t.Helper()
	r.until(t, func() bool { return strings.Contains(r.stdout.String(), text) })
}

// measured waits until some heats are in the record.
func (r *runner) measured(t *testing.T, heats int) {
	t.Helper()
	r.until(t, func() bool { return len(r.record().Heats) >= heats })
}

func (r *runner) signal(t *testing.T, s os.Signal) {
	t.Helper()
	require.NoError(t, r.cmd.Process.Signal(s))
}

// exit waits for the end and gives the exit code.
func (r *runner) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		require.Failf(t, "the runner does not end", "%s%s", r.stdout, r.stderr)
	}
	return r.cmd.ProcessState.ExitCode()
}

// k6 is the process id of the k6 that the runner runs now, 0 if there is none.
func (r *runner) k6() int {
	for pid, args := range relatives() {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || len(args) < 3 || args[1] != "k6" || args[2] != "run" {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // state, parent, …
		if len(fields) > 1 && fields[1] == strconv.Itoa(r.cmd.Process.Pid) {
			return pid
		}
	}
	return 0
}

// relatives are the other processes that run this test binary (runners, k6s and apps), with their arguments.
func relatives() map[int][]string {
	found := map[int][]string{}
	self, _ := os.Executable()
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if exe, err := os.Readlink(link); err != nil || exe != self || pid == os.Getpid() {
			continue
		}
		args, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "cmdline"))
		found[pid] = strings.Split(string(args), "\x00")
	}
	return found
}

// nothingLeftIn proves that no process, cgroup or port is left, and nothing in the folder for temporary files but the empty ledger.
func nothingLeftIn(t *testing.T, temp string) {
	t.Helper()
	require.Empty(t, relatives(), "processes are left")
	nothingLeft(t)
	left, err := filepath.Glob(filepath.Join(temp, "photofinish-*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(temp, "photofinish-"+strconv.Itoa(os.Getuid()))}, left, "temporary files are left")
	races, err := os.ReadDir(left[0])
	require.NoError(t, err)
	require.Empty(t, races, "the ledger still holds a race")
}

func TestASignalEndsTheRaceAndKeepsWhatWasMeasured(t *testing.T) {
	for name, c := range map[string]struct {
		signal os.Signal
		says   string
	}{
		"Ctrl-C":  {os.Interrupt, "interrupted by Ctrl-C"},
		"SIGTERM": {syscall.SIGTERM, "interrupted by SIGTERM"},
	} {
		t.Run(name, func(t *testing.T) {
			temp := ownTemp(t)
			r := startRunner(t, writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--heats", "30", "--mode", "together")
			r.measured(t, 1)
			r.says(t, "Racing: heat 2")
			r.signal(t, c.signal)
			require.Equal(t, 130, r.exit(t))
			require.Equal(t, race.Interrupted, r.record().Status)
			require.Contains(t, *r.record().Error, c.says)
			require.Contains(t, r.stderr.String(), c.says)
			require.InDelta(t, 50, r.record().Heats[0].Lanes["a"].Requests, 3)
			require.FileExists(t, filepath.Join(r.dir, "report.html"))
			nothingLeftIn(t, temp)
		})
	}
}

func TestASignalBeforeTheFirstHeatLeavesARaceWithoutHeats(t *testing.T) {
	temp := ownTemp(t)
	r := startRunner(t, writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--warmup", "20s")
	r.says(t, "Warming up")
	time.Sleep(time.Second) // k6 has its first iterations behind it
	r.signal(t, os.Interrupt)
	require.Equal(t, 130, r.exit(t))
	require.Equal(t, race.Interrupted, r.record().Status)
	require.Empty(t, r.record().Heats, "a warm-up is no heat")
	require.Nil(t, r.record().StartedAt, "the race part never began")
	nothingLeftIn(t, temp)
}

func TestASecondCtrlCEndsAtOnceAndTheNextRunCleansUp(t *testing.T) {
	temp := ownTemp(t)
	r := startRunner(t, writeScript(t, "", "a: "+lane(portA, "", "stubborn"), "b: "+lane(portB, "")), "--heats", "30", "--mode", "together")
	r.measured(t, 1)
	r.says(t, "Racing: heat 2")
	r.signal(t, os.Interrupt)
	time.Sleep(500 * time.Millisecond) // it waits for the stubborn app now, which gets three seconds
	again := time.Now()
	r.signal(t, os.Interrupt)
	require.Equal(t, 130, r.exit(t))
	require.Less(t, time.Since(again), time.Second)
	require.False(t, r.record().Status.Ended(), "nothing was tidied up")
	cleansUp(t, r, temp)
}

// cleansUp runs the next race, which cannot write its own record but ends after it has swept, and looks at what it says and leaves.
func cleansUp(t *testing.T, dead *runner, temp string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	next := run(t.Context(), t, filepath.Join(file, "race"), "race", writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")))
	require.Contains(t, next.stderr, "was interrupted: its runner (process "+strconv.Itoa(dead.cmd.Process.Pid)+") was killed")
	require.Contains(t, next.stderr, dead.dir)
	require.Equal(t, race.Interrupted, dead.record().Status)
	require.NotNil(t, dead.record().FinishedAt)
	nothingLeftIn(t, temp)
}

func TestAfterKill9TheNextRunCleansUp(t *testing.T) {
	for name, c := range map[string]struct {
		faults []string
		args   []string
		reach  func(t *testing.T, r *runner)
		heats  int
	}{
		"preparing":     {[]string{"ill"}, nil, func(t *testing.T, r *runner) { t.Helper(); r.until(t, func() bool { return len(relatives()) == 3 }) }, 0},
		"warming up":    {nil, []string{"--warmup", "20s"}, func(t *testing.T, r *runner) { t.Helper(); r.says(t, "Warming up") }, 0},
		"racing":        {nil, []string{"--duration", "20s"}, func(t *testing.T, r *runner) { t.Helper(); r.says(t, "Racing: heat 1") }, 0},
		"between heats": {nil, nil, func(t *testing.T, r *runner) { t.Helper(); r.measured(t, 1) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			temp := ownTemp(t)
			script := writeScript(t, "", "a: "+lane(portA, "memory: '256m'"), "b: "+lane(portB, "", c.faults...))
			r := startRunner(t, append([]string{script, "--mode", "together"}, c.args...)...)
			c.reach(t, r)
			r.signal(t, syscall.SIGKILL)
			r.exit(t)
			cleansUp(t, r, temp)
			require.Len(t, r.record().Heats, c.heats)
		})
	}
}

func TestARaceThatWasOverIsNotCalledInterrupted(t *testing.T) {
	temp := ownTemp(t)
	r := startRunner(t, writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--heats", "1", "--mode", "together", "--keep")
	r.until(t, func() bool { return strings.Contains(r.stderr.String(), "stays up") })
	r.signal(t, syscall.SIGKILL)
	r.exit(t)
	next := runRace(t.Context(), t, writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--heats", "1", "--mode", "together")
	require.Equal(t, 0, next.code, "the next race runs")
	require.Contains(t, next.stderr, "what it left behind is removed")
	require.NotContains(t, next.stderr, "interrupted")
	require.Equal(t, race.Finished, r.record().Status)
	nothingLeftIn(t, temp)
}

func TestAK6ThatIsKilledEndsTheRaceWithTheHeatsBeforeIt(t *testing.T) {
	temp := ownTemp(t)
	r := startRunner(t, writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--heats", "3", "--mode", "together")
	r.measured(t, 1)
	r.says(t, "Racing: heat 2")
	require.NoError(t, syscall.Kill(r.k6(), syscall.SIGKILL))
	require.Equal(t, 3, r.exit(t))
	require.Equal(t, race.Failed, r.record().Status)
	require.Contains(t, r.stderr.String(), "photofinish: heat 2 of 3: k6 was killed: ended by the signal killed\n")
	require.Len(t, r.record().Heats, 1, "what k6 did not live to tell is not known")
	for _, l := range r.record().Lanes {
		require.InDelta(t, 50, l.Client.Requests, 3)
		require.InDelta(t, *r.record().Heats[0].Lanes[l.App].Measures["cpu_ms_per_request"], *l.Joined.CPUMSPerRequest, 1e-9, "the CPU of the lost heat is not charged")
	}
	require.FileExists(t, filepath.Join(r.dir, "report.html"))
	nothingLeftIn(t, temp)
}
