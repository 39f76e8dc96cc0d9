package k6

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/sqs"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// DefaultSlack is how much longer than planned the scenarios of a heat may last. It covers the time between k6's Started and the race
// start that the runner answers, and k6 processes of one heat that start one after the other. Open models end with their last block
// and do not use it up.
const DefaultSlack = 3 * time.Second

// HeatOptions are what a heat's wrapper may be given beside the race and the lanes.
type HeatOptions struct {
	Slack time.Duration // 0: DefaultSlack
	// Requests is how many an iteration makes, as the probe counted; below 1 is taken for 1.
	Requests float64
	// Stock: the wrapper is for a k6 without our extension. Starter is where it asks when the race begins.
	Stock   bool
	Starter string
}

// Heat is a heat written down for k6.
type Heat struct {
	Wrapper string // path of the module to run
	Config  string // path of the stream.Config for our part in k6
	CPUs    int    // for Run.CPUs
	// Notes are what a person should know of how the script's wishes were changed.
	Notes []string

	lanes  []stream.Lane
	plans  map[string]stockPlan // by scenario, for a stock k6
	aborts map[threshold]bool   // the thresholds with abortOnFail
}

// WriteHeat writes what k6 needs for one heat into dir: the wrapper of the script and the configuration. The lanes run are those of
// cfg, in that order: k6 starts scenarios by start time, then by name, so the names begin with the lane's place.
//
// In a probe each scenario runs once, with one VU. Its wrapper tells which of setup and teardown read APP_URL (Process.URLReaders).
func WriteHeat(dir string, def race.Definition, cfg stream.Config, o HeatOptions) (Heat, error) {
	if o.Slack <= 0 {
		o.Slack = DefaultSlack
	}
	_, address, err := locate(def.Script)
	if err != nil {
		return Heat{}, err
	}
	p := placement{def: def, cfg: cfg, slack: o.Slack, functions: wrappedNames(def.Scenarios)}
	if o.Stock {
		p.plans = map[string]stockPlan{}
	}
	h := Heat{lanes: cfg.Lanes, plans: p.plans}
	options, err := h.options(p)
	if err != nil {
		return Heat{}, err
	}
	d, err := p.dialect(o.Starter)
	if err != nil {
		return Heat{}, err
	}
	text, err := wrapper(address, options, p.functions, cfg, d)
	if err != nil {
		return Heat{}, err
	}
	settings, err := json.Marshal(cfg)
	if err != nil {
		return Heat{}, race.Errorf(race.Internal, "", "the heat's configuration: %w", err)
	}
	if h.CPUs, err = cpus(def.Scenarios, cfg.Lanes, o.Requests); err != nil {
		return h, err
	}
	if _, err := write(dir, "environment.js", environmentJS); err != nil {
		return h, err
	}
	if o.Stock {
		if _, err := write(dir, "stock.js", stockJS); err != nil {
			return h, err
		}
	}
	if h.Wrapper, err = write(dir, "wrapper.js", text); err != nil {
		return h, err
	}
	h.Config, err = write(dir, "config.json", string(settings))
	return h, err
}

// options are the k6 options of the heat; it keeps what the script's wishes were changed to.
func (h *Heat) options(p placement) (options map[string]any, err error) {
	options = map[string]any{}
	for key, v := range p.def.Options {
		options[key] = v
	}
	delete(options, "tags") // they go to the scenarios: --tag on the command line replaces them here
	if options["systemTags"], err = systemTags(p.def.Options["systemTags"], p.cfg.Probe, p.plans != nil); err != nil {
		return nil, err
	}
	if options["scenarios"], err = p.scenarios(); err != nil {
		return nil, err
	}
	if p.cfg.Probe {
		return options, nil
	}
	if options["thresholds"], h.aborts, h.Notes, err = laneThresholds(p.def.Thresholds, h.lanes); err != nil {
		return nil, err
	}
	if p.plans != nil {
		err = stockOptions(options, p.def, p.apps(), p.plans)
	}
	return options, err
}

// defaultSystemTags are k6's, but for url: its values would make a time series of every address, and name holds the address too
// unless the script groups addresses.
func defaultSystemTags() []string {
	return []string{
		"proto", "subproto", "status", "method", "name", "group", "check", "error", "error_code", "tls_version", "scenario", "service", "expected_response",
	}
}

// systemTags takes url out, keeps expected_response in (errors are told by it), and gives a probe the url, which shows whom it reached.
// A stock k6 tells dropped iterations apart by their scenario.
func systemTags(raw json.RawMessage, probe, stock bool) ([]string, error) {
	tags := defaultSystemTags()
	if len(raw) > 0 {
		tags = nil
		if err := json.Unmarshal(raw, &tags); err != nil {
			return nil, race.Errorf(race.Invalid, "", "options.systemTags must be a list of strings: %w", err)
		}
	}
	tags = slices.DeleteFunc(tags, func(t string) bool { return t == "url" })
	if !slices.Contains(tags, "expected_response") {
		tags = append(tags, "expected_response")
	}
	if stock && !slices.Contains(tags, "scenario") {
		tags = append(tags, "scenario")
	}
	if probe {
		tags = append(tags, "url")
	}
	return tags, nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_]`)

// wrappedNames gives each function that the scenarios run the name of its wrapped form.
func wrappedNames(scenarios []race.Scenario) map[string]string {
	names, taken := map[string]string{}, map[string]bool{}
	for _, s := range scenarios {
		if names[s.Exec] != "" {
			continue
		}
		name := "pf_" + notInNames.ReplaceAllString(s.Exec, "_")
		for taken[name] {
			name += "_"
		}
		names[s.Exec], taken[name] = name, true
	}
	return names
}

const probeParts = `
// A lane's addresses are set for the scenarios only: a probe tells whether anything else needs them.
const watched = async (name, fn, data) => {
  if (typeof fn !== 'function') return undefined;
  reads.length = 0;
  try {
    return await fn(data);
  } finally {
    if (reads.some((name) => ['APP_URL', 'QUEUE_URL', 'REPLY_URL', '*'].includes(name))) console.warn(%q + name);
  }
};
export async function setup() { return await watched('setup', user.setup); }
export async function teardown(data) { return await watched('teardown', user.teardown, data); }
export const handleSummary = () => ({});
`

const heatParts = `
// Without a summary of the script's own nothing is to be printed.
export const handleSummary = user.handleSummary || (() => ({}));
`

// wrapper is the module that k6 runs instead of the script.
func wrapper(address string, options map[string]any, functions map[string]string, cfg stream.Config, d dialect) (string, error) {
	constant, err := json.MarshalIndent(options, "", "  ")
	if err != nil {
		return "", race.Errorf(race.Internal, "", "the heat's options: %w", err)
	}
	var b strings.Builder
	title := fmt.Sprintf("heat %d", cfg.Heat)
	if cfg.Probe {
		title = "a probe"
	}
	fmt.Fprintf(&b, "// Written by photofinish for %s of race %s. The script itself is not changed.\n", title, cfg.RaceID)
	if cfg.Probe {
		b.WriteString("import { reads } from './environment.js';\n")
	}
	b.WriteString(d.imports)
	if slices.ContainsFunc(cfg.Lanes, func(l stream.Lane) bool { return l.Queue != nil }) { // a worker's metrics have to be known before its lanes' thresholds are
		fmt.Fprintf(&b, "import %q;\n", sqs.ModuleName)
	}
	fmt.Fprintf(&b, "import * as user from %[1]q;\nexport * from %[1]q;\n\nexport const options = %[2]s;\n", address, constant)
	b.WriteString(d.arrive)
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		fmt.Fprintf(&b, "const user_%[1]s = user[%[2]q];\nexport function %[1]s(data) { return ", functions[name], name)
		fmt.Fprintf(&b, d.call, functions[name])
		b.WriteString("; }\n")
	}
	b.WriteString(d.parts)
	return b.String(), nil
}
