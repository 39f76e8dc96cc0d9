package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/trend"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/terminal"
)

// trendMeasures are those that a history is told of.
func trendMeasures() []string {
	return []string{"latency_p50", "latency_p95", "cpu_ms_per_request", "memory_working_set", "error_rate"}
}

// showTrend tells where apps changed over several races of one name.
func (f compareFlags) showTrend(ctx context.Context, c console, ids []string) error {
	if f.failOn != "" || f.handouts != (handouts{}) || f.baselineRace != "" || len(f.effects) > 0 {
		return race.Errorf(race.Invalid, "leave them out, or compare the newest race by itself", "--fail-on, --markdown, --junit, --baseline-race and --minimum-effect are about single races, and --trend is not")
	}
	var races []race.Race
	for _, id := range ids {
		r, err := f.load(ctx, id)
		if err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		races = append(races, r.Race)
	}
	if other := slices.IndexFunc(races, func(r race.Race) bool { return r.Name != races[0].Name }); other >= 0 {
		return race.Errorf(race.Invalid, "name the races of one of them", "a trend is that of the races of one name, and these are of %s and %s", races[0].Name, races[other].Name)
	}
	histories := trend.Of(races, trendMeasures(), trend.Options{MinMagnitude: verdict.DefaultMinimumEffect})
	if len(histories) == 0 {
		return race.Errorf(race.Invalid, "name more races", "none of these races was finished and fair, so there is no trend")
	}
	if f.json {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(histories); err != nil {
			return fmt.Errorf("write the trend to standard output: %w", err)
		}
		return nil
	}
	c.say("%d races of %s", len(races), races[0].Name)
	return terminal.Trend(c.out, histories, terminalOptions(c.out))
}
