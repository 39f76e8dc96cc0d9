package plugin

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"golang.org/x/sync/errgroup"

	"github.com/photofinish/photofinish/pkg/race"
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

func (d *Datasource) answer(ctx context.Context, dq backend.DataQuery) (response backend.DataResponse) {
	defer func() { // in a goroutine of its own a panic would end the plugin and every other query with it
		if r := recover(); r != nil {
			backend.Logger.FromContext(ctx).Error("a query panicked", "refId", dq.RefID, "panic", r, "stack", string(debug.Stack()))
			response = failed(race.Errorf(race.Internal, "please report this with the plugin's log", "the data source failed on this query: %v", r))
		}
	}()
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
	if len(a.executed) == 0 {
		a.executed = listQueries(d) // no race was found: what was searched for it
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
	case typeLive:
		return d.live
	case typeProfile:
		return d.profile
	default: // readQuery lets no other type through
		return d.timeSeries
	}
}
