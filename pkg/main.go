// Command gpx_photofinish is the back end of the Grafana data source photofinish-race-datasource. Grafana starts it and talks to it over gRPC.
package main

import (
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"github.com/photofinish/photofinish/pkg/gctuner"
	"github.com/photofinish/photofinish/pkg/plugin"
)

func main() {
	gctuner.Roomy(plugin.RoomyHeap)
	if err := datasource.Manage(plugin.ID, plugin.New, datasource.ManageOpts{}); err != nil {
		log.DefaultLogger.Error("the data source has stopped", "error", err)
		os.Exit(1)
	}
}
