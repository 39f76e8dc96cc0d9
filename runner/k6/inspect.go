package k6

import (
	"bytes"
	"context"
	_ "embed" // for environment.js
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// The variables that tell a script the address of its lane's app, or those of a worker's queues.
const (
	appURL   = "APP_URL"
	queueURL = "QUEUE_URL"
	replyURL = "REPLY_URL"
)

// laneVariables are all of them.
var laneVariables = []string{appURL, queueURL, replyURL}

// LaneEnv is what a script, and a worker, is told of a lane.
func LaneEnv(l stream.Lane) map[string]string {
	if l.Queue != nil {
		return map[string]string{queueURL: l.Queue.Requests, replyURL: l.Queue.Replies}
	}
	return map[string]string{appURL: l.URL}
}

// nowhere stands for an app's address while a script that insists on one is inspected. Nothing is ever sent there.
const nowhere = "http://127.0.0.1:1/"

//go:embed environment.js
var environmentJS string

// Inspection is what k6 knows of a script.
type Inspection struct {
	// Options are the script's options as k6 understands them: durations as strings, null for what is not set.
	Options json.RawMessage
	// InitReads names the environment variables that are read while the script is loaded; "*" is a look at all of them.
	InitReads []string
	// Exports names the exported functions, by the alphabet.
	Exports []string
	// HasDefault says whether the default export is a function.
	HasDefault bool
	// LaneOrder names the keys of options.ext.photofinish.lanes as the script orders them; k6's JSON sorts them.
	LaneOrder []string
}

// ReadsURLAtInit says whether the script looks at APP_URL, or at a worker's queues, while it is loaded. k6 sets a scenario's own value only later, so such
// a script needs a k6 process for each lane.
func (i Inspection) ReadsURLAtInit() bool {
	return slices.ContainsFunc(i.InitReads, func(name string) bool { return name == "*" || slices.Contains(laneVariables, name) })
}

// probeReport is what the probe's options.ext.photofinishProbe says.
type probeReport struct {
	InitReads   []string `json:"initReads"`
	Exports     []string `json:"exports"`
	HasDefault  bool     `json:"hasDefault"`
	LaneOrder   []string `json:"laneOrder"`
	OptionsKind string   `json:"optionsKind"`
}

// %[1]q is the script's URL.
const probeJS = `import { reads } from './environment.js';
import * as user from %[1]q;
export * from %[1]q;

const initReads = reads.slice();
const own = user.options;
const kind = own === undefined || own === null ? 'none' : Array.isArray(own) ? 'array' : typeof own;
const usable = kind === 'object' ? own : {};
const lanes = ((usable.ext || {}).photofinish || {}).lanes;
export const options = Object.assign({}, usable, {
  ext: Object.assign({}, usable.ext, {
    photofinishProbe: {
      initReads,
      exports: Object.keys(user).filter((name) => typeof user[name] === 'function').sort(),
      hasDefault: typeof user.default === 'function',
      laneOrder: lanes && typeof lanes === 'object' ? Object.keys(lanes) : [],
      optionsKind: kind,
    },
  }),
});
export default function () {}
`

// Inspect loads a script in k6 without running it. The error's code is race.Invalid where the script is not there or k6 does not
// understand its options, and race.Unavailable where it cannot be loaded; it quotes k6.
func (k K6) Inspect(ctx context.Context, script string, env map[string]string) (Inspection, error) {
	_, address, err := locate(script)
	if err != nil {
		return Inspection{}, err
	}
	dir, err := os.MkdirTemp(k.WorkDir, "inspect-")
	if err != nil {
		return Inspection{}, race.Errorf(race.Unavailable, "", "make a folder for k6: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left goes with the work folder
	if _, err := write(dir, "environment.js", environmentJS); err != nil {
		return Inspection{}, err
	}
	probe, err := write(dir, "probe.js", fmt.Sprintf(probeJS, address))
	if err != nil {
		return Inspection{}, err
	}
	found, err := k.inspect(ctx, probe, script, env)
	if _, given := env[appURL]; err == nil || given || os.Getenv(appURL) != "" || race.CodeOf(err) != race.Unavailable {
		return found, err
	}
	// The script may insist on an address. If it loads with one, it has read it.
	withURL := map[string]string{appURL: nowhere}
	for name, v := range env {
		withURL[name] = v
	}
	again, errAgain := k.inspect(ctx, probe, script, withURL)
	if errAgain != nil {
		return Inspection{}, err
	}
	if !again.ReadsURLAtInit() {
		again.InitReads = append(again.InitReads, appURL)
	}
	return again, nil
}

func (k K6) inspect(ctx context.Context, probe, script string, env map[string]string) (Inspection, error) {
	cmd, err := k.command(ctx, nil, []string{"inspect", "--include-system-env-vars", "--log-output=stderr", "--log-format=json", probe}, env)
	if err != nil {
		return Inspection{}, err
	}
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	isolate(cmd) // a script may loop while it is loaded, and must not outlive a runner that is killed
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return Inspection{}, fmt.Errorf("inspect %s: %w", script, context.Cause(ctx))
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return Inspection{}, race.Errorf(race.Unavailable, "", "k6 cannot be started: %w", err)
		}
		said := NewLog()
		for line := range bytes.Lines(log.Bytes()) {
			said.take(bytes.TrimSpace(line))
		}
		code := race.Unavailable
		if exit.ExitCode() == invalidConfig {
			code = race.Invalid
		}
		return Inspection{}, race.Errorf(code, "", "%s cannot be loaded: %s", script,
			first(without(said.lastError(), filepath.Dir(probe)), err.Error()))
	}
	return parseInspection(out.Bytes(), script)
}

func parseInspection(text []byte, script string) (Inspection, error) {
	var options map[string]json.RawMessage
	var extensions map[string]json.RawMessage
	var report probeReport
	err := json.Unmarshal(text, &options)
	if err == nil {
		err = json.Unmarshal(options["ext"], &extensions)
	}
	if err == nil {
		err = json.Unmarshal(extensions["photofinishProbe"], &report)
	}
	if err != nil {
		return Inspection{}, race.Errorf(race.Internal, "", "what k6 inspect says of %s cannot be read: %w", script, err)
	}
	if report.OptionsKind != "object" && report.OptionsKind != "none" {
		return Inspection{}, race.Errorf(race.Invalid, "write export const options = { … }", "%s: options must be an object; it is of the type %s", script, report.OptionsKind)
	}
	delete(extensions, "photofinishProbe")
	if options["ext"], err = json.Marshal(extensions); err != nil {
		return Inspection{}, fmt.Errorf("options of %s: %w", script, err)
	}
	all, err := json.Marshal(options)
	if err != nil {
		return Inspection{}, fmt.Errorf("options of %s: %w", script, err)
	}
	return Inspection{Options: all, InitReads: report.InitReads, Exports: report.Exports, HasDefault: report.HasDefault, LaneOrder: report.LaneOrder}, nil
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
