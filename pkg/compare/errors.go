package compare

import (
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// choose checks the apps asked for; none means all.
func (r RaceInfo) choose(apps []string) ([]string, error) {
	if len(r.Apps) == 0 {
		return nil, race.Errorf(race.Invalid, "give each request the tag app, e.g. scenarios: { a: { tags: { app: 'a' } } }",
			"the series of race %s carry no label app: there is nothing to compare", r.ID)
	}
	if len(apps) == 0 {
		return r.Apps, nil
	}
	chosen := make([]string, 0, len(apps))
	for _, app := range apps {
		if !slices.Contains(r.Apps, app) {
			return nil, race.Errorf(race.NotFound, "its apps are "+strings.Join(r.Apps, ", "), "race %s has no app %q", r.ID, app)
		}
		if !slices.Contains(chosen, app) {
			chosen = append(chosen, app)
		}
	}
	return chosen, nil
}
