package k6

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/sqs"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"go.k6.io/k6/metrics"
)

// laneThresholds copies the thresholds for every lane, so that no lane hides behind another, and for the race only, so that the warm-up
// does not count. They are judged at the end of each heat: k6 can only abort a whole run, so abortOnFail is taken out, and told in notes; aborts
// holds these conditions by their submetrics, see threshold.
func laneThresholds(all map[string]json.RawMessage, lanes []stream.Lane) (out map[string][]any, aborts map[threshold]bool, notes []string, err error) {
	out, aborts = map[string][]any{}, map[threshold]bool{}
	apps := Part{Config: stream.Config{Lanes: lanes}}.Apps()
	for _, expression := range slices.Sorted(maps.Keys(all)) {
		metric, tags, err := metrics.ParseMetricName(expression)
		if err != nil {
			return nil, nil, nil, race.Errorf(race.Invalid, "", "options.thresholds: %q is not readable: %w", expression, err)
		}
		conditions, err := readConditions(all[expression])
		if err != nil {
			return nil, nil, nil, race.Errorf(race.Invalid, "", "options.thresholds.%s: %w", expression, err)
		}
		if slices.ContainsFunc(conditions, condition.aborts) {
			notes = append(notes, fmt.Sprintf("threshold on %s: abortOnFail would end the race of every lane; it is judged at the end of each heat instead, and retires its own", expression))
		}
		for _, name := range perLane(metric, tags, apps) {
			for _, c := range conditions {
				out[name] = append(out[name], c.Threshold)
				if c.AbortOnFail {
					aborts[threshold{name, c.Threshold}] = true
				}
			}
		}
	}
	for _, l := range lanes { // without conditions: k6 then counts them apart in its summary
		requests, failed := counters(l)
		for _, metric := range []string{requests, failed} {
			name := submetric(metric, l.App)
			if out[name] == nil {
				out[name] = []any{}
			}
		}
	}
	return out, aborts, notes, nil
}

// threshold is a condition on a metric as k6 names it, with its tags.
type threshold struct{ metric, condition string }

// Judged is a threshold as k6 judged it at the end of a heat.
type Judged struct {
	App string // "" for what k6 counts for all lanes together
	// Condition is what the script asked for, as "http_req_failed: rate<0.5", with the tags that are not those of every lane.
	Condition string
	// Abort: abortOnFail was asked for.
	Abort bool
	// Crossed: the metric did not keep to it.
	Crossed bool
}

// judged reads a threshold of the heat's submetrics.
func (h Heat) judged(metric, text string, crossed bool) Judged {
	c := Judged{Condition: metric + ": " + text, Abort: h.aborts[threshold{metric, text}], Crossed: crossed}
	name, tags, err := metrics.ParseMetricName(metric)
	if err != nil {
		return c
	}
	tags = slices.DeleteFunc(tags, func(tag string) bool {
		app, is := strings.CutPrefix(tag, "app:")
		if is {
			c.App = app
		}
		return is || tag == phaseRace
	})
	c.Condition = named(name, tags) + ": " + text
	return c
}

// The metrics that k6's end-of-test summary is asked to count for each lane.
const (
	requestsMetric = "http_reqs"
	failedMetric   = "http_req_failed"
)

// counters are the metrics that count a lane's requests, and those of them that failed.
func counters(l stream.Lane) (requests, failed string) {
	if l.Queue != nil {
		return sqs.RequestsMetric, sqs.FailedMetric
	}
	return requestsMetric, failedMetric
}

func submetric(metric, app string) string {
	return named(metric, []string{"app:" + app, phaseRace})
}

// phaseRace is the tag of what counts.
const phaseRace = "phase:race"

// perLane names the submetrics that a threshold's metric becomes. A threshold for an app that is not raced here becomes none.
func perLane(metric string, tags, apps []string) []string {
	if metric == "vus" || metric == "vus_max" { // k6 counts these for the whole process only
		return []string{named(metric, tags)}
	}
	var own string
	phase := phaseRace
	var others []string
	for _, tag := range tags {
		key, v, _ := strings.Cut(tag, ":")
		switch key {
		case "app":
			own = v
		case "phase":
			phase = tag
		default:
			others = append(others, tag)
		}
	}
	var names []string
	for _, app := range apps {
		if own == "" || own == app {
			names = append(names, named(metric, append([]string{"app:" + app, phase}, others...)))
		}
	}
	return names
}

func named(metric string, tags []string) string {
	if len(tags) == 0 {
		return metric
	}
	return metric + "{" + strings.Join(tags, ",") + "}"
}

// condition is one of a metric's thresholds.
type condition struct {
	Threshold   string `json:"threshold"`
	AbortOnFail bool   `json:"abortOnFail"`
}

func (c condition) aborts() bool { return c.AbortOnFail }

// readConditions reads a list of conditions, each a string or an object.
func readConditions(raw json.RawMessage) ([]condition, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("must be a list of conditions: %w", err)
	}
	conditions := make([]condition, len(list))
	for i, item := range list {
		if json.Unmarshal(item, &conditions[i].Threshold) == nil {
			continue
		}
		if err := json.Unmarshal(item, &conditions[i]); err != nil {
			return nil, fmt.Errorf("a condition must be a string or {threshold, abortOnFail, delayAbortEval}: %w", err)
		}
	}
	return conditions, nil
}
