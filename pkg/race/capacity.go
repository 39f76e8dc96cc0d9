package race

import (
	"strconv"
	"strings"
	"time"
)

// CapacityMeasure is the id of the measure that a search for capacity gives: the highest rate that an app holds.
const CapacityMeasure = "capacity"

// Capacity is a search for the highest rate that each app holds. Rates are those of the script: iterations per second and lane.
type Capacity struct {
	// Conditions are what a rate must keep to be held, all of them.
	Conditions []Condition `json:"conditions"`
	// Confidence of the intervals.
	Confidence float64 `json:"confidence"`
	// PlannedTries is about how many of each lane are needed, MaxTries the most that are made.
	PlannedTries int `json:"planned_tries"`
	MaxTries     int `json:"max_tries"`
	// Lanes in the order of the race's.
	Lanes []LaneCapacity `json:"lanes"`
}

// LaneCapacity is what was found of one app. Rate is null where none was held, and before the end of the search; High is null where the app may hold more.
type LaneCapacity struct {
	App  string   `json:"app"`
	Rate *float64 `json:"rate"`
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
	// Limit says what ended the search; "" before its end.
	Limit CapacityLimit `json:"limit"`
	// Broke is the condition that broke first: at the lowest rate at which more tries failed than not.
	Broke string `json:"broke"`
	// Tries in their order.
	Tries []Try `json:"tries"`
}

// Open says whether the app may hold more than the rate that was found: something else than the app was the limit.
func (l LaneCapacity) Open() bool { return l.Rate != nil && l.High == nil }

// Try is a heat at one rate.
type Try struct {
	Heat      int        `json:"heat"` // numbers go on from those of the race
	StartedAt *time.Time `json:"started_at"`
	Phase     TryPhase   `json:"phase"`
	Rate      float64    `json:"rate"` // asked for
	Held      bool       `json:"held"`
	// Broke are the conditions that were not kept, and what else stood in the way of the rate, in words.
	Broke []string `json:"broke"`
	// Limit says what stood in the way; "" where the rate was held.
	Limit CapacityLimit `json:"limit"`
	// Unsent is the share of the planned iterations that k6 could not start, 0-1.
	Unsent   float64             `json:"unsent"`
	Measures map[string]*float64 `json:"measures"` // those of the conditions, and some more
}

// Condition is a bound on a measure, in the measure's unit.
type Condition struct {
	Measure string  `json:"measure"`
	Op      string  `json:"op"` // <, <=, > or >=
	Value   float64 `json:"value"`
}

// Keeps says whether a value is within the bound.
func (c Condition) Keeps(v float64) bool {
	switch c.Op {
	case "<":
		return v < c.Value
	case "<=":
		return v <= c.Value
	case ">":
		return v > c.Value
	case ">=":
		return v >= c.Value
	}
	return false
}

// String is the condition as it is written: "latency_p95<200".
func (c Condition) String() string {
	return c.Measure + c.Op + strconv.FormatFloat(c.Value, 'f', -1, 64)
}

// Conditions writes several as they are written in one text: "latency_p95<200,error_rate<0.01".
func Conditions(list []Condition) string {
	texts := make([]string, len(list))
	for i, c := range list {
		texts[i] = c.String()
	}
	return strings.Join(texts, ",")
}
