package plugin

import (
	"context"
	"errors"
	"sync"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"golang.org/x/sync/errgroup"

	"github.com/photofinish/photofinish/pkg/panics"
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

// answer answers one query. Whatever it panics with, in whatever goroutine, is its own error: it must not end the plugin and every other query with it.
func (d *Datasource) answer(ctx context.Context, dq backend.DataQuery) backend.DataResponse {
	var frames data.Frames
	err := panics.Catch(func() (err error) {
		frames, err = d.frames(ctx, dq)
		return err
	})
	var caught *panics.Error
	switch {
	case errors.As(err, &caught):
		backend.Logger.FromContext(ctx).Error("a query panicked", "refId", dq.RefID, "panic", caught.Value, "stack", string(caught.Stack))
		return failed(race.Errorf(race.Internal, "please report this with the plugin's log", "the data source failed on this query: %v", caught.Value))
	case err != nil:
		return failed(err)
	}
	return backend.DataResponse{Frames: frames, Status: backend.StatusOK}
}

func (d *Datasource) frames(ctx context.Context, dq backend.DataQuery) (data.Frames, error) {
	if d.broken != nil {
		return nil, d.broken
	}
	q, err := readQuery(dq)
	if err != nil {
		return nil, err
	}
	a, err := d.handler(q)(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(a.executed) == 0 {
		a.executed = listQueries(d) // no race was found: what was searched for it
	}
	frames := a.finish()
	for _, f := range frames {
		f.RefID = q.RefID
	}
	return frames, nil
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
