package compare

import (
	"cmp"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// Standing is one app's row of the standings.
type Standing struct {
	App  string
	Rank int // from 1; apps with the same value share a rank; 0 without a value
	// Values are the measures by id, nil where unknown.
	Values map[string]*float64
	// Diff is the difference to the baseline in percent of the baseline's value; nil where either is unknown or the baseline's is zero.
	Diff map[string]*float64
}

// Standings ranks the apps by the first measure and sets every value against the baseline's. values are by app and measure id.
// It is a pure function; a baseline that did not race is an error that lists the apps.
func Standings(values map[string]map[string]*float64, measures []measure.Measure, baseline string) ([]Standing, error) {
	apps := make([]string, 0, len(values))
	for app := range values {
		apps = append(apps, app)
	}
	slices.Sort(apps)
	base, ok := values[baseline]
	if !ok {
		return nil, race.Errorf(race.NotFound, "choose one of "+strings.Join(apps, ", "), "the baseline %q is no app of this race", baseline)
	}
	if len(measures) == 0 {
		return nil, race.Errorf(race.Invalid, "choose a measure", "there is no measure to rank the apps by")
	}
	rows := make([]Standing, 0, len(apps))
	for _, app := range apps {
		row := Standing{App: app, Values: map[string]*float64{}, Diff: map[string]*float64{}}
		for _, m := range measures {
			row.Values[m.ID], row.Diff[m.ID] = values[app][m.ID], difference(values[app][m.ID], base[m.ID])
		}
		rows = append(rows, row)
	}
	rank(rows, measures[0])
	return rows, nil
}

// WholeValues are the values of a race's totals for Standings.
func (t Totals) WholeValues() map[string]map[string]*float64 {
	values := make(map[string]map[string]*float64, len(t.Whole))
	for app, a := range t.Whole {
		values[app] = a.Measures
	}
	return values
}

func difference(v, base *float64) *float64 {
	if v == nil || base == nil || *base == 0 {
		return nil
	}
	d := (*v - *base) / *base * 100
	return &d
}

// rank sorts the rows by a measure, the best first, unknown ones last. Measures without a direction rank the highest first.
func rank(rows []Standing, by measure.Measure) {
	slices.SortStableFunc(rows, func(a, b Standing) int {
		x, y := a.Values[by.ID], b.Values[by.ID]
		switch {
		case x == nil && y == nil:
			return 0
		case x == nil:
			return 1
		case y == nil:
			return -1
		case by.Better == measure.Lower:
			return cmp.Compare(*x, *y)
		default:
			return cmp.Compare(*y, *x)
		}
	})
	for i := range rows {
		v := rows[i].Values[by.ID]
		switch {
		case v == nil:
		case i > 0 && *rows[i-1].Values[by.ID] == *v:
			rows[i].Rank = rows[i-1].Rank
		default:
			rows[i].Rank = i + 1
		}
	}
}
