package stock

import (
	"encoding/json"
	"net"
	"net/url"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// reached counts the requests of a probe by lane and host:port, and sees how long its iterations took, from k6's own JSON output.
type reached map[string]stream.LaneResult

// take reads a line of that output; false is a line of something else.
func (r reached) take(line []byte) bool {
	var point struct {
		Metric, Type string
		Data         struct {
			Value float64
			Tags  map[string]string
		}
	}
	if json.Unmarshal(line, &point) != nil || point.Type != "Point" && point.Type != "Metric" {
		return false
	}
	if point.Type != "Point" {
		return true
	}
	lane, racing := r[point.Data.Tags["app"]]
	if !racing {
		return true
	}
	switch point.Metric {
	case "http_reqs":
		if host := target(point.Data.Tags); host != "" {
			lane.Reached[host]++
		}
	case "iteration_duration":
		lane.Iteration = max(lane.Iteration, time.Duration(point.Data.Value*float64(time.Millisecond)))
		r[point.Data.Tags["app"]] = lane
	}
	return true
}

// target is the host:port that a request was for: that of its url tag, else that of its name.
func target(tags map[string]string) string {
	for _, tag := range []string{"url", "name"} {
		u, err := url.Parse(tags[tag])
		if err != nil || u.Host == "" {
			continue
		}
		if u.Port() != "" {
			return u.Host
		}
		return net.JoinHostPort(u.Hostname(), map[string]string{"https": "443"}[u.Scheme]+map[string]string{"http": "80"}[u.Scheme])
	}
	return ""
}
