package promql

import (
	"regexp"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// The placeholders of an expression that somebody wrote for any race: its id, for a matcher such as testid="$race", and the length of the time that is
// looked at, for a window such as [$window].
const (
	PlaceRace   = "$race"
	PlaceWindow = "$window"
)

// placeholder is what looks like one. A dollar alone is the end of a text in a regular expression.
var placeholder = regexp.MustCompile(`\$\{?[A-Za-z_]\w*\}?`)

// Fill puts a race and a window into an expression. Only ids that no literal of PromQL can be ended with are let in.
func Fill(expr, id string, window time.Duration) (string, error) {
	if !race.ValidID(id) {
		return "", race.Errorf(race.Invalid, "only races of a runner have expressions", "%q is no id of a race", id)
	}
	filled := placeholder.ReplaceAllStringFunc(expr, func(name string) string {
		switch name {
		case PlaceRace:
			return id
		case PlaceWindow:
			return Duration(window)
		}
		return name
	})
	if unknown := placeholder.FindString(filled); unknown != "" {
		return "", race.Errorf(race.Invalid, "the placeholders are "+strings.Join([]string{PlaceRace, PlaceWindow}, " and "), "%s is no placeholder", unknown)
	}
	return filled, nil
}
