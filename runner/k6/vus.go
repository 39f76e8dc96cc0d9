package k6

import (
	"encoding/json"
	"math"

	"github.com/photofinish/photofinish/pkg/race"
)

// The VUs of an open model whose script does not say: enough for answers of a quarter of a second from the beginning, and for answers of
// a second at most. A VU is a JavaScript engine of some MB, so both are bounded.
const (
	leastVUs     = 10
	mostPrepared = 100
	mostVUs      = 1000
)

// arrivalVUs are the VUs to prepare and to have at most: the script's, and one more for arrivals that come earlier or later than in
// stock k6's even ticks.
func arrivalVUs(s race.Scenario, peak float64) (prepared, most int64, err error) {
	for key, into := range map[string]*int64{"preAllocatedVUs": &prepared, "maxVUs": &most} {
		if raw, given := s.Config[key]; given {
			if err := json.Unmarshal(raw, into); err != nil {
				return 0, 0, race.Errorf(race.Invalid, "", "options.scenarios.%s.%s must be a whole number: %w", s.Name, key, err)
			}
		}
	}
	if _, given := s.Config["preAllocatedVUs"]; !given {
		prepared = int64(math.Ceil(min(max(peak/4, leastVUs), mostPrepared)))
		if most > 0 {
			prepared = min(prepared, most)
		} else {
			most = int64(math.Ceil(min(max(peak, leastVUs), mostVUs)))
		}
	}
	return prepared + 1, max(most, prepared) + 1, nil
}
