package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/photofinish/photofinish/pkg/race"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

// tenMinutes of racing are 42 heats of 10 s with 3 s of warm-up, and about a second to change apps. shortRace is what -short runs instead.
const (
	tenMinutes = 42
	shortRace  = 4
	// ticks of /proc/<pid>/stat per second; Linux shows 100 to user space on every architecture that Go knows.
	ticks = 100
)

// fourLanes is a race of sample apps, which the runner finds built, at 250 requests a second each.
const fourLanes = `import http from 'k6/http';
const lane = (app, port) => ({ command: [app], port, path: '/' + app, cpus: 0.5, memory: '128m' });
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 250, timeUnit: '1s', duration: '10s', preAllocatedVUs: 20 } },
  ext: { photofinish: { mode: 'together', lanes: {
    a: lane(%q, %d), b: lane(%q, %d), c: lane(%q, %d), d: lane(%q, %d),
  } } },
};
export default function () { http.get(__ENV.APP_URL); }
`

// BenchmarkRunner runs one race of ten minutes in a terminal and reports what the runner itself used: the CPU while the lanes raced, over
// all heats, and the highest memory of all the race, report included. k6 and the apps are processes of their own and not in it.
func BenchmarkRunner(b *testing.B) {
	p := build(b)
	heats := tenMinutes
	if testing.Short() {
		heats = shortRace
	}
	for b.Loop() {
		began := time.Now()
		u := watchRace(b, p, [4]string{"control", "control", "control", "control"}, "--heats", strconv.Itoa(heats))
		sayLoad(b)
		require.Len(b, u.record.Heats, heats)
		var cores, racing float64
		for _, h := range u.record.Heats {
			cores += u.cpuBetween(*h.StartedAt, *h.FinishedAt)
			racing += h.FinishedAt.Sub(*h.StartedAt).Seconds()
		}
		b.ReportMetric(cores/racing, "cores")
		b.ReportMetric(u.peakMB, "peak-MB")
		b.ReportMetric(time.Since(began).Minutes(), "minutes")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFirstRequest reports the time from the command to the start of the first heat, less its warm-up; the median of five races.
func BenchmarkFirstRequest(b *testing.B) {
	p := build(b)
	flags := []string{"--rate", "50", "--heats", "1", "--duration", "1s", "--warmup", "1s"}
	for b.Loop() {
		var took []float64
		apps := [4]string{"control", "high-latency", "high-cpu", "memory-leak"}
		watchRace(b, p, apps, flags...) // builds the sample apps
		for range rounds(b) {
			u := watchRace(b, p, apps, flags...)
			took = append(took, (u.record.Heats[0].StartedAt.Sub(u.started) - time.Second).Seconds())
		}
		sayLoad(b)
		report(b, "start-s", took)
	}
	b.ReportMetric(0, "ns/op")
}

// use is what was seen of a runner.
type use struct {
	started time.Time
	record  race.Race
	cpu     []reading
	peakMB  float64
}

type reading struct {
	at  time.Time
	cpu float64 // seconds since the start
}

// cpuBetween interpolates between the two readings around each moment.
func (u use) cpuBetween(from, to time.Time) float64 { return u.cpuAt(to) - u.cpuAt(from) }

func (u use) cpuAt(t time.Time) float64 {
	var last reading
	for _, r := range u.cpu {
		if r.at.After(t) {
			share := t.Sub(last.at).Seconds() / r.at.Sub(last.at).Seconds()
			return last.cpu + share*(r.cpu-last.cpu)
		}
		last = r
	}
	return last.cpu
}

// watchRace runs `photofinish race` in a terminal and reads what the process uses until it ends.
func watchRace(b *testing.B, p programs, apps [4]string, flags ...string) use {
	b.Helper()
	var lanes []any
	for _, app := range apps {
		lanes = append(lanes, app, enginetest.FreePort(b))
	}
	return watchScript(b, p, fmt.Sprintf(fourLanes, lanes...), flags...)
}

// watchScript does so with a script.
func watchScript(b *testing.B, p programs, text string, flags ...string) use {
	b.Helper()
	dir := b.TempDir()
	script := filepath.Join(dir, "race.js")
	require.NoError(b, os.WriteFile(script, []byte(text), 0o600))
	screen, tty := terminal(b)
	cmd := exec.CommandContext(b.Context(), p.runner, append([]string{"race", script, "--out", filepath.Join(dir, "out")}, flags...)...)
	cmd.Dir = module // beside which the sample apps are found
	cmd.Env = append(without(os.Environ(), "GOMAXPROCS"), "TERM=xterm-256color", "COLORTERM=truecolor")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	shown := make(chan string)
	go func() { shown <- tail(screen) }()
	u := use{started: time.Now()}
	require.NoError(b, cmd.Start())
	require.NoError(b, tty.Close())
	ended := make(chan error)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			u.read(cmd.Process.Pid)
		case err := <-ended:
			require.NoError(b, err, "%s", <-shown)
			raw, err := os.ReadFile(filepath.Join(dir, "out", "race.json"))
			require.NoError(b, err)
			require.NoError(b, json.Unmarshal(raw, &u.record))
			return u
		}
	}
}

// read reads the CPU and the memory of a process; of one that has just ended there is nothing to read.
func (u *use) read(pid int) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return
	}
	// The name of the program, in parentheses, may hold spaces. Fields 14 and 15 are user and system time.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	u.cpu = append(u.cpu, reading{time.Now(), (user + system) / ticks})
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return
	}
	if _, rest, found := strings.Cut(string(status), "VmHWM:"); found {
		kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		u.peakMB = max(u.peakMB, kb/1024)
	}
}

// terminal makes a terminal of 120 columns, so that the live view draws as it does for a person.
func terminal(b *testing.B) (screen, tty *os.File) {
	b.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(b, err)
	b.Cleanup(func() { _ = screen.Close() })
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	require.NoError(b, err)
	require.NoError(b, unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0))
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(b, err)
	require.NoError(b, unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 120}))
	return screen, tty
}

// tail reads until nobody writes any more, and keeps the end.
func tail(r io.Reader) string {
	var last []byte
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		last = append(last, buf[:n]...)
		if over := len(last) - 4096; over > 0 {
			last = last[over:]
		}
		if err != nil {
			return string(last)
		}
	}
}
