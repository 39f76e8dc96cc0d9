package k6

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"go.k6.io/k6/metrics"
)

// laneThresholds copies the thresholds for every lane, so that no lane hides behind another, and for the race only, so that the warm-up
// does not count. They are judged at the end of each heat: k6 can only abort a whole run, so abortOnFail is taken out, and told in notes; see Retired.
func laneThresholds(all map[string]json.RawMessage, apps []string) (out map[string][]any, notes []string, err error) {
	out = map[string][]any{}
	for _, expression := range slices.Sorted(maps.Keys(all)) {
		metric, tags, err := metrics.ParseMetricName(expression)
		if err != nil {
			return nil, nil, race.Errorf(race.Invalid, "", "options.thresholds: %q is not readable: %w", expression, err)
		}
		conditions, aborts, err := withoutAbort(all[expression])
		if err != nil {
			return nil, nil, race.Errorf(race.Invalid, "", "options.thresholds.%s: %w", expression, err)
		}
		if len(aborts) > 0 {
			notes = append(notes, fmt.Sprintf("threshold on %s: abortOnFail would end the race of every lane; it takes its lane out at the end of a heat instead", expression))
		}
		for _, name := range perLane(metric, tags, apps) {
			out[name] = append(out[name], conditions...)
		}
	}
	for _, app := range apps { // without conditions: k6 then counts them apart in its summary
		for _, metric := range []string{requestsMetric, failedMetric} {
			name := submetric(metric, app)
			if out[name] == nil {
				out[name] = []any{}
			}
		}
	}
	return out, notes, nil
}

// The metrics that k6's end-of-test summary is asked to count for each lane.
const (
	requestsMetric = "http_reqs"
	failedMetric   = "http_req_failed"
)

func submetric(metric, app string) string {
	return fmt.Sprintf("%s{app:%s,phase:race}", metric, app)
}

// perLane names the submetrics that a threshold's metric becomes. A threshold for an app that is not raced here becomes none.
func perLane(metric string, tags, apps []string) []string {
	if metric == "vus" || metric == "vus_max" { // k6 counts these for the whole process only
		return []string{named(metric, tags)}
	}
	var own string
	phase := "phase:race"
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

// Retired are the apps that leave the race after a heat whose summary tells which thresholds were crossed, each with the one that has abortOnFail.
func Retired(all map[string]json.RawMessage, apps, crossed []string) map[string]string {
	retired := map[string]string{}
	for _, expression := range slices.Sorted(maps.Keys(all)) {
		metric, tags, err := metrics.ParseMetricName(expression)
		if err != nil {
			continue // the heat was not started with it
		}
		_, aborts, _ := withoutAbort(all[expression])
		for _, app := range apps {
			for _, name := range perLane(metric, tags, []string{app}) {
				for _, condition := range aborts {
					if slices.Contains(crossed, name+": "+condition) {
						retired[app] = expression + ": " + condition
					}
				}
			}
		}
	}
	return retired
}

// withoutAbort reads a list of conditions, each a string or an object, and takes abortOnFail out of them; aborts are those that had it.
func withoutAbort(raw json.RawMessage) (conditions []any, aborts []string, err error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, nil, fmt.Errorf("must be a list of conditions: %w", err)
	}
	conditions = []any{}
	for _, item := range list {
		var text string
		if json.Unmarshal(item, &text) == nil {
			conditions = append(conditions, text)
			continue
		}
		var long struct {
			Threshold   string `json:"threshold"`
			AbortOnFail bool   `json:"abortOnFail"`
		}
		if err := json.Unmarshal(item, &long); err != nil {
			return nil, nil, fmt.Errorf("a condition must be a string or {threshold, abortOnFail, delayAbortEval}: %w", err)
		}
		if long.AbortOnFail {
			aborts = append(aborts, long.Threshold)
		}
		conditions = append(conditions, long.Threshold)
	}
	return conditions, aborts, nil
}
