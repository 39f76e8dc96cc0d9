package promql

import (
	"context"
	"errors"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// Quantiler is a Querier that remembers whether its Prometheus knows histogram_quantiles().
type Quantiler interface {
	Querier
	KnowsQuantiles(ctx context.Context) bool
}

// TryQuantiles asks whether a Prometheus knows histogram_quantiles(), which reads a histogram once for several quantiles; reading is what takes long.
// The embedded one does, others under --enable-feature=promql-experimental-functions. sure is false where nothing was learned, as from one that is down.
func TryQuantiles(ctx context.Context, q Querier) (known, sure bool) {
	_, err := q.Query(ctx, At(`histogram_quantiles(vector(1), "quantile", 0.5)`, time.Unix(1, 0)))
	var answered *v1.Error
	refused := errors.As(err, &answered) && answered.Type == v1.ErrBadData
	return err == nil, err == nil || refused
}
