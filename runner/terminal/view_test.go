package terminal_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/runner/terminal"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to make it")
	require.Equal(t, string(want), got)
}

func number(v float64) *float64 { return &v }

// shot is the race in its third of eight heats: one app waits for its turn, one is out.
func shot(elapsed time.Duration) race.Snapshot {
	return race.Snapshot{
		Status: race.Racing, Phase: "race", Heat: 3, Heats: 8, Mode: race.Turns, Elapsed: elapsed, Remaining: 2 * time.Minute,
		Lanes: []race.LaneSnapshot{
			{App: "control", Baseline: true, Place: 1, Requests: 5123, Rate: 200.4, P95MS: .93, CPUCores: number(.042), CPULimit: number(.5), MemoryBytes: number(14.2e6), MemoryLimit: number(128 << 20), Done: .33, Racing: true},
			{App: "high-latency", Place: 3, Requests: 5100, Rate: 199.6, P95MS: 103, CPUCores: number(.044), CPULimit: number(.5), MemoryBytes: number(15.2e6), MemoryLimit: number(128 << 20), Done: .33, Racing: true},
			{App: "high-cpu", Place: 2, Requests: 15120, Rate: 199, P95MS: 6.9, CPUCores: number(.48), CPULimit: number(.5), MemoryBytes: number(14.2e6), Done: .31},
			{App: "memory-leak", Requests: 2120, Failed: 20, ErrorRate: .0094, Done: .12, Out: "memory, 12 s", CPULimit: number(.5)},
		},
	}
}

// clock moves a second at each look, so that no frame comes too fast.
func clock() func() time.Time {
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	return func() time.Time { now = now.Add(time.Second); return now }
}

func screenOf(width, height int) func() (int, int) {
	return func() (int, int) { return width, height }
}

func TestFramesLookAsTheyShould(t *testing.T) {
	for _, width := range []int{60, 100, 160} {
		e := &emulator{t: t}
		v := terminal.New(e, terminal.Options{TTY: true, Size: screenOf(width, 40), Colour: terminal.TrueColour, Now: clock()})
		v.Plan("4 apps, 8 heats of 10 s, about 2 min 40 s")
		v.Status(race.Preparing, "getting the apps ready")
		v.Progress(shot(41 * time.Second))
		golden(t, fmt.Sprintf("frame-%d.txt", width), e.String())
		require.LessOrEqual(t, e.widest, width)
		require.NoError(t, v.Close())
	}
}

func TestEveryWidthFits(t *testing.T) {
	for width := 60; width <= 200; width++ {
		e := &emulator{t: t}
		v := terminal.New(e, terminal.Options{TTY: true, Size: screenOf(width, 40), Now: clock()})
		v.Progress(shot(41 * time.Second))
		require.Less(t, e.widest, width, "a line as wide as the window may break")
		require.NoError(t, v.Close())
	}
}

func TestFramesReplaceEachOther(t *testing.T) {
	e := &emulator{t: t}
	width := 120
	v := terminal.New(e, terminal.Options{TTY: true, Size: func() (int, int) { return width, 40 }, Now: clock()})
	v.Plan("the plan")
	for i := range 5 {
		v.Progress(shot(time.Duration(i) * time.Second))
	}
	require.Equal(t, 1, strings.Count(e.String(), "heat 3 of 8"), e.String())
	v.Log("high-cpu is slow today")
	require.Regexp(t, `(?s)^the plan\nhigh-cpu is slow today\nRacing`, e.String(), "lines that stay stand above the frame")

	width = 70
	e.reflow(width)
	v.Progress(shot(6 * time.Second))
	require.Equal(t, 1, strings.Count(e.String(), "heat 3 of 8"), "a narrower window leaves nothing of the frame before\n"+e.String())
	require.Contains(t, e.String(), "the plan\nhigh-cpu is slow today\n")
}

func TestALowWindowSaysWhatItLeavesOut(t *testing.T) {
	e := &emulator{t: t}
	v := terminal.New(e, terminal.Options{TTY: true, Size: screenOf(70, 9), Now: clock()})
	for i := range 3 {
		v.Progress(shot(time.Duration(i) * time.Second))
	}
	require.Contains(t, e.String(), "and 3 lanes more: the window is too low")
	require.Equal(t, 1, strings.Count(e.String(), "heat 3 of 8"))
	require.LessOrEqual(t, len(e.rows), 9)
}

func TestTheCursorComesBack(t *testing.T) {
	for name, end := range map[string]func(*terminal.View){
		"on close":  func(v *terminal.View) { _ = v.Close() },
		"on finish": func(v *terminal.View) { _ = v.Finish(racetest.FourApps().Race) },
		"on close after finish and finish after close": func(v *terminal.View) {
			_ = v.Close()
			_ = v.Finish(racetest.FourApps().Race)
			_ = v.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := &emulator{t: t}
			v := terminal.New(e, terminal.Options{TTY: true, Size: screenOf(100, 40), Now: clock()})
			v.Progress(shot(0))
			require.True(t, e.hidden)
			end(v)
			require.False(t, e.hidden)
		})
	}
}

func TestFramesComeAtMostTenTimesASecond(t *testing.T) {
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	var b bytes.Buffer
	v := terminal.New(&b, terminal.Options{TTY: true, Size: screenOf(100, 40), Now: func() time.Time { return now }})
	frames := 0
	for range 100 { // one second
		before := b.Len()
		v.Progress(shot(0))
		if b.Len() > before {
			frames++
		}
		now = now.Add(10 * time.Millisecond)
	}
	require.Equal(t, 10, frames)
}

func TestPlainLines(t *testing.T) {
	var b bytes.Buffer
	v := terminal.New(&b, terminal.Options{Colour: terminal.TrueColour})
	v.Plan("4 apps, 8 heats of 10 s, about 2 min 40 s")
	v.Status(race.Preparing, "getting the apps ready")
	for s := range 24 {
		at := shot(time.Duration(s) * time.Second)
		at.Heat = 1 + s/12
		if s%12 == 0 {
			v.Status(race.WarmingUp, fmt.Sprintf("heat %d of 8", at.Heat))
			v.Status(race.Racing, "")
		}
		v.Progress(at)
	}
	last := shot(24 * time.Second)
	last.Heat, last.Phase = 2, "done"
	v.Progress(last)
	v.Status(race.Collecting, "")
	v.Log("memory-leak is out of the race: \x1b[2Jmemory\u202e, 12 s")
	require.NoError(t, v.Close())
	require.NotContains(t, b.String(), "\x1b", "no escape codes")
	golden(t, "plain.txt", b.String())
}

func TestResult(t *testing.T) {
	r := racetest.FourApps().Race
	for _, width := range []int{80, 160} {
		var b bytes.Buffer
		o := terminal.Options{TTY: true, Size: screenOf(width, 40)}
		require.NoError(t, terminal.WriteResult(&b, r, o, "races/x/race.json", "races/x/report.html"))
		golden(t, fmt.Sprintf("result-%d.txt", width), b.String())
	}
	for width := 60; width <= 200; width++ {
		var b bytes.Buffer
		require.NoError(t, terminal.WriteResult(&b, r, terminal.Options{TTY: true, Size: screenOf(width, 40)}))
		for _, l := range strings.Split(b.String(), "\n") {
			require.Less(t, len([]rune(l)), width, l)
		}
	}
}

func TestResultOfARaceThatFailed(t *testing.T) {
	r := racetest.FourApps().Race
	sentence := "k6 was killed in heat 3"
	r.Status, r.Error, r.Verdicts, r.Heats = race.Failed, &sentence, nil, r.Heats[:3]
	r.Lanes[3].Exit = &race.Exit{Reason: race.OOM}
	r.Lanes[2].Measures = nil
	r.Audit.Fair = false
	r.Audit.Findings = append(r.Audit.Findings, race.Finding{Lane: "memory-leak", Kind: race.OutOfMemory, Severity: race.Unfair, Detail: "the kernel ended it\x1b[2J"})
	var b bytes.Buffer
	require.NoError(t, terminal.WriteResult(&b, r, terminal.Options{Colour: terminal.TrueColour}))
	require.NotContains(t, b.String(), "\x1b", "a file gets no escape codes, its own or foreign")
	golden(t, "failed.txt", b.String())
}

func TestASCIIKeepsTo7Bits(t *testing.T) {
	var b bytes.Buffer
	o := terminal.Options{TTY: true, ASCII: true, Size: screenOf(110, 40), Now: clock()}
	v := terminal.New(&b, o)
	v.Progress(shot(0))
	require.NoError(t, v.Finish(racetest.FourApps().Race))
	for _, r := range b.String() {
		require.LessOrEqual(t, r, rune(127), "%q", r)
	}
}

func TestColoursDependOnTheTerminal(t *testing.T) {
	for depth, want := range map[terminal.Depth]string{terminal.TrueColour: "\x1b[38;2;126;178;109m", terminal.Colours256: "\x1b[38;5;107m"} {
		var b bytes.Buffer
		v := terminal.New(&b, terminal.Options{TTY: true, Colour: depth, Size: screenOf(110, 40), Now: clock()})
		v.Progress(shot(0))
		require.Contains(t, b.String(), want)
	}
	var b bytes.Buffer
	v := terminal.New(&b, terminal.Options{TTY: true, Size: screenOf(110, 40), Now: clock()})
	v.Progress(shot(0))
	require.NotRegexp(t, `\x1b\[[0-9;]*m`, b.String())
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the pipe is closed") }

func TestABrokenPipeIsToldOnce(t *testing.T) {
	v := terminal.New(broken{}, terminal.Options{TTY: true, Size: screenOf(110, 40), Now: clock()})
	v.Progress(shot(0))
	v.Progress(shot(1))
	require.EqualError(t, v.Close(), "the pipe is closed")
}

func TestDetect(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer f.Close()
	env := map[string]string{"LC_ALL": "C", "COLORTERM": "truecolor"}
	o := terminal.Detect(f, func(k string) string { return env[k] })
	require.False(t, o.TTY, "a file is no terminal")
	require.Equal(t, terminal.NoColour, o.Colour)
	require.True(t, o.ASCII)
	env["LC_ALL"] = "de_DE.UTF-8"
	require.False(t, terminal.Detect(f, func(k string) string { return env[k] }).ASCII)
}

func TestResultOfARaceForCapacities(t *testing.T) {
	for _, width := range []int{60, 80, 160} {
		var b bytes.Buffer
		require.NoError(t, terminal.WriteResult(&b, racetest.Capacity(), terminal.Options{TTY: true, Size: screenOf(width, 40)}))
		text := strings.Join(strings.Fields(b.String()), " ")
		require.Contains(t, text, "Capacity ● control holds 480 req/s [470, 490], found in 11 tries; beyond it latency_p95<60: 198 ms ● high-cpu holds 121 req/s [119, 123]")
		require.Contains(t, text, "high-cpu holds less load than control: capacity × 0.252 [0.245, 0.259]. A capacity is the highest rate that keeps latency_p95<60 and error_rate<0.01, with its 95% interval.")
		for _, l := range strings.Split(b.String(), "\n") {
			require.Less(t, len([]rune(l)), width, l)
		}
	}
}
