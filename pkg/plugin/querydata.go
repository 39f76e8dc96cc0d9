package plugin

import (
	"context"
	"sync"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"golang.org/x/sync/errgroup"
)

// QueryData implements backend.QueryDataHandler. Each query answers or fails by itself.
func (d *Datasource) QueryData(ctx context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	response := backend.NewQueryDataResponse()
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(maxQueriesAtOnce)
	for _, dq := range req.Queries {
		group.Go(func() error {
			one := d.answer(ctx, dq)
			mu.Lock()
			defer mu.Unlock()
			response.Responses[dq.RefID] = one
			return nil
		})
	}
	_ = group.Wait() // its functions return no errors
	return response, nil
}

func (d *Datasource) answer(ctx context.Context, dq backend.DataQuery) backend.DataResponse {
	if d.broken != nil {
		return failed(d.broken)
	}
	q, err := readQuery(dq)
	if err != nil {
		return failed(err)
	}
	a, err := d.handler(q)(ctx, q)
	if err != nil {
		return failed(err)
	}
	frames := a.finish()
	for _, f := range frames {
		f.RefID = q.RefID
	}
	return backend.DataResponse{Frames: frames, Status: backend.StatusOK}
}

func (d *Datasource) handler(q query) func(context.Context, query) (answer, error) {
	switch q.Type {
	case typeStandings:
		return d.standings
	case typeVerdict:
		return d.verdict
	case typeDistribution:
		return d.distribution
	case typeRaces:
		return d.races
	case typeEvents:
		return d.events
	default: // readQuery lets no other type through
		return d.timeSeries
	}
}
