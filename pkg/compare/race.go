package compare

import (
	"slices"
	"strconv"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Silence is how long a testid must be quiet for its next sample to belong to another race, and for a race to count as finished.
const Silence = 60 * time.Second

// RaceInfo is a race as its series tell it. Start and End are whole seconds that enclose the samples: Start < sample <= End.
type RaceInfo struct {
	ID     string // the testid; <testid>@<start unix> for a testid that was used again
	TestID string // the value of the label testid
	Start  time.Time
	End    time.Time
	Apps   []string // sorted; empty where the requests carry no tag app
	Heats  []Heat   // in order of time; one where there is no heat tag
	// Phased: the series carry the phases of our runner, and only phase "race" counts.
	Phased bool
	// Own: our output extension's series (photofinish_*) exist. Otherwise a stock k6 wrote the race.
	Own bool
	// Turns: its lanes are known to take turns, so that the load of each comes in bursts.
	Turns bool
	// Custom are the measures that the race is known to have of its own; Recorded says that there are no others.
	Custom   []race.CustomMeasure
	Recorded bool
	// Previous is the end of the race before this one that used the same testid; zero if none is known.
	Previous time.Time
}

// Heat is one repetition, its measured part: Start < sample <= End. Label is the heat tag's value, "" without one.
type Heat struct {
	Label string
	Start time.Time
	End   time.Time
}

// Finished says whether the race is over at the time now, as far as its series tell.
func (r RaceInfo) Finished(now time.Time) bool { return now.Sub(r.End) >= Silence }

// Unmeasured says why a race has nothing to show yet, though it was seen; "" where it has.
func (r RaceInfo) Unmeasured() string {
	if r.Phased && len(r.Heats) == 0 {
		return "race " + r.ID + " has only warmed up so far"
	}
	return ""
}

// margins around the times of a record: a push may hold a sample from just before and arrive just after them.
const recordMargin = time.Second

// FromRecord makes the RaceInfo of a recorded race, so that its series need not be searched for. ok is false where it was never started.
func FromRecord(r race.Race) (info RaceInfo, ok bool) {
	info = RaceInfo{ID: r.ID, TestID: r.ID, Phased: true, Own: r.K6 == nil, Turns: r.Turns != nil, Custom: r.CustomMeasures, Recorded: r.Status.Ended()}
	for _, l := range r.Lanes {
		info.Apps = append(info.Apps, l.App)
	}
	slices.Sort(info.Apps)
	for _, h := range r.Heats {
		if h.StartedAt == nil || h.FinishedAt == nil {
			continue
		}
		heat := Heat{
			Label: strconv.Itoa(h.Number),
			Start: ElapsedZero(*h.StartedAt),
			End:   h.FinishedAt.Add(2 * recordMargin).Truncate(time.Second),
		}
		info.Heats = append(info.Heats, heat)
		info.End = later(info.End, heat.End)
	}
	apart(info.Heats)
	if len(info.Heats) == 0 {
		return RaceInfo{}, false
	}
	info.Start = info.Heats[0].Start
	return info, true
}

// With adds what the record of a race knows beyond its series: all of its lanes, though some may have written nothing yet, its own measures, and that lanes take turns.
func (r RaceInfo) With(record race.Race) RaceInfo {
	r.Apps = slices.Clone(r.Apps)
	for _, l := range record.Lanes {
		r.Apps = append(r.Apps, l.App)
	}
	slices.Sort(r.Apps)
	r.Apps = slices.Compact(r.Apps)
	r.Custom, r.Turns = record.CustomMeasures, record.Turns != nil
	return r
}

// ElapsedZero is where the elapsed time of a recorded race, or heat, begins that started then: a little before, at a whole second.
func ElapsedZero(start time.Time) time.Time { return start.Add(-recordMargin).Truncate(time.Second) }

// apart parts heats whose margins reach into each other in the middle, so that no sample is counted in both of them.
func apart(heats []Heat) {
	for i := 1; i < len(heats); i++ {
		before, next := &heats[i-1], &heats[i]
		if overlap := before.End.Sub(next.Start); overlap > 0 && next.Start.After(before.Start) && next.End.After(before.End) {
			next.Start = next.Start.Add(overlap / 2)
			before.End = next.Start
		}
	}
}

func (r RaceInfo) length() time.Duration { return r.End.Sub(r.Start) }

// finest is the longest step in milliseconds at which a race's counts still tell how fast it went: a tenth of its shortest heat, since a rate takes two samples within
// one, and where lanes take turns the period of the slowest source. A race that is too long for it is looked at less finely.
func (r RaceInfo) finest(slowest time.Duration) int64 {
	const second, part = int64(1000), 10
	shortest := r.length().Milliseconds()
	for _, h := range r.Heats {
		shortest = min(shortest, h.span().length())
	}
	good := max(shortest/part/second*second, second)
	if r.Turns {
		good = min(good, slowest.Milliseconds())
	}
	return max(good, r.length().Milliseconds()/(maxPoints/2))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
