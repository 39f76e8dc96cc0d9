package terminal

import (
	"fmt"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// track draws the live block: a head line, then a row per app. A wide window has one line per app, with titles above; a medium one two, a narrow one three.
type track struct {
	paint         paint
	width, height int
}

// The widths of the columns to the right of the lanes, blanks included.
const (
	placeWidth     = 3
	maxAppWidth    = 18
	clientWidth    = 44 // requests, rate, p95, errors, with labels
	containerWidth = 44 // CPU and memory, with gauges and labels
	gaugeWidth     = 6
	minLane        = 24 // a shorter lane shows nothing
)

func (t track) draw(s race.Snapshot, detail string) []*line {
	app := 0
	for _, l := range s.Lanes {
		app = max(app, columns(printable(l.App)))
	}
	app = min(app, maxAppWidth)
	lines := []*line{t.head(s, detail)}
	perApp := t.linesPerApp(app)
	room := max(1, (t.height-2)/perApp) // of the window, below the head
	for i, l := range s.Lanes {
		if i == room-1 && len(s.Lanes) > room {
			more := fmt.Sprintf("… and %s more: the window is too low", scoreboard.Count(len(s.Lanes)-i, "lane"))
			return append(lines, new(line).add(cut(more, t.width), t.paint.dim))
		}
		lines = append(lines, t.row(s, l, app, perApp)...)
	}
	return lines
}

func (t track) linesPerApp(app int) int {
	switch {
	case t.width >= placeWidth+app+1+minLane+1+clientWidth+containerWidth:
		return 1
	case t.width >= placeWidth+clientWidth+containerWidth:
		return 2
	}
	return 3
}

// head says where the race is: "Racing · heat 3 of 12 · together      0:41, about 2:10 to go".
func (t track) head(s race.Snapshot, detail string) *line {
	parts := []string{StatusWord(s.Status)}
	heat := fmt.Sprintf("heat %d of %d", s.Heat, s.Heats)
	if strings.HasPrefix(detail, "heat ") { // also that of the next one, of which nothing else is known yet
		heat, detail = detail, ""
	}
	if s.Heat > 0 && !s.Status.Ended() {
		parts = append(parts, heat)
	}
	if s.Mode != "" {
		parts = append(parts, map[race.Mode]string{race.Together: "together", race.Turns: "in turns", race.Auto: "auto"}[s.Mode])
	}
	if detail != "" {
		parts = append(parts, detail)
	}
	clock := scoreboard.Clock(s.Elapsed)
	if !s.Status.Ended() {
		clock += ", about " + scoreboard.Clock(s.Remaining) + " to go"
	}
	text := cut(strings.Join(parts, " · "), t.width-columns(clock)-2)
	return new(line).add(text, t.paint.bold).to(t.width-columns(clock)).add(clock, t.paint.dim)
}

func (t track) row(s race.Snapshot, l race.LaneSnapshot, app, perApp int) []*line {
	place := scoreboard.Absent
	if l.Place > 0 && l.Out == "" {
		place = fmt.Sprint(l.Place)
	}
	first := new(line).add(right(place, placeWidth-1)+" ", t.paint.bold)
	first.add(left(cut(printable(l.App), app), app)+" ", func(x string) string { return t.paint.app(l.App, x) })
	right := 0
	if perApp == 1 {
		right = 1 + clientWidth + containerWidth
	}
	t.lane(first, s, l, t.width-first.width-right)
	switch perApp {
	case 1:
		t.container(t.client(first.text(" "), l), l)
		return []*line{first}
	case 2:
		second := new(line).text(strings.Repeat(" ", placeWidth))
		t.container(t.client(second, l), l)
		return []*line{first, second}
	}
	indent := strings.Repeat(" ", placeWidth)
	return []*line{first, t.client(new(line).text(indent), l), t.container(new(line).text(indent), l)}
}

// client writes what k6 sees.
func (t track) client(b *line, l race.LaneSnapshot) *line {
	mark := ""
	if l.Failed > 0 {
		mark = "!"
	}
	p95 := scoreboard.Absent
	if l.P95MS > 0 {
		p95 = scoreboard.Milliseconds(l.P95MS)
	}
	var past func(string) string // a waiting lane's are those of its last turn
	if !l.Racing {
		past = t.paint.dim
	}
	b.text(right(short(float64(l.Requests)), 6)).add(" req", t.paint.dim)
	b.add(right(short(l.Rate), 6), past).add("/s", t.paint.dim)
	b.add("  p95", t.paint.dim).add(right(p95, 9), past)
	b.add("  err", t.paint.dim).text(right(scoreboard.Percent(l.ErrorRate), 7))
	return b.text(left(mark, 2))
}

// container writes what the app spends, each with a gauge up to the lane's limit.
func (t track) container(b *line, l race.LaneSnapshot) *line {
	cpu, memory := scoreboard.Absent, scoreboard.Absent
	if l.CPUCores != nil {
		cpu = fmt.Sprintf("%.2f", *l.CPUCores)
	}
	if l.MemoryBytes != nil {
		memory = scoreboard.Bytes(*l.MemoryBytes)
	}
	b.add("cpu ", t.paint.dim)
	t.gauge(b, l.App, l.CPUCores, l.CPULimit).text(right(cpu, 5))
	b.add("  mem ", t.paint.dim)
	return t.gauge(b, l.App, l.MemoryBytes, l.MemoryLimit).text(right(memory, 9))
}

// gauge draws a share of a limit, the limit as a stop; blanks where there is none. A full gauge is marked.
func (t track) gauge(b *line, app string, v, limit *float64) *line {
	if v == nil || limit == nil || *limit <= 0 {
		return b.text(strings.Repeat(" ", gaugeWidth+2))
	}
	share := *v / *limit
	full := min(gaugeWidth, max(0, int(share*gaugeWidth+.5)))
	b.add(strings.Repeat("━", full), func(x string) string { return t.paint.app(app, x) })
	b.add(strings.Repeat("╌", gaugeWidth-full)+"┃", t.paint.dim)
	if share >= .9 {
		return b.text("!")
	}
	return b.text(" ")
}

// lane draws the way to the finish: the trail behind the runner, heats as ticks, a chequered line at the end.
func (t track) lane(b *line, s race.Snapshot, l race.LaneSnapshot, width int) {
	const capsule, finish = 3, 2
	way := width - finish
	head := int(l.Done * float64(way-capsule)) // the runner's first column
	head = min(max(head, 0), way-capsule)
	cells := func(from, to int, plain, tick rune) string {
		var c strings.Builder
		for i := from; i < to; i++ {
			if t.tick(i, way, s.Heats) {
				c.WriteRune(tick)
			} else {
				c.WriteRune(plain)
			}
		}
		return c.String()
	}
	mine := func(x string) string { return t.paint.app(l.App, x) }
	if l.Out != "" {
		out := "✗ out: " + printable(l.Out)
		if columns(out)+1 > way-head { // no room behind the place where it stopped
			head = max(0, way-columns(out)-1)
		}
		out = cut(out+" ", way-head)
		b.add(cells(0, head, '╌', '┊'), t.paint.dim).text(out)
		b.add(cells(head+columns(out), way, '┄', '┊'), t.paint.dim)
	} else {
		runner := "▐█▌"
		if !l.Racing {
			runner = "▐▒▌"
		}
		b.add(cells(0, head, '━', '┿'), mine).add(runner, mine)
		b.add(cells(head+capsule, way, '┄', '┊'), t.paint.dim)
	}
	b.text(strings.Repeat("▚", finish))
}

// tick says whether a heat ends at the i-th column of the way. Where ticks would stand too close there are none.
func (t track) tick(i, way, heats int) bool {
	if heats < 2 || way/heats < 3 {
		return false
	}
	for k := 1; k < heats; k++ {
		if i == k*way/heats {
			return true
		}
	}
	return false
}

// short writes a number in at most five columns: "812", "12.3k", "1.2M".
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.1fM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.1fk", v/1e3)
	}
	return fmt.Sprintf("%.0f", v)
}
