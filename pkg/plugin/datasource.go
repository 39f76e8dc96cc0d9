package plugin

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// Datasource is one configured data source. Grafana makes a new one whenever its settings change.
type Datasource struct {
	uid string
	backend.CallResourceHandler
	// broken is why the settings cannot be used: told at each query and by the health check, where a user reads it.
	broken error
	prom   promql.Querier
	runner *runnerclient.Client // nil where there is none
	// runnerBroken is why the runner's settings cannot be used. Queries do without it.
	runnerBroken error
	records      records
	join         compare.Join
	private      bool
	memory       *memory
	now          func() time.Time
}

var (
	_ backend.QueryDataHandler    = (*Datasource)(nil)
	_ backend.CheckHealthHandler  = (*Datasource)(nil)
	_ backend.CallResourceHandler = (*Datasource)(nil)
	_ backend.StreamHandler       = (*Datasource)(nil)
)

// New makes a data source of its settings. Settings that cannot be used are no error here: Grafana would only say that the plugin failed.
func New(ctx context.Context, instance backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	d := &Datasource{uid: instance.UID, memory: newMemory(memoryBytes), now: time.Now}
	d.CallResourceHandler = httpadapter.New(d.routes())
	s, err := readSettings(instance.JSONData)
	if err != nil {
		d.broken = err
		return d, nil
	}
	d.join, d.private = s.join(), s.private()
	client, err := prometheus(ctx, instance, s)
	if err != nil {
		d.broken = err
	} else {
		d.prom = newShared(client, d.memory, d.private)
	}
	d.runner, d.runnerBroken = runner(s, instance.DecryptedSecureJSONData)
	d.records = records{runner: d.runner, broken: d.runnerBroken, memory: d.memory, listed: newMemory(listBytes)}
	return d, nil
}
