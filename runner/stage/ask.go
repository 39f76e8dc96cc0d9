package stage

import (
	"context"
	"time"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/coordinator"
)

// ask evaluates the expressions that a script has for measures.
func (m *metrics) ask(id string) coordinator.Ask {
	return func(ctx context.Context, own []race.CustomMeasure, apps []string, start, end time.Time) (map[string]map[string]float64, map[string]error) {
		q, err := promql.New(promql.Config{URL: m.url, Timeout: queryTimeout})
		if err != nil {
			wrong := map[string]error{}
			for _, c := range own {
				wrong[c.ID] = err
			}
			return nil, wrong
		}
		return compare.Ask(ctx, q, own, id, apps, start, end)
	}
}
