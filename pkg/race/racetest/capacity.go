package racetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// Capacity is a race of two apps that searched the highest rates that they hold: control 480/s, high-cpu 121/s.
func Capacity() race.Race {
	r := FourApps().Race
	r.ID, r.Name, r.PlannedHeats, r.Heats = "capacity-test-20260314-092650", "capacity-test", 1, r.Heats[:1]
	r.Lanes = []race.Lane{r.Lanes[0], r.Lanes[2]}
	r.Heats[0].Order = []string{"control", "high-cpu"}
	for app := range r.Heats[0].Lanes {
		if !slices.Contains(r.Heats[0].Order, app) {
			delete(r.Heats[0].Lanes, app)
		}
	}
	r.Audit.Findings = nil
	r.CustomMeasures = []race.CustomMeasure{measure.Capacity(1)}
	r.Capacity = &race.Capacity{
		Conditions: []race.Condition{{Measure: "latency_p95", Op: "<", Value: 60}, {Measure: "error_rate", Op: "<", Value: .01}}, Confidence: .95, PlannedTries: 16, MaxTries: 40,
		Lanes: []race.LaneCapacity{found(r, "control", 480, 200, 400, 800, 565.7, 475.7, 518.7, 496.7, 487, 477.4, 487, 477.4), found(r, "high-cpu", 121, 200, 100, 141.4, 118.9, 129.7, 124.2, 121.6, 119.2, 121.6, 119.2)},
	}
	for i := range r.Lanes {
		r.Lanes[i].Measures[race.CapacityMeasure] = r.Capacity.Lanes[i].Rate
	}
	r.Verdicts = verdict.JudgeRace(r, append(verdict.Catalogue(), verdict.Of(measure.Of(r.CustomMeasures...)[len(measure.All())])))
	return r
}

// found is a lane that holds a rate, after tries of others. Beyond it the p95 grows as a queue does.
func found(r race.Race, app string, rate float64, tried ...float64) race.LaneCapacity {
	low, high := rate*.98, rate*1.02
	l := race.LaneCapacity{App: app, Rate: &rate, Low: &low, High: &high, Limit: race.LimitApp}
	for i, asked := range tried {
		p95, errors := 4+20*max(0, asked/rate-.9), 0.
		t := race.Try{Heat: i + 2, StartedAt: at(*r.StartedAt, time.Duration(i)*duration), Phase: race.TrySearch, Rate: asked, Held: asked <= rate, Broke: []string{}}
		if i > 5 {
			t.Phase = race.TryConfirm
		}
		if !t.Held {
			p95 += 60 + 9000*(asked/rate-1)
			t.Limit, t.Broke = race.LimitApp, []string{fmt.Sprintf("latency_p95<60: %.3g ms", p95)}
			l.Broke = t.Broke[0]
		}
		t.Measures = map[string]*float64{"latency_p95": &p95, "error_rate": &errors, "request_rate": &asked}
		l.Tries = append(l.Tries, t)
	}
	return l
}
