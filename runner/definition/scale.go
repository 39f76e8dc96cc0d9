package definition

import (
	"encoding/json"
	"math"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// configStage is a stage as k6 reads it.
type configStage struct {
	Duration string  `json:"duration"`
	Target   float64 `json:"target"`
}

// scale stretches a scenario in time.
func scale(s race.Scenario, factor float64) error {
	stretch := func(d time.Duration) string { return time.Duration(math.Round(float64(d) * factor)).String() }
	t, err := TimesOf(s)
	if err != nil {
		return err
	}
	if t.Start > 0 {
		set(s.Config, "startTime", stretch(t.Start))
	}
	if !ramps(s) {
		// A scenario much shorter than the longest must not vanish.
		set(s.Config, lengthKey(s), stretch(max(t.Length, time.Duration(float64(time.Millisecond)/factor))))
		return nil
	}
	return mapStages(s, func(d time.Duration, target float64) configStage { return configStage{stretch(d), target} })
}

// rampTo keeps the shape of a ramp of VUs and sets its peak.
func rampTo(s *race.Scenario, peak int64) error {
	r, err := RampOf(*s)
	if err != nil {
		return err
	}
	factor := float64(peak) / r.Peak()
	set(s.Config, "startVUs", math.Round(r.Start*factor))
	return mapStages(*s, func(d time.Duration, target float64) configStage {
		return configStage{d.String(), math.Round(target * factor)}
	})
}

// mapStages rewrites the stages; targets are in the scenario's own unit.
func mapStages(s race.Scenario, change func(time.Duration, float64) configStage) error {
	where := "options.scenarios." + s.Name
	stages, _, err := value[[]map[string]json.RawMessage](s.Config, where, "stages", "a list of {duration, target}")
	if err != nil {
		return err
	}
	var changed []configStage
	for _, m := range stages {
		d, err := duration(m, where+".stages", "duration")
		if err != nil {
			return err
		}
		if d == nil {
			return invalid(where+".stages", "a stage has no duration")
		}
		target, _, err := value[float64](m, where+".stages", "target", "a number")
		if err != nil {
			return err
		}
		changed = append(changed, change(*d, target))
	}
	set(s.Config, "stages", changed)
	return nil
}

// set stores what JSON can always hold: texts, finite numbers and stages.
func set(m map[string]json.RawMessage, key string, v any) {
	if raw, err := json.Marshal(v); err == nil {
		m[key] = raw
	}
}
