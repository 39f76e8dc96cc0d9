package container

import (
	"bytes"
	"encoding/json"
	"net"
	"net/url"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// reached counts the requests of a probe by lane and host:port, from k6's own JSON output.
type reached map[string]stream.LaneResult

// take reads a line of that output; other lines are passed over.
func (r reached) take(line []byte) {
	if !bytes.Contains(line, []byte(`"http_reqs"`)) {
		return
	}
	var point struct {
		Metric, Type string
		Data         struct{ Tags map[string]string }
	}
	if json.Unmarshal(line, &point) != nil || point.Type != "Point" || point.Metric != "http_reqs" {
		return
	}
	host := target(point.Data.Tags)
	if lane, racing := r[point.Data.Tags["app"]]; racing && host != "" {
		lane.Reached[host]++
	}
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
