// Package promserver is a Prometheus server inside the runner's own process, made of Prometheus' own packages: its time series
// database, its PromQL engine, its scraper, its remote-write receiver and its HTTP query API. Grafana, promtool and client_golang
// can be pointed at its URL as at any Prometheus; what it leaves out is rules, alerts, service discovery and the web pages.
//
// It is tuned for a race: a few hundred series, one sample a second, minutes rather than weeks.
package promserver
