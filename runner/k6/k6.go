// Package k6 takes a k6 script to a running k6 process: it asks k6 what the script is (Inspect), writes the wrapper that races it
// (WriteHeat), and starts and conducts the process (Start). What happens inside that process is package stopwatch.
//
// The user's script is never changed or copied: a generated module in a folder of the runner imports it by its file URL, so relative
// imports and open() work as ever. A script must not rely on the names of its scenarios at run time (exec.scenario.name): a heat's
// scenarios are named after the lane and its place in the start order.
package k6

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/confine"
)

// K6 is a k6 that can be run.
type K6 struct {
	// Argv runs k6, for example {"/usr/bin/k6"} or {"/path/photofinish", "k6"}.
	Argv []string
	// WorkDir is where generated files are put. It must exist, and belongs to the runner alone.
	WorkDir string
	// Env is the environment in which k6 runs, and which scripts read in __ENV; nil is the runner's own.
	Env []string
	// Readable are the folders beside WorkDir that scripts may read, by import, open() or otherwise; nil lets them read what the runner's
	// user may. Only a k6 that is this very program can be held to it (see package confine).
	Readable []string
}

// conductor are environment variables that would change what the wrapper's options say, or what k6 tells the runner. The load and
// the outputs of a race are the runner's to choose; everything else of the user's environment reaches k6.
var conductor = []string{
	"K6_VUS", "K6_DURATION", "K6_ITERATIONS", "K6_STAGES", "K6_TAGS", "K6_THRESHOLDS", "K6_NO_THRESHOLDS", "K6_SYSTEM_TAGS",
	"K6_OUT", "K6_PAUSED", "K6_LINGER", "K6_NO_SUMMARY", "K6_SUMMARY_MODE", "K6_SUMMARY_EXPORT", "K6_NEW_MACHINE_READABLE_SUMMARY",
	"K6_TYPE", "K6_LOG_OUTPUT", "K6_LOG_FORMAT", "K6_CONSOLE_OUTPUT", "K6_WEB_DASHBOARD", "K6_INCLUDE_SYSTEM_ENV_VARS",
	"K6_EXECUTION_SEGMENT", "K6_EXECUTION_SEGMENT_SEQUENCE", "PHOTOFINISH_CONFIG", confine.Variable,
}

// environment is the user's, less what belongs to the conductor, plus what keeps k6 from calling home, plus what is asked for.
func environment(own []string, more map[string]string) []string {
	var env []string
	for _, kv := range own {
		name, _, _ := strings.Cut(kv, "=")
		if _, replaced := more[name]; !replaced && !slices.Contains(conductor, name) && !strings.HasPrefix(name, "K6_PROMETHEUS_RW_") {
			env = append(env, kv)
		}
	}
	env = append(env, "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false")
	for name, v := range more {
		env = append(env, name+"="+v)
	}
	return env
}

// command makes the command that runs k6 with args, in the environment env.
func (k K6) command(ctx context.Context, make func(context.Context, []string) *exec.Cmd, args []string, env map[string]string) (*exec.Cmd, error) {
	if len(k.Argv) == 0 {
		return nil, race.Errorf(race.Internal, "", "it is not said how to run k6")
	}
	if make == nil {
		make = func(ctx context.Context, argv []string) *exec.Cmd {
			return exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the runner runs itself
		}
	}
	cmd := make(ctx, slices.Concat(k.Argv, args))
	if cmd.Env == nil {
		cmd.Env = k.Env
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = environment(cmd.Env, env)
	if k.Readable != nil {
		cmd.Env = append(cmd.Env, confine.Env(k.Readable, k.WorkDir))
	}
	return cmd, nil
}

// locate finds a script and gives its path and its file URL.
func locate(script string) (path, address string, err error) {
	path, err = filepath.Abs(script)
	if err != nil {
		return "", "", race.Errorf(race.Invalid, "", "script %s: %w", script, err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", "", race.Errorf(race.Invalid, "check the path; it is taken from the current folder", "no such script: %s", script)
	case err != nil:
		return "", "", race.Errorf(race.Invalid, "", "the script cannot be read: %w", err)
	case info.IsDir():
		return "", "", race.Errorf(race.Invalid, "name the script in it", "%s is a folder, not a k6 script", script)
	}
	return path, (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String(), nil
}

func write(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", race.Errorf(race.Unavailable, "is the disk full, or the folder not writable?", "write the files of k6: %w", err)
	}
	return path, nil
}

// machine are variables that describe this machine, and mean nothing, or something else, in a container.
var machine = []string{
	"PATH", "HOME", "PWD", "OLDPWD", "SHELL", "USER", "LOGNAME", "HOSTNAME", "TMPDIR", "TERM", "DISPLAY", "GOMAXPROCS", "GOMEMLIMIT", "SHLVL", "_",
}

// stockConductor are variables that would keep the wrapper of a stock k6 from doing its part.
var stockConductor = []string{"K6_NO_SETUP", "K6_SUMMARY_TREND_STATS"}

// ScriptEnv is the environment for a k6 on another file system: what scripts may read, without what describes this machine.
func (k K6) ScriptEnv() []string {
	own := k.Env
	if own == nil {
		own = os.Environ()
	}
	return slices.DeleteFunc(environment(own, nil), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(machine, name) || slices.Contains(stockConductor, name) || strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "XDG_") || strings.HasPrefix(name, "DOCKER_")
	})
}

// RemoteWriteEnv tells k6's own output experimental-prometheus-rw where to push, and how the comparison reads it.
func RemoteWriteEnv(url string) map[string]string {
	return map[string]string{
		"K6_PROMETHEUS_RW_SERVER_URL": url, "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM": "true", "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1s", "K6_PROMETHEUS_RW_STALE_MARKERS": "true",
	}
}
