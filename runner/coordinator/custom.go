package coordinator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/results"
)

// Ask evaluates the expressions of a race at the end of a stretch of time: values by measure and app, and what went wrong by measure.
type Ask func(ctx context.Context, own []race.CustomMeasure, apps []string, start, end time.Time) (values map[string]map[string]float64, wrong map[string]error)

// own are the measures that the race has of its own, as far as its lanes have emitted their metrics.
func (u *run) own() []race.CustomMeasure {
	var lanes []results.Lane
	for _, l := range u.lanes {
		lanes = append(lanes, l.results)
	}
	return results.Own(lanes, u.Definition.Measures)
}

// askOwn asks Prometheus for the heat's values of the script's expressions. A stretch in which others have their turn counts in full: an expression
// knows no turns.
func (h *heatRun) askOwn(ctx context.Context, end time.Time) {
	own := measure.Custom(nil, h.Definition.Measures)
	if h.Ask == nil || len(own) == 0 {
		return
	}
	var apps []string
	for _, l := range h.cfg.Lanes {
		apps = append(apps, l.App)
	}
	values, wrong := h.Ask(ctx, own, apps, h.began, end)
	for id, err := range wrong {
		if h.unanswered[id] == nil {
			h.View.Log(fmt.Sprintf("the measure %s has no value of heat %d: %v", id, h.plan.Number, err))
		}
		h.unanswered[id] = err
	}
	for _, app := range apps {
		heats := h.lane(app).results.Heats
		heat, told := heats[h.plan.Number]
		if !told {
			continue
		}
		heat.Asked = map[string]float64{}
		for id, byApp := range values {
			if v, known := byApp[app]; known {
				heat.Asked[id] = v
			}
		}
		heats[h.plan.Number] = heat
	}
}

// missing are the declared measures of which no heat has a value.
func (u *run) missing() []audit.Missing {
	var missing []audit.Missing
	for _, d := range u.Definition.Measures {
		if slices.ContainsFunc(u.record.CustomMeasures, func(c race.CustomMeasure) bool {
			return c.Metric == d.Name && d.Expr == "" || c.ID == d.Name && u.measured(c.ID)
		}) {
			continue
		}
		why := "no lane emitted a Trend, Rate or Counter of that name"
		switch err := u.unanswered[d.Name]; {
		case d.Expr != "" && err != nil:
			why = err.Error()
			if hint := race.HintOf(err); hint != "" {
				why += "; " + hint
			}
		case d.Expr == "" && u.record.K6 != nil:
			why = "a stock k6 tells the runner nothing of a script's own metrics; photofinish compare reads its Trends and Counters from Prometheus"
		case d.Expr != "":
			why = "its expression gave no value of an app that raced"
		}
		missing = append(missing, audit.Missing{Measure: d.Name, Why: why})
	}
	return missing
}

func (u *run) measured(id string) bool {
	return slices.ContainsFunc(u.record.Heats, func(h race.Heat) bool {
		for _, l := range h.Lanes {
			if l.Measures[id] != nil {
				return true
			}
		}
		return false
	})
}
