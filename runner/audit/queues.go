package audit

import (
	"fmt"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// queues tells what went wrong between workers and their queues.
func queues(o Observations, r *report) {
	for _, l := range o.Lanes {
		redelivered(o, l.App, r)
		poison(o, l.App, r)
		queueLost(o, l.App, r)
	}
}

func redelivered(o Observations, app string, r *report) {
	var again, all int64
	var in []int
	for _, h := range o.raced() {
		lane := h.Lanes[app]
		all += lane.Requests
		if again += lane.Redelivered; lane.Redelivered > 0 {
			in = append(in, h.Number)
		}
	}
	if again == 0 {
		return
	}
	share, severity := float64(again)/float64(max(all, 1)), race.Note
	if share > redeliveredWarning {
		severity = race.Warning
	}
	r.add(app, race.Redelivered, severity, "%d of %d messages (%s) were delivered more than once, in %s: the worker did part of its work twice, and its latency and CPU show that; is the queue's visibility timeout longer than a message takes?",
		again, all, percent(share), inHeats(in))
}

func poison(o Observations, app string, r *report) {
	left, most := 0, 0
	var letters int64
	var in []int
	for _, h := range o.raced() {
		lane := h.Lanes[app]
		left, letters, most = left+lane.Poison, letters+lane.DeadLetters, max(most, lane.PoisonReceives)
		if lane.Poison > 0 || lane.DeadLetters > 0 {
			in = append(in, h.Number)
		}
	}
	var what []string
	if letters > 0 {
		what = append(what, fmt.Sprintf("%d went to the dead-letter queue", letters))
	}
	if left > 0 {
		what = append(what, fmt.Sprintf("%d were still in the queue after the worker had received them up to %d times", left, most))
	}
	if len(what) > 0 {
		r.add(app, race.PoisonMessage, race.Warning, "could not finish some messages in %s, however often it received them: %s", inHeats(in), strings.Join(what, ", "))
	}
}

func queueLost(o Observations, app string, r *report) {
	var errors, all int64
	var in []int
	lost, lostIn := "", 0
	for _, h := range o.raced() {
		lane := h.Lanes[app]
		all += lane.Requests
		if errors += lane.QueueErrors; lane.QueueErrors > 0 {
			in = append(in, h.Number)
		}
		if lane.QueueLost != "" {
			lost, lostIn = lane.QueueLost, h.Number
		}
	}
	share := float64(errors) / float64(max(all, 1))
	switch {
	case lost != "":
		r.add(app, race.QueueLost, race.Unfair, "lost its queue in heat %d, and %d of its messages failed because of a queue: %s", lostIn, errors, lost)
	case share > queueErrorsUnfair:
		r.add(app, race.QueueLost, race.Unfair, "%d of %d messages (%s) failed because the queue itself could not be used, in %s: that is no fault of the worker", errors, all, percent(share), inHeats(in))
	case errors > 0:
		r.add(app, race.QueueLost, race.Warning, "%d of %d messages (%s) failed because the queue itself could not be used, in %s", errors, all, percent(share), inHeats(in))
	}
}
