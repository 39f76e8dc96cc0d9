package coordinator

import (
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/plan"
)

// cutBy cuts the plan's heats by how long an iteration takes.
func (u *run) cutBy(iteration time.Duration) {
	u.Plan = u.Plan.Cut(max(u.Iteration, iteration))
	u.record.Turns = turnsOf(u.Plan)
}

// cutOthers cuts the heats after the first one by how long its iterations took, in the lane where it was longest: the probe met apps that had just been
// started, and their first answer may take far longer than all others. A stock k6 does not tell.
func (h *heatRun) cutOthers() {
	var longest time.Duration
	for _, r := range h.result {
		longest = max(longest, r.Iteration)
	}
	if longest > 0 && len(h.Plan.Heats) > 1 {
		h.cutBy(longest)
	}
}

// turnsOf is how a plan cuts its heats; nil where all lanes race together.
func turnsOf(p plan.Plan) *race.Rhythm {
	if p.Mode != race.Turns {
		return nil
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return &race.Rhythm{BlockMS: ms(p.Rhythm.Block), GapMS: ms(p.Rhythm.Gap), TailMS: ms(p.Rhythm.Tail)}
}
