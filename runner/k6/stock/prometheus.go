package stock

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// latencySeries is where a stock k6 writes http_req_duration, as a native histogram.
const latencySeries = "k6_http_req_duration_seconds"

// prometheus reads k6's histograms. Package promql, which the data source has, reads numbers only.
type prometheus struct {
	api v1.API
	url string
}

func newPrometheus(url string) (*prometheus, error) {
	client, err := api.NewClient(api.Config{Address: url})
	if err != nil {
		return nil, race.Errorf(race.Invalid, "give the address as http://host:9090", "%q is not the address of a Prometheus: %w", url, err)
	}
	return &prometheus{api: v1.NewAPI(client), url: url}, nil
}

// pushed are the histograms that k6 has pushed of a heat within the time before now: a stream for each series.
func (p *prometheus) pushed(ctx context.Context, raceID string, heat int, within time.Duration) (model.Matrix, error) {
	value, err := p.query(ctx, fmt.Sprintf(`%s{testid=%q,heat="%d"}[%ds]`, latencySeries, raceID, heat, int(within.Seconds())))
	if err != nil {
		return nil, err
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("prometheus answered with a %s", value.Type())
	}
	return matrix, nil
}

// final are the latencies of each lane in phase race of a heat that began within the time before now. Series that ended are among them.
func (p *prometheus) final(ctx context.Context, raceID string, heat int, within time.Duration) (map[string]stream.Histogram, error) {
	value, err := p.query(ctx, fmt.Sprintf(`last_over_time(%s{testid=%q,heat="%d",phase="race"}[%ds])`, latencySeries, raceID, heat, int(math.Ceil(within.Seconds()))))
	if err != nil {
		return nil, err
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("prometheus answered with a %s", value.Type())
	}
	found := map[string]stream.Histogram{}
	for _, s := range vector {
		if s.Histogram == nil {
			continue
		}
		app := string(s.Metric["app"])
		sum := found[app]
		sum.Merge(histogramOf(s.Histogram))
		found[app] = sum
	}
	return found, nil
}

func (p *prometheus) query(ctx context.Context, expr string) (model.Value, error) {
	value, _, _, err := p.api.Query(ctx, expr, time.Now())
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "", "prometheus at %s cannot be asked: %w", p.url, err)
	}
	return value, nil
}

// histogramOf reads Prometheus's form of a native histogram. How fine it is follows from the width of its buckets.
func histogramOf(h *model.SampleHistogram) stream.Histogram {
	out := stream.Histogram{Count: int64(h.Count), Sum: float64(h.Sum), Buckets: map[int]int64{}, Min: math.Inf(1), Max: math.Inf(-1)}
	for _, b := range h.Buckets {
		lower, upper := float64(b.Lower), float64(b.Upper)
		if lower <= 0 { // around zero
			out.Zero += int64(b.Count)
			out.Min = 0
			out.Max = max(out.Max, upper)
			continue
		}
		perOctave := 1 / math.Log2(upper/lower)
		out.Coarse = stream.Schema - int(math.Round(math.Log2(perOctave)))
		out.Buckets[int(math.Round(math.Log2(upper)*math.Exp2(math.Round(math.Log2(perOctave)))))] += int64(b.Count)
		out.Min, out.Max = min(out.Min, lower), max(out.Max, upper)
	}
	return out
}
