package compare

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

// The phases that our runner tags. Other people's values of the label phase mean something else.
const (
	phaseRace   = "race" // the one that counts
	phaseWarmup = "warmup"
)

// assemble makes races out of the windows in which samples were seen: fine ones that tell the times, and coarser ones that tell the apps. It is a pure function.
func assemble(timing, apps []window, silence int64) []RaceInfo {
	timesOf, appsOf := byTestID(timing), byTestID(apps)
	var races []RaceInfo
	for testid, own := range timesOf {
		var previous time.Time
		for i, part := range split(own, silence) {
			r := describe(testid, part, appsOf[testid])
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

func byTestID(windows []window) map[string][]window {
	by := map[string][]window{}
	for _, w := range windows {
		by[w.labels["testid"]] = append(by[w.labels["testid"]], w)
	}
	return by
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

// describe reads one race off its windows, of which there is at least one. Among the windows of apps are those of other races of the testid.
func describe(testid string, windows, seen []window) RaceInfo {
	r := RaceInfo{ID: testid, TestID: testid}
	for _, w := range windows {
		r.Phased = r.Phased || w.labels["phase"] == phaseRace || w.labels["phase"] == phaseWarmup
		r.Own = r.Own || w.labels["__name__"] == ownRequests
	}
	whole := windows[0].span
	heats := map[string]span{}
	for _, w := range windows {
		whole = span{min(whole.from, w.from), max(whole.to, w.to)}
		heat := w.labels["heat"]
		if w.labels[tagged] == "" {
			continue
		}
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
	apps := map[string]bool{}
	for _, w := range seen {
		if app := w.labels["app"]; app != "" && w.from < whole.to && w.to > whole.from {
			apps[app] = true
		}
	}
	r.Apps = slices.Sorted(maps.Keys(apps))
	for label, s := range heats {
		r.Heats = append(r.Heats, Heat{Label: label, Start: time.UnixMilli(s.from), End: time.UnixMilli(s.to)})
	}
	slices.SortFunc(r.Heats, func(a, b Heat) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Label, b.Label)) })
	apart(r.Heats)
	return r
}

// oneOf makes one race of the parts of a testid, oldest first, that ended after a time. A heat that goes on in several parts is one. It is a pure function.
func oneOf(parts []RaceInfo, since time.Time) (whole RaceInfo, ok bool) {
	for _, part := range parts {
		if !part.End.After(since) {
			continue
		}
		if !ok {
			whole, ok = part, true
			whole.ID, whole.Apps, whole.Heats = part.TestID, slices.Clone(part.Apps), slices.Clone(part.Heats)
			continue
		}
		whole.End = later(whole.End, part.End)
		whole.Phased, whole.Own = whole.Phased || part.Phased, whole.Own || part.Own
		whole.Apps = append(whole.Apps, part.Apps...)
		for _, h := range part.Heats {
			if i := slices.IndexFunc(whole.Heats, func(o Heat) bool { return o.Label == h.Label }); i >= 0 {
				whole.Heats[i].End = later(whole.Heats[i].End, h.End)
			} else {
				whole.Heats = append(whole.Heats, h)
			}
		}
	}
	slices.Sort(whole.Apps)
	whole.Apps = slices.Compact(whole.Apps)
	return whole, ok
}
