package report

import (
	"math"
	"strconv"
)

// scale maps values to percents of a plot's width or height, logarithmically or not.
type scale struct {
	from, to float64
	log      bool
}

// at is where a value lies, in percent; what lies outside is put on the edge.
func (s scale) at(v float64) float64 {
	from, to := s.from, s.to
	if s.log {
		from, to, v = math.Log(from), math.Log(to), math.Log(math.Max(v, math.SmallestNonzeroFloat64))
	}
	if to <= from {
		return 50
	}
	return min(100, max(0, 100*(v-from)/(to-from)))
}

// tick is a labelled place on an axis. Minor ticks are not labelled in narrow windows.
type tick struct {
	Value float64
	At    string // percent
	Label string
	Minor bool
	Edge  string // "first", "last": labels there must not stick out
}

// logTicks are 1, 2 and 5 times the powers of ten within the scale.
func (s scale) logTicks(label func(float64) string) []tick {
	var out []tick
	decades := math.Log10(s.to / s.from)
	for e := math.Floor(math.Log10(s.from)); e <= math.Ceil(math.Log10(s.to)); e++ {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow(10, e)
			if v < s.from*.999 || v > s.to*1.001 || m != 1 && decades > 4 {
				continue
			}
			at := s.at(v)
			t := tick{Value: v, At: percent(at), Label: label(v), Minor: m != 1 && decades > 1}
			switch {
			case at < 4:
				t.Edge = "first"
			case at > 96:
				t.Edge = "last"
			}
			out = append(out, t)
		}
	}
	return out
}

// percent writes a coordinate for SVG: "37.25%".
func percent(v float64) string { return decimal(v) + "%" }

// decimal writes a number with at most two digits after the point.
func decimal(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }
