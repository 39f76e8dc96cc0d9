package compare

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

// phaseRace is the phase that counts.
const phaseRace = "race"

// assemble makes races out of the windows in which samples were seen. It is a pure function.
func assemble(windows []window, silence int64) []RaceInfo {
	byTestID := map[string][]window{}
	for _, w := range windows {
		byTestID[w.labels["testid"]] = append(byTestID[w.labels["testid"]], w)
	}
	var races []RaceInfo
	for testid, own := range byTestID {
		var previous time.Time
		for i, part := range split(own, silence) {
			r := describe(testid, part)
			if i > 0 {
				r.ID = testid + "@" + strconv.FormatInt(r.Start.Unix(), 10)
				r.Previous = previous
			}
			previous = r.End
			races = append(races, r)
		}
	}
	slices.SortFunc(races, func(a, b RaceInfo) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	return races
}

// split parts the windows of one testid where it was silent.
func split(windows []window, silence int64) [][]window {
	spans := make([]span, len(windows))
	for i, w := range windows {
		spans[i] = w.span
	}
	merged := merge(spans, silence)
	parts := make([][]window, len(merged))
	for _, w := range windows {
		i, _ := slices.BinarySearchFunc(merged, w.from, func(s span, from int64) int { return cmp.Compare(s.to, from+1) })
		parts[i] = append(parts[i], w)
	}
	return parts
}

// describe reads one race off its windows, of which there is at least one.
func describe(testid string, windows []window) RaceInfo {
	r := RaceInfo{ID: testid, TestID: testid}
	for _, w := range windows {
		r.Phased = r.Phased || w.labels["phase"] != ""
		r.Own = r.Own || w.labels["__name__"] == ownRequests
	}
	whole := windows[0].span
	apps, heats := map[string]bool{}, map[string]span{}
	for _, w := range windows {
		whole = span{min(whole.from, w.from), max(whole.to, w.to)}
		app, heat := w.labels["app"], w.labels["heat"]
		if app == "" {
			continue
		}
		apps[app] = true
		if r.Phased && w.labels["phase"] != phaseRace {
			continue
		}
		if h, ok := heats[heat]; ok {
			heats[heat] = span{min(h.from, w.from), max(h.to, w.to)}
		} else {
			heats[heat] = w.span
		}
	}
	r.Start, r.End = time.UnixMilli(whole.from), time.UnixMilli(whole.to)
	r.Apps = slices.Sorted(maps.Keys(apps))
	for label, s := range heats {
		r.Heats = append(r.Heats, Heat{Label: label, Start: time.UnixMilli(s.from), End: time.UnixMilli(s.to)})
	}
	slices.SortFunc(r.Heats, func(a, b Heat) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Label, b.Label)) })
	apart(r.Heats)
	return r
}
