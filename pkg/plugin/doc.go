// Package plugin is the back end of the Grafana data source: it answers queries with data frames, checks its own health, and passes on to the
// companion runner what a user's role allows. It is the only package that imports the Grafana SDK.
//
// A query goes through four steps, each in files of its own: it is read and checked (query.go, variables.go), the races it names are found
// (list.go, targets.go), pkg/compare, pkg/verdict and pkg/past work on them, and the result becomes frames (timeseries.go, standings.go,
// verdict.go, distribution.go, races.go, events.go, live.go). What goes on in a race reaches Grafana as a stream (stream.go). All questions to Prometheus go through one place (sharing.go) that shares
// equal ones, bounds how many are in flight, and remembers what was asked about finished races.
package plugin

// ID is the id of plugin.json.
const ID = "photofinish-race-datasource"
