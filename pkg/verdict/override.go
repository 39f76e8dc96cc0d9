package verdict

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/photofinish/photofinish/pkg/race"
)

// Bounds of what is recorded of an override, in characters: a name and a paragraph.
const (
	maxOverrider = 200
	maxReason    = 1000
)

// Override lets the verdicts of an unfair race stand: the record is judged anew, and says in its audit who did it, when and why. The race stays unfair. Errors have
// the code race.Invalid where who or why is missing, and race.Conflict where there is nothing to override.
func Override(r race.Race, by, why string, at time.Time) (race.Race, error) {
	by, why = strings.TrimSpace(by), strings.Join(strings.Fields(strings.ToValidUTF8(why, "")), " ")
	switch {
	case by == "" || utf8.RuneCountInString(by) > maxOverrider:
		return r, race.Errorf(race.Invalid, "", "who overrides the audit of race %s must be known, by a name of 1 to %d characters", r.ID, maxOverrider)
	case why == "" || utf8.RuneCountInString(why) > maxReason:
		return r, race.Errorf(race.Invalid, "say why what the audit found does not bear on the verdicts", "reason: must be 1 to %d characters long", maxReason).At("reason")
	case !r.Status.Ended():
		return r, race.Errorf(race.Conflict, "wait for its end", "race %s has not ended: it is %s", r.ID, r.Status)
	case r.Audit.Fair:
		return r, race.Errorf(race.Conflict, "", "race %s passed its audit: there is nothing to override", r.ID)
	case r.Audit.OverriddenBy != nil:
		return r, race.Errorf(race.Conflict, "", "the audit of race %s was overridden already, by %s", r.ID, *r.Audit.OverriddenBy)
	case len(r.Verdicts) == 0:
		return r, race.Errorf(race.Conflict, "", "race %s has no verdicts that could stand", r.ID)
	}
	at = at.UTC()
	r.Audit.OverriddenBy, r.Audit.OverriddenAt, r.Audit.OverrideReason = &by, &at, why
	r.Verdicts = Again(r, race.Effects{})
	return r, nil
}
