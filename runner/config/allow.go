package config

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/images"
	"github.com/photofinish/photofinish/runner/plan"
)

// Allows says whether a race is within the limits.
func (l Limits) Allows(d race.Definition, p plan.Plan) error {
	over := func(field, what string, got, most any) error {
		return race.Errorf(race.Invalid, "ask for less, or let the runner's configuration allow more", "%s is %v; this runner allows at most %v", what, got, most).At(field)
	}
	switch {
	case len(d.Lanes) > l.Lanes:
		return over("lanes", "the number of lanes", len(d.Lanes), l.Lanes)
	case d.Heats > l.Heats:
		return over("heats", "the number of heats", d.Heats, l.Heats)
	case d.Duration > time.Duration(l.Duration):
		return over("load.duration", "the duration of a heat", d.Duration, time.Duration(l.Duration))
	case d.Warmup > time.Duration(l.Warmup):
		return over("warmup", "the warm-up", d.Warmup, time.Duration(l.Warmup))
	case p.Estimate > time.Duration(l.Race):
		return over("heats", "the estimated length of the race", p.Estimate.Round(time.Second), time.Duration(l.Race))
	}
	for _, lane := range d.Lanes {
		vus, rate, err := definition.Peaks(d.Scenarios, lane.App)
		switch {
		case err != nil:
			return err
		case rate > l.Rate:
			return over("load.rate", "the rate per second of lane "+lane.App, rate, l.Rate)
		case vus > l.VUs:
			return over("load.vus", "the number of VUs of lane "+lane.App, vus, l.VUs)
		}
	}
	return nil
}

// Allows says whether a request may say this of its lanes. asked names the keys that it gave for each app.
func (l Lanes) Allows(d race.Definition, asked map[string][]string) error {
	refuse := func(app, key, list string) error {
		return race.Errorf(race.Invalid, "put the lane into a script, or let the runner's configuration allow it in lanes."+list,
			"lanes.%s.%s: this runner does not allow that of a request", app, key).At("lanes." + app + "." + key)
	}
	for _, lane := range d.Lanes {
		for _, key := range asked[lane.App] {
			switch key {
			case "url":
				if !slices.ContainsFunc(l.URLHosts, func(p string) bool { return hostMatches(p, lane.URL) }) {
					return refuse(lane.App, key, "url_hosts")
				}
			case "command":
				if !slices.Contains(l.Commands, strings.Join(lane.Command, " ")) {
					return refuse(lane.App, key, "commands")
				}
			case "image":
				if !images.Match(l.Images, lane.Image) {
					return refuse(lane.App, key, "images")
				}
			case "env":
				for name := range lane.Env {
					if !slices.Contains(l.Env, name) {
						return refuse(lane.App, key+"."+name, "env")
					}
				}
			case "cpus", "memory", "cpuset":
				if !l.Resources {
					return refuse(lane.App, key, "resources")
				}
			case "port", "path", "health":
			case "profile":
				if lane.Profile.Pyroscope != "" && !slices.ContainsFunc(l.URLHosts, func(p string) bool { return hostMatches(p, lane.Profile.Pyroscope) }) {
					return refuse(lane.App, key+".pyroscope", "url_hosts")
				}
			default: // build and compose name files of this machine
				return race.Errorf(race.Invalid, "put the lane into a script", "lanes.%s.%s: a request cannot bring that", lane.App, key).At("lanes." + lane.App + "." + key)
			}
		}
	}
	return nil
}

// hostMatches compares the host of an address with host, host:port, *.domain or *.domain:port.
func hostMatches(pattern, address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host, port := pattern, ""
	if h, p, err := net.SplitHostPort(pattern); err == nil {
		host, port = h, p
	}
	actual := u.Port()
	if actual == "" {
		actual = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if port != "" && port != actual {
		return false
	}
	name := strings.ToLower(u.Hostname())
	if domain, wild := strings.CutPrefix(host, "*."); wild {
		return strings.HasSuffix(name, "."+strings.ToLower(domain))
	}
	return name == strings.ToLower(host)
}
