package daemon

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
	"github.com/photofinish/photofinish/runner/service"
	"github.com/photofinish/photofinish/runner/stage"
)

// racer runs races on a stage, as `photofinish race` does.
type racer struct {
	engines       stage.Engines
	k6            k6.K6
	temp          string
	prometheusURL string
	pyroscopeURL  string
	maxSeries     int
	receiver      *promserver.Receiver
	passing       stage.Passing
	log           *slog.Logger
}

// race implements service.Racer.
func (r racer) race(ctx context.Context, j service.Job) (race.Race, error) {
	s, err := stage.Prepare(ctx, stage.Options{
		Script: j.Script.Path, Overrides: j.Overrides, ID: j.ID, RequestedBy: j.RequestedBy,
		Engines: r.engines, Engine: j.Engine, K6: r.k6, Temp: r.temp, Recorder: j.Recorder, PrometheusURL: r.prometheusURL, PyroscopeURL: r.pyroscopeURL,
		MaxSeries: r.maxSeries, Receiver: r.receiver, Passing: r.passing,
		Check: j.Check, Watch: j.Watch,
		Say: func(format string, args ...any) {
			r.log.WarnContext(ctx, fmt.Sprintf(format, args...), "race", j.ID)
		},
	})
	if err != nil {
		return race.Race{}, err
	}
	defer s.Close()
	result, err := s.Run(ctx, j.View)
	return result.Record, err
}
