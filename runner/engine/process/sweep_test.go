package process_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/engine/process"
	"github.com/photofinish/photofinish/runner/ledger"
)

// These make the test binary a runner that starts two lanes and waits to be killed.
const (
	runnerRace    = "PHOTOFINISH_TEST_RUNNER_RACE"
	runnerDir     = "PHOTOFINISH_TEST_RUNNER_DIR"
	runnerCgroups = "PHOTOFINISH_TEST_RUNNER_CGROUPS"
)

func runnerMain() {
	if id := os.Getenv(runnerRace); id != "" {
		fmt.Fprintln(os.Stdout, run(id, os.Getenv(runnerDir), os.Getenv(runnerCgroups) != ""))
		time.Sleep(time.Hour)
	}
}

func run(id, dir string, cgroups bool) string {
	ctx := context.Background()
	races, err := ledger.Open(filepath.Join(dir, "ledger"))
	if err != nil {
		return err.Error()
	}
	if err := races.Add(id, filepath.Join(dir, "out"), filepath.Join(dir, "temp")); err != nil {
		return err.Error()
	}
	o := process.Options{Ledger: races}
	if cgroups {
		o.Cgroups = cgroup.New()
	}
	e, err := process.New(o)
	if err != nil {
		return err.Error()
	}
	var lanes []race.LaneSpec
	for _, kind := range []enginetest.Kind{enginetest.Forker, enginetest.Deaf} {
		spec := self(kind)
		spec.App = string(kind)
		lanes = append(lanes, spec)
	}
	if err := e.Prepare(ctx, id, lanes, func(string) {}); err != nil {
		return err.Error()
	}
	for _, spec := range lanes {
		l, err := e.Start(ctx, id, 1, spec)
		if err != nil {
			return err.Error()
		}
		if err := engine.WaitHealthy(ctx, l, spec); err != nil {
			return err.Error()
		}
	}
	if g, ok, err := e.StopwatchGroup(id, cgroup.Limits{}); err != nil {
		return err.Error()
	} else if ok {
		if err := g.Command(ctx, []string{"sleep", "1000"}).Start(); err != nil {
			return err.Error()
		}
	}
	return "racing"
}

func TestKilledRunner(t *testing.T) {
	for name, cgroups := range map[string]string{"with cgroups": "yes", "without cgroups": ""} {
		t.Run(name, func(t *testing.T) {
			o := process.Options{}
			if cgroups != "" {
				o.Cgroups = needCgroups(t)
			}
			dir, id := t.TempDir(), fmt.Sprintf("killed-%d-%d", os.Getpid(), time.Now().UnixNano())
			require.NoError(t, os.Mkdir(filepath.Join(dir, "temp"), 0o700))
			o.Ledger = openLedger(t, dir)
			e := newEngine(t, o)
			defer func() { require.NoError(t, e.Cleanup(t.Context(), id)) }()

			runner := exec.CommandContext(t.Context(), os.Args[0])
			runner.Env = append(os.Environ(), runnerRace+"="+id, runnerDir+"="+dir, runnerCgroups+"="+cgroups)
			said, err := runner.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, runner.Start())
			line, err := bufio.NewReader(said).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "racing", strings.TrimSpace(line))
			require.NotEmpty(t, left(t, id))

			swept, err := e.Sweep(t.Context())
			require.NoError(t, err)
			require.Empty(t, swept, "a race whose runner lives is not touched")
			dead, err := o.Ledger.Dead()
			require.NoError(t, err)
			require.Empty(t, dead)

			require.NoError(t, runner.Process.Kill())
			_ = runner.Wait() // "signal: killed"
			require.Eventually(t, func() bool { return len(marked(t, id)) == 1 }, 5*time.Second, time.Millisecond,
				"the kernel ends the lanes with the runner; only the child that one forked lives on")
			dead, err = o.Ledger.Dead()
			require.NoError(t, err)
			require.Len(t, dead, 1)
			require.Equal(t, id, dead[0].RaceID)
			require.Equal(t, filepath.Join(dir, "out"), dead[0].OutDir)

			swept, err = e.Sweep(t.Context())
			require.NoError(t, err)
			require.Equal(t, []string{id}, swept)
			require.Empty(t, left(t, id))
			require.NoDirExists(t, filepath.Join(dir, "temp"))
			swept, err = e.Sweep(t.Context())
			require.NoError(t, err)
			require.Empty(t, swept, "nothing is found twice")
		})
	}
}
