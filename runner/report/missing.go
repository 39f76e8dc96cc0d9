package report

import (
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// noData says which plots are missing and why: "No data: CPU, Memory. The apps were not started here …". It is "" where all are there.
func noData(r race.Race, titles []string) string {
	if len(titles) == 0 {
		return ""
	}
	requests := int64(0)
	for _, h := range r.Heats {
		for _, l := range h.Lanes {
			requests += l.Requests
		}
	}
	why := "Prometheus holds no samples of them."
	switch {
	case requests == 0:
		why = "No request of this race counted: it ended in or before the warm-up of its first heat."
	case !slices.ContainsFunc(r.Lanes, func(l race.Lane) bool { return l.Container != nil && l.Container.CPUSeconds != nil }):
		why = "The apps were not started by this race, so nobody read their CPU and memory."
	}
	return "No data: " + strings.Join(titles, ", ") + ". " + why
}
