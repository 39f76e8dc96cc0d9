package terminal

import (
	"fmt"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// plain says what lines a snapshot is worth where nothing can be redrawn: one at the end of each heat, and one every few seconds.
type plain struct {
	said     time.Duration // elapsed time of the race at the last line
	heatDone int           // the last heat whose end was told
}

func (p *plain) lines(before *race.Snapshot, s race.Snapshot) []string {
	var out []string
	if before != nil && s.Heat > before.Heat {
		out = append(out, p.end(*before)...)
	}
	if s.Phase == "race" && s.Elapsed-p.said >= plainEvery {
		p.said = s.Elapsed
		out = append(out, fmt.Sprintf("%s heat %d of %d: %s", scoreboard.Clock(s.Elapsed), s.Heat, s.Heats, moment(s)))
	}
	return out
}

// end is the line of a heat that is over, none where it was told before. The last snapshot of a heat counts all of its answers.
func (p *plain) end(last race.Snapshot) []string {
	if last.Heat <= p.heatDone {
		return nil
	}
	p.heatDone, p.said = last.Heat, last.Elapsed
	return []string{fmt.Sprintf("%s heat %d of %d done: %s", scoreboard.Clock(last.Elapsed), last.Heat, last.Heats, heatEnd(last))}
}

// heatEnd counts what was done so far in the race.
func heatEnd(s race.Snapshot) string {
	var parts []string
	for _, l := range s.Lanes {
		part := fmt.Sprintf("%s %s requests, %s failed", printable(l.App), scoreboard.Thousands(l.Requests), scoreboard.Thousands(l.Failed))
		if l.Out != "" {
			part += ", out: " + printable(l.Out)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " · ")
}

// moment is each app over the last second.
func moment(s race.Snapshot) string {
	var parts []string
	for _, l := range s.Lanes {
		part := printable(l.App)
		switch {
		case l.Out != "":
			part += " out: " + printable(l.Out)
		case !l.Racing:
			part += " waits"
		default:
			part += fmt.Sprintf(" %.0f/s", l.Rate)
			if l.P95MS > 0 {
				part += " p95 " + scoreboard.Milliseconds(l.P95MS)
			}
			if l.CPUCores != nil {
				part += fmt.Sprintf(" cpu %.2f", *l.CPUCores)
			}
			if l.MemoryBytes != nil {
				part += " mem " + scoreboard.Bytes(*l.MemoryBytes)
			}
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " · ")
}
