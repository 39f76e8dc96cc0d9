package report

import (
	"github.com/photofinish/photofinish/pkg/race"
)

// inTurn leaves of the rates of a race in turns only what tells something: a lane without the turn has no requests because it gets none, and
// the second in which its turn begins or ends is its own in part. Where a turn has no second between those two, its fullest one is kept.
func inTurn(r race.Race, series []PlotSeries) []PlotSeries {
	if r.Mode != race.Turns {
		return series
	}
	type key struct {
		app  string
		heat int
	}
	whole := map[key][]bool{}
	for _, s := range series {
		if s.Measure == "request_rate" {
			whole[key{s.App, s.Heat}] = wholeSeconds(s.V)
		}
	}
	out := make([]PlotSeries, len(series))
	for i, s := range series {
		keep := whole[key{s.App, s.Heat}]
		switch s.Measure {
		case "request_rate", "data_received_rate", "data_sent_rate":
			if len(keep) == len(s.V) {
				v := make([]*float64, len(s.V))
				for j := range v {
					if keep[j] {
						v[j] = s.V[j]
					}
				}
				s.V = v
			}
		}
		out[i] = s
	}
	return out
}

// wholeSeconds finds the seconds that lie within a turn by the requests in them.
func wholeSeconds(rate []*float64) []bool {
	keep := make([]bool, len(rate))
	busy := func(i int) bool { return i >= 0 && i < len(rate) && rate[i] != nil && *rate[i] > 0 }
	for from := 0; from < len(rate); from++ {
		if !busy(from) {
			continue
		}
		to, fullest := from, from
		for ; busy(to); to++ {
			if *rate[to] > *rate[fullest] {
				fullest = to
			}
		}
		for i := from + 1; i < to-1; i++ {
			keep[i] = true
		}
		cutShort := to < len(rate) && rate[to] == nil // by the end of the heat, whose last push has no rate
		if to-from < 3 && !cutShort {
			keep[fullest] = true
		}
		from = to
	}
	return keep
}
