// Package race is the domain of Photofinish: what a race, a lane, a heat and a verdict are, and how a race is recorded in race.json.
// It imports only the standard library; technology (k6, Prometheus, Docker, Grafana) lives in other packages that import this one.
//
// Units: durations in JSON are milliseconds unless the field's name says otherwise, memory is bytes, CPU is seconds,
// times are RFC 3339 in UTC, ratios are app / baseline.
package race
