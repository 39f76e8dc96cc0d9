package scoreboard

import (
	"fmt"

	"github.com/photofinish/photofinish/pkg/race"
)

// Colour is a colour of sRGB.
type Colour struct{ R, G, B uint8 }

// Hex is the colour as CSS writes it: "#7eb26d".
func (c Colour) Hex() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// ANSI256 is the nearest colour of the 6x6x6 cube that terminals with 256 colours have.
func (c Colour) ANSI256() int {
	level := func(v uint8) int {
		if v < 48 {
			return 0
		}
		return max(1, (int(v)-35)/40)
	}
	return 16 + 36*level(c.R) + 6*level(c.G) + level(c.B)
}

// Neutral is the baseline's colour: a grey that stands out from black and from white.
func Neutral() Colour { return Colour{0x8e, 0x92, 0x9c} }

// classic is Grafana's classic palette, in its order; it starts anew after the last one.
func classic() []Colour {
	return []Colour{
		{0x7e, 0xb2, 0x6d},
		{0xea, 0xb8, 0x39},
		{0x6e, 0xd0, 0xe0},
		{0xef, 0x84, 0x3c},
		{0xe2, 0x4d, 0x42},
		{0x1f, 0x78, 0xc1},
		{0xba, 0x43, 0xa9},
		{0x70, 0x5d, 0xa0},
		{0x50, 0x86, 0x42},
		{0xcc, 0xa3, 0x00},
		{0x44, 0x7e, 0xbc},
		{0xc1, 0x5c, 0x17},
		{0x89, 0x0f, 0x02},
		{0x6d, 0x1f, 0x62},
		{0x58, 0x44, 0x77},
		{0xb7, 0xdb, 0xab},
	}
}

// Livery is which app wears which colour. Every app keeps the colour of its place in the order of the lanes; the baseline is neutral.
type Livery struct {
	Apps     []string // in the order of the lanes
	Baseline string
}

// LiveryOf is the livery of a recorded race.
func LiveryOf(r race.Race) Livery {
	l := Livery{Baseline: r.Baseline}
	for _, lane := range r.Lanes {
		l.Apps = append(l.Apps, lane.App)
	}
	return l
}

// Dash is how the app's lines are broken (lengths of strokes and gaps in pixels), for those who see no colours; empty for a whole line.
func (l Livery) Dash(app string) []int {
	dashes := [][]int{{}, {8, 4}, {2, 3}, {12, 3, 2, 3}, {4, 2}}
	n := l.rank(app)
	if n < 0 {
		return dashes[0]
	}
	return dashes[n%len(dashes)]
}

// Colour is the app's colour; an app that is not in the race has none and is neutral too.
func (l Livery) Colour(app string) Colour {
	n := l.rank(app)
	if n < 0 {
		return Neutral()
	}
	palette := classic()
	return palette[n%len(palette)]
}

// rank is the app's place among those that are not the baseline, -1 for the baseline and for strangers.
func (l Livery) rank(app string) int {
	n := 0
	for _, a := range l.Apps {
		switch a {
		case l.Baseline:
		case app:
			return n
		default:
			n++
		}
	}
	return -1
}
