package definition

import (
	"math"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// summary says in a few numbers what load a lane gets, summed over its scenarios: the mean rate over the heat of the open ones,
// the most VUs of the closed ones. The executor is that of the lane's first scenario.
func summary(scenarios []race.Scenario, app string, whole time.Duration) (race.Load, error) {
	l := race.Load{DurationMS: float64(whole) / float64(time.Millisecond)}
	var rate float64
	var vus int64
	for _, s := range Of(scenarios, app) {
		r, err := RampOf(s)
		if err != nil {
			return l, err
		}
		t, err := TimesOf(s)
		if err != nil {
			return l, err
		}
		l.Executor = first(l.Executor, s.Executor)
		switch {
		case !s.Open():
			vus += int64(math.Ceil(r.Peak()))
		case ramps(s):
			rate += r.sum() / whole.Seconds()
		default:
			rate += r.Start * t.Length.Seconds() / whole.Seconds()
		}
	}
	if rate > 0 {
		l.Rate = &rate
	}
	if vus > 0 {
		l.VUs = &vus
	}
	return l, nil
}
