package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// The query types.
const (
	typeTimeSeries   = "timeseries"
	typeStandings    = "standings"
	typeVerdict      = "verdict"
	typeDistribution = "distribution"
	typeRaces        = "races"
	typeEvents       = "events"
	typeLive         = "live"
	typeProfile      = "profile"
)

func queryTypes() []string {
	return []string{typeTimeSeries, typeStandings, typeVerdict, typeDistribution, typeRaces, typeEvents, typeLive, typeProfile}
}

// The values of field: of verdict the first five, of standings the next two, of events the last, of live fieldAll, of profile those of profileFields.
const (
	fieldRegressed = "regressed"
	fieldRatio     = "ratio"
	fieldLow       = "low"
	fieldHigh      = "high"
	fieldAll       = "all"
	fieldTrend     = "trend"
	fieldHistory   = "history"
	fieldChanges   = "changes"
)

// query is a query of the contract, read and checked.
type query struct {
	RefID    string   `json:"-"`
	Type     string   `json:"queryType"`
	Races    []string `json:"races"`
	Name     string   `json:"name"`
	Apps     []string `json:"apps"`
	Measures []string `json:"measures"`
	Baseline string   `json:"baseline"`
	Align    string   `json:"align"`
	Heats    string   `json:"heats"`
	Field    string   `json:"field"`

	From, To  time.Time     `json:"-"`
	Interval  time.Duration `json:"-"`
	MaxPoints int64         `json:"-"`

	measures []measure.Measure // those of Measures that are known; see know
}

func (q query) elapsed() bool { return q.Align == "elapsed" }
func (q query) each() bool    { return q.Heats == "each" }

// alerts says whether the answer is numbers for alert rules.
func (q query) alerts() bool { return q.Type == typeVerdict && q.Field != fieldAll }

// readQuery reads and checks one query. Its errors are for the person who wrote it.
func readQuery(dq backend.DataQuery) (query, error) {
	var q query
	if err := json.Unmarshal(dq.JSON, &q); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			return q, race.Errorf(race.Invalid, "races, apps and measures are lists, the rest are texts", "%s of the query is a %s", wrong.Field, wrong.Value)
		}
		return q, race.Errorf(race.Invalid, "see the query's JSON", "the query cannot be read: %w", err)
	}
	q.RefID, q.Interval, q.MaxPoints = dq.RefID, dq.Interval, dq.MaxDataPoints
	q.From, q.To = dq.TimeRange.From, dq.TimeRange.To
	if dq.QueryType != "" {
		q.Type = dq.QueryType
	}
	return q, q.check()
}

func (q *query) check() error {
	if err := q.checkLengths(); err != nil {
		return err
	}
	if !slices.Contains(queryTypes(), q.Type) {
		return race.Errorf(race.Invalid, "choose one of "+strings.Join(queryTypes(), ", "), "there is no query type %q", q.Type)
	}
	if !q.From.Before(q.To) {
		return race.Errorf(race.Invalid, "choose an end after the start", "the time range is empty")
	}
	var err error
	for _, list := range []struct {
		field  string
		values *[]string
	}{{"races", &q.Races}, {"apps", &q.Apps}, {"measures", &q.Measures}} {
		if *list.values, err = values(list.field, *list.values); err != nil {
			return err
		}
	}
	for _, text := range []struct{ field, value string }{{"name", q.Name}, {"baseline", q.Baseline}, {"field", q.Field}} {
		if err := noVariable(text.field, text.value); err != nil {
			return err
		}
	}
	for _, choice := range []struct {
		field, value string
		of           []string
	}{
		{"align", q.Align, []string{"absolute", "elapsed"}},
		{"heats", q.Heats, []string{"merged", "each"}},
		{"field", q.Field, q.fields()},
	} {
		if choice.value != "" && !slices.Contains(choice.of, choice.value) {
			return race.Errorf(race.Invalid, strings.TrimSpace("choose one of "+strings.Join(choice.of, ", ")),
				"%s %q is not known to queries of type %s", choice.field, choice.value, q.Type)
		}
	}
	if len(q.Races) > maxRaces {
		return race.Errorf(race.Invalid, "choose fewer", "%d races are more than the %d that one query shows", len(q.Races), maxRaces)
	}
	return nil
}

// checkLengths looks at the texts that errors repeat.
func (q *query) checkLengths() error {
	for _, texts := range []struct {
		field string
		list  []string
	}{
		{"queryType", []string{q.Type}},
		{"races", q.Races},
		{"apps", q.Apps},
		{"measures", q.Measures},
		{"baseline", []string{q.Baseline}},
		{"align", []string{q.Align}},
		{"heats", []string{q.Heats}},
		{"field", []string{q.Field}},
	} {
		for _, text := range texts.list {
			if err := noLonger(texts.field, text); err != nil {
				return err
			}
		}
	}
	return nil
}

func noLonger(field, text string) error {
	if n := utf8.RuneCountInString(text); n > maxText {
		return race.Errorf(race.Invalid, "check what stands there", "%s holds %q, which is %d characters long; at most %d are read", field, beginning(text), n, maxText)
	}
	return nil
}

// beginning is enough of a text to know it by.
func beginning(text string) string {
	const most = 40
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// know finds the measures that are asked for among those of the contract and those that the query's races have of their own; without any it is all of them.
// One that is not known is an error that names what is near it, but for races that go on, or that there are none of: theirs may be yet to come.
func (q *query) know(own []race.CustomMeasure, races []listed, said *notices) error {
	set := measure.Of(own...)
	if len(q.Measures) == 0 {
		q.measures = set
		return nil
	}
	settled := len(races) > 0 && !slices.ContainsFunc(races, func(l listed) bool { return !l.status.Ended() })
	q.measures = nil
	for _, id := range q.Measures {
		m, err := set.ByID(id)
		switch {
		case err == nil:
			q.measures = append(q.measures, m)
		case settled:
			return fmt.Errorf("measures: %w", err)
		default:
			said.add("no race has measured %s yet", id)
		}
	}
	return nil
}

// mistaken is the error of a measure that is neither one of the contract nor one of these.
func (q query) mistaken(own []race.CustomMeasure) error {
	set := measure.Of(own...)
	for _, id := range q.Measures {
		if _, err := set.ByID(id); err != nil {
			return fmt.Errorf("measures: %w", err)
		}
	}
	return nil
}

// ownOf are the measures that recorded races have of their own.
func ownOf(races []race.Race) []race.CustomMeasure {
	var own []race.CustomMeasure
	for _, r := range races {
		own = append(own, r.CustomMeasures...)
	}
	return own
}

// fields are the values of field that the query's type knows; the other types take no notice of it.
func (q *query) fields() []string {
	switch q.Type {
	case typeVerdict:
		return []string{fieldRegressed, fieldRatio, fieldLow, fieldHigh, fieldAll}
	case typeStandings:
		return []string{fieldTrend, fieldHistory}
	case typeLive:
		return []string{fieldAll}
	case typeProfile:
		return profileFields()
	default:
		return []string{q.Field}
	}
}
