package audit

import (
	"fmt"

	"github.com/photofinish/photofinish/pkg/race"
)

// Profile is what came of the profiles of one app, which are taken in heats after those that count.
type Profile struct {
	App string
	// Taken: there is at least one.
	Taken bool
	// CPU for a request in ms, in the heats for profiles and in those that count; nil is unknown.
	CPU, Measured *float64
	// Missing are sentences on those that are not there.
	Missing []string
}

// profiles tells what it cost to be profiled, and which profiles are missing. The verdicts are not concerned.
func profiles(o Observations, r *report) {
	for _, p := range o.Profiles {
		if p.Taken {
			detail := "was profiled after the heats that count"
			if p.CPU != nil && p.Measured != nil && *p.Measured > 0 {
				detail += fmt.Sprintf(", and took %.3g ms of CPU for a request then (%+.3g%%), against %.3g ms: no measure holds that cost",
					*p.CPU, 100*(*p.CPU / *p.Measured - 1), *p.Measured)
			}
			r.add(p.App, race.Profiled, race.Note, "%s", detail)
		}
		for _, sentence := range p.Missing {
			r.add(p.App, race.ProfileMissing, race.Warning, "%s", sentence)
		}
	}
}
