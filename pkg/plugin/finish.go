package plugin

import (
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// finish is what a table of verdicts has no columns for: who raced, the result in words, and the audit. It goes with the table of `field: all`
// as custom metadata, in the words of terminal and report.
type finish struct {
	Races []finished `json:"races"`
}

type finished struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Status     race.Status `json:"status"`
	Error      *string     `json:"error"`
	StartedAt  *time.Time  `json:"started_at"`
	FinishedAt *time.Time  `json:"finished_at"`
	Baseline   string      `json:"baseline"`
	Apps       []entrant   `json:"apps"` // in the order of the lanes
	Heats      int         `json:"heats"`
	Certainty  string      `json:"certainty"` // what the intervals are
	Fairness   string      `json:"fairness"`  // the audit in one line
	// Thresholds are the script's own; absent where it has none, and where nobody recorded them.
	Thresholds []race.Threshold `json:"thresholds,omitempty"`
	// Capacity is absent where none was searched.
	Capacity *foundCapacity `json:"capacity,omitempty"`
	Audit    race.Audit     `json:"audit"`
}

// foundCapacity is a search for capacities as the record has it, with what all views say of it.
type foundCapacity struct {
	race.Capacity
	Terms     string            `json:"terms"`     // what a capacity is
	Sentences map[string]string `json:"sentences"` // by app
}

func capacityOf(r race.Race) *foundCapacity {
	if r.Capacity == nil {
		return nil
	}
	found := &foundCapacity{Capacity: *r.Capacity, Terms: scoreboard.CapacityTerms(r), Sentences: map[string]string{}}
	for _, s := range scoreboard.Capacity(r) {
		found.Sentences[s.App] = s.Text
	}
	return found
}

// entrant is an app of a race.
type entrant struct {
	App string `json:"app"`
	// Sentence says how the app stands to the baseline; "" for the baseline itself and before there are verdicts.
	Sentence string `json:"sentence"`
	// Out says how the app left the race, "" where it stayed.
	Out string `json:"out"`
	// Requests and Measures are of the whole race; null before its end, and where nobody knows.
	Requests *int64              `json:"requests"`
	Measures map[string]*float64 `json:"measures"`
}

func finishOf(q query, races []race.Race) finish {
	f := finish{Races: []finished{}}
	for _, r := range races {
		one := finished{
			ID: r.ID, Name: r.Name, Status: r.Status, Error: r.Error, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, Baseline: r.Baseline,
			Heats: len(r.Heats), Certainty: scoreboard.Certainty(r), Fairness: scoreboard.Fairness(r.Audit), Audit: r.Audit,
			Thresholds: r.Thresholds, Capacity: capacityOf(r),
		}
		one.Audit.Findings = scoreboard.Findings(r.Audit)
		for _, l := range r.Lanes {
			e := entrant{App: l.App, Out: scoreboard.ExitWords(l.Exit)}
			if len(r.Verdicts) > 0 && l.App != r.Baseline && (len(q.Apps) == 0 || slices.Contains(q.Apps, l.App)) {
				e.Sentence = sentenceOf(r, l.App)
			}
			if r.Status.Ended() {
				e.Measures = l.Measures
				if l.Client != nil {
					e.Requests = &l.Client.Requests
				}
			}
			one.Apps = append(one.Apps, e)
		}
		f.Races = append(f.Races, one)
	}
	return f
}

// sentenceOf is what all views say of an app, without the full stop.
func sentenceOf(r race.Race, app string) string {
	for _, s := range scoreboard.Sentences(r) {
		if s.App == app {
			return strings.TrimSuffix(s.Text, ".")
		}
	}
	return ""
}
