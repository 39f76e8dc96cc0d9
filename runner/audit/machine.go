package audit

import "github.com/photofinish/photofinish/pkg/race"

// interference looks at lanes that race together on shared CPUs: a warning where there was room, unfair where they fought.
func interference(o Observations, r *report) {
	if o.Mode != race.Together || o.Pinned || o.CPUs <= 0 || o.here() < 2 {
		return
	}
	var busy spread
	for _, h := range o.raced() {
		if used, ok := o.racers(h); ok {
			busy.see(h.Number, used/o.capacity(h))
		}
	}
	demand, known := o.demand()
	if !busy.lasting(contentionUnfair) {
		if known && demand > float64(o.CPUs) {
			room := ""
			if busy.known > 0 {
				room = "; they had room (at most " + percent(busy.worst) + " was used)"
			}
			r.add("", race.Interference, race.Warning, "the lanes raced together and may use %.3g CPUs with k6, the machine has %d%s, but a neighbour still delays answers: mode turns keeps them apart",
				demand, o.CPUs, room)
		}
		return
	}
	r.add("", race.Interference, race.Unfair, "the lanes and k6 raced together on %d shared CPUs and used more than %s of them in %d of %d heats (%s in heat %d): they waited for each other; use mode turns",
		o.CPUs, percent(contentionUnfair), busy.above(contentionUnfair), busy.known, percent(busy.worst), busy.worstHeat)
}

// here is how many lanes ran on this machine, or may have.
func (o Observations) here() (n int) {
	for _, l := range o.Lanes {
		if !l.Remote {
			n++
		}
	}
	return n
}

// demand is the CPUs that lanes and k6 may use at once: an unlimited lane and k6 count one each.
func (o Observations) demand() (cpus float64, known bool) {
	cpus = 1
	for _, l := range o.Lanes {
		switch {
		case l.Elsewhere || l.Remote:
		case l.Asked.CPUs != nil:
			cpus, known = cpus+*l.Asked.CPUs, true
		default:
			cpus, known = cpus+1, true
		}
	}
	return cpus, known
}

// racers is the CPU of this machine that lanes and k6 used, in seconds; ok is false where one of them is not known.
func (o Observations) racers(h Heat) (seconds float64, ok bool) {
	if !h.K6.Remote {
		if h.K6.CPU == nil {
			return 0, false
		}
		seconds = *h.K6.CPU
	}
	if h.Duration <= 0 {
		return 0, false
	}
	for _, l := range o.Lanes {
		lane, racing := h.Lanes[l.App]
		if !racing || l.Remote {
			continue // out of the race, or on a machine of its own: it used nothing of this one
		}
		if l.Elsewhere || lane.CPU == nil {
			return 0, false
		}
		seconds += *lane.CPU
	}
	return seconds, true
}

// capacity is all CPU time of the machine in the heat, in seconds.
func (o Observations) capacity(h Heat) float64 { return float64(o.CPUs) * h.Duration.Seconds() }

// otherLoad looks for CPU used by programs that are no part of the race, and by the hypervisor.
func otherLoad(o Observations, r *report) {
	if o.CPUs <= 0 {
		return
	}
	var others, stolen spread
	for _, h := range append(o.raced(), o.Tried...) {
		if h.Duration <= 0 {
			continue
		}
		if used, ok := o.racers(h); ok && h.Machine.Busy != nil {
			others.see(h.Number, max(0, *h.Machine.Busy-used-h.Machine.Own)/o.capacity(h))
		}
		if h.Machine.Steal != nil {
			stolen.see(h.Number, *h.Machine.Steal/o.capacity(h))
		}
	}
	if severity, ok := others.severity(otherWarning, otherUnfair); ok {
		r.add("", race.OtherLoad, severity, "programs that are no part of the race used %s of the machine's CPU in heat %d, and more than %s in %d of %d heats",
			percent(others.worst), others.worstHeat, percent(otherWarning), others.above(otherWarning), others.known)
	}
	if severity, ok := stolen.severity(stealWarning, stealUnfair); ok {
		r.add("", race.OtherLoad, severity, "the hypervisor took %s of the CPU time away in heat %d, and more than %s in %d of %d heats",
			percent(stolen.worst), stolen.worstHeat, percent(stealWarning), stolen.above(stealWarning), stolen.known)
	}
}
