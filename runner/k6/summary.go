package k6

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
)

// LaneSummary is what k6's own end-of-test summary counts for a lane, warm-up excluded.
type LaneSummary struct {
	Requests int64
	Failed   int64
}

// Summary is k6's end-of-test summary, as far as a race needs it.
type Summary struct {
	Lanes map[string]LaneSummary // by app; every app of the heat is there
	// Judged are the script's thresholds, by metric, app and condition.
	Judged []Judged
}

// ReadSummary reads the file of Run.SummaryPath.
func (h Heat) ReadSummary(path string) (Summary, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Summary{}, fmt.Errorf("k6 wrote no summary: %w", err)
	}
	var file struct {
		Metrics map[string]struct {
			Count      float64         `json:"count"`
			Passes     float64         `json:"passes"`     // of a rate: samples that are not 0
			Thresholds map[string]bool `json:"thresholds"` // true: crossed
		} `json:"metrics"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return Summary{}, fmt.Errorf("k6's summary cannot be read: %w", err)
	}
	s := Summary{Lanes: map[string]LaneSummary{}}
	for _, l := range h.lanes {
		requests, failed := counters(l)
		s.Lanes[l.App] = LaneSummary{
			Requests: int64(file.Metrics[submetric(requests, l.App)].Count),
			Failed:   int64(file.Metrics[submetric(failed, l.App)].Passes),
		}
	}
	for _, name := range slices.Sorted(maps.Keys(file.Metrics)) {
		thresholds := file.Metrics[name].Thresholds
		for _, condition := range slices.Sorted(maps.Keys(thresholds)) {
			s.Judged = append(s.Judged, h.judged(name, condition, thresholds[condition]))
		}
	}
	return s, nil
}

// JoinSummaries is what the summaries say together of several k6 that shared the load of a heat. Each judged the thresholds by its own share: what one did not
// keep to was not kept to.
func JoinSummaries(parts []Summary) Summary {
	joined := Summary{Lanes: map[string]LaneSummary{}}
	for _, part := range parts {
		for app, l := range part.Lanes {
			sum := joined.Lanes[app]
			joined.Lanes[app] = LaneSummary{Requests: sum.Requests + l.Requests, Failed: sum.Failed + l.Failed}
		}
		for _, j := range part.Judged {
			same := slices.IndexFunc(joined.Judged, func(o Judged) bool { return o.App == j.App && o.Condition == j.Condition && o.Abort == j.Abort })
			if same < 0 {
				joined.Judged = append(joined.Judged, j)
				continue
			}
			joined.Judged[same].Crossed = joined.Judged[same].Crossed || j.Crossed
		}
	}
	return joined
}
