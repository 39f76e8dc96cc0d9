package definition

import (
	"encoding/json"
	"net/url"
	"strings"

	"k8s.io/utils/cpuset"

	"github.com/photofinish/photofinish/pkg/race"
)

// starters are the keys that say how an app comes to run. A command may stand beside one of the containers' keys: the engine takes its own.
var containers = []string{"image", "build", "compose"}

func parseLane(where, app string, raw json.RawMessage) (race.LaneSpec, error) {
	l := race.LaneSpec{App: app}
	m, err := fields(where, raw)
	if err != nil {
		return l, err
	}
	if err := onlyKeys(where, m, "url", "command", "image", "build", "compose", "port", "path", "cpus", "memory", "cpuset", "env", "health", "queue", "profile"); err != nil {
		return l, err
	}
	for key, into := range map[string]*string{"url": &l.URL, "image": &l.Image, "build": &l.Build, "compose": &l.Compose, "path": &l.Path} {
		if *into, err = text(m, where, key); err != nil {
			return l, err
		}
	}
	if l.Command, err = command(m, where); err != nil {
		return l, err
	}
	if l.Path != "" && !strings.HasPrefix(l.Path, "/") {
		l.Path = "/" + l.Path
	}
	if l.Compose != "" && !validCompose(l.Compose) {
		return l, invalid(where+".compose", "must be FILE#SERVICE, not %q", l.Compose)
	}
	if err := limits(&l, m, where); err != nil {
		return l, err
	}
	if l.Health, err = health(m, where); err != nil {
		return l, err
	}
	if l.Queue, err = workersQueue(m, where); err != nil {
		return l, err
	}
	if l.Profile, err = profile(m, where); err != nil {
		return l, err
	}
	if err := started(l, m, where); err != nil {
		return l, err
	}
	return l, nil
}

func command(m map[string]json.RawMessage, where string) ([]string, error) {
	if isNull(m["command"]) {
		return nil, nil
	}
	var line string
	words := []string{}
	if json.Unmarshal(m["command"], &line) == nil {
		words = strings.Fields(line)
	} else if json.Unmarshal(m["command"], &words) != nil {
		return nil, invalid(where+".command", "must be a string or a list of strings, not %s", short(m["command"]))
	}
	if len(words) == 0 || words[0] == "" {
		return nil, invalid(where+".command", "must not be empty")
	}
	return words, nil
}

func validCompose(s string) bool {
	file, service, ok := strings.Cut(s, "#")
	return ok && file != "" && service != ""
}

// resources are the CPUs and the memory that something may use.
func resources(m map[string]json.RawMessage, where string) (r race.Resources, err error) {
	cpus, given, err := value[float64](m, where, "cpus", "a number of CPUs like 0.5")
	if err != nil {
		return r, err
	}
	if given {
		if cpus < 0.01 || cpus > 1024 { // the kernel's shortest quota is 1 ms in 100 ms
			return r, invalid(where+".cpus", "is %v; it must be 0.01 to 1024", cpus)
		}
		r.CPUs = &cpus
	}
	r.Memory, err = memory(m, where, "memory")
	return r, err
}

func limits(l *race.LaneSpec, m map[string]json.RawMessage, where string) error {
	port, err := integer(m, where, "port")
	if err != nil {
		return err
	}
	if port != nil {
		if *port < 1 || *port > 65535 {
			return invalid(where+".port", "is %d; it must be 1 to 65535", *port)
		}
		l.Port = int(*port)
	}
	if l.Resources, err = resources(m, where); err != nil {
		return err
	}
	set, given, err := value[string](m, where, "cpuset", "a string like '0-1,3'")
	if err != nil {
		return err
	}
	if given {
		if !cpusetPattern.MatchString(set) {
			return invalid(where+".cpuset", "must be a list of CPUs like '0-1,3', not %q", set)
		}
		if _, err := cpuset.Parse(set); err != nil { // a range backwards
			return race.Errorf(race.Invalid, "write the lower number first", "%s.cpuset: %w", where, err).At(fieldOf(where + ".cpuset"))
		}
		l.CPUSet = &set
	}
	env, _, err := value[map[string]any](m, where, "env", "an object of strings")
	if err != nil {
		return err
	}
	l.Env, err = environment(env, where+".env")
	return err
}

func environment(env map[string]any, where string) (map[string]string, error) {
	if len(env) == 0 {
		return nil, nil
	}
	texts := map[string]string{}
	for name, v := range env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return nil, invalid(where, "%q is no name of a variable", name)
		}
		switch v := v.(type) {
		case string:
			texts[name] = v
		case float64, bool:
			b, err := json.Marshal(v)
			if err != nil {
				return nil, invalid(where+"."+name, "is not readable: %v", err)
			}
			texts[name] = string(b)
		default:
			return nil, invalid(where+"."+name, "must be a string")
		}
	}
	return texts, nil
}

func health(m map[string]json.RawMessage, where string) (race.Health, error) {
	h := race.Health{}
	if isNull(m["health"]) {
		return h, nil
	}
	where += ".health"
	if json.Unmarshal(m["health"], &h.Path) != nil {
		parts, err := fields(where, m["health"])
		if err != nil {
			return h, invalid(where, "must be a path or {path, timeout}, not %s", short(m["health"]))
		}
		if err := onlyKeys(where, parts, "path", "timeout"); err != nil {
			return h, err
		}
		if h.Path, err = text(parts, where, "path"); err != nil {
			return h, err
		}
		timeout, err := duration(parts, where, "timeout")
		if err != nil {
			return h, err
		}
		if timeout != nil {
			if *timeout == 0 {
				return h, invalid(where+".timeout", "must be above 0")
			}
			h.Timeout = *timeout
		}
	}
	if h.Path != "" && !strings.HasPrefix(h.Path, "/") {
		return h, invalid(where, "the path %q must begin with /", h.Path)
	}
	return h, nil
}

// repliesOf is what a queue's name is given for that of its replies, where the script does not say.
const repliesOf = "-replies"

// workersQueue reads the queues of a worker: the name or address of its messages, or {requests, replies}.
func workersQueue(m map[string]json.RawMessage, where string) (*race.Queue, error) {
	if isNull(m["queue"]) {
		return nil, nil //nolint:nilnil // an app that is no worker has none
	}
	q := &race.Queue{}
	if json.Unmarshal(m["queue"], &q.Requests) != nil {
		parts, err := fields(where+".queue", m["queue"])
		if err != nil {
			return nil, invalid(where+".queue", "must be the name or address of a queue or {requests, replies}, not %s", short(m["queue"]))
		}
		if err := onlyKeys(where+".queue", parts, "requests", "replies"); err != nil {
			return nil, err
		}
		for key, into := range map[string]*string{"requests": &q.Requests, "replies": &q.Replies} {
			if *into, err = text(parts, where+".queue", key); err != nil {
				return nil, err
			}
		}
	}
	if strings.TrimSpace(q.Requests) == "" {
		return nil, invalid(where+".queue", "names no queue for the messages")
	}
	if q.Replies == "" {
		q.Replies = q.Requests + repliesOf
	}
	if q.Replies == q.Requests {
		return nil, invalid(where+".queue", "has one queue for messages and replies; they must be two")
	}
	return q, nil
}

// started checks that there is exactly one way to reach the app under each engine.
func started(l race.LaneSpec, m map[string]json.RawMessage, where string) error {
	var given []string
	for _, key := range containers {
		if !isNull(m[key]) {
			given = append(given, key)
		}
	}
	switch {
	case len(given) > 1:
		return invalid(where, "has %s; choose one", strings.Join(given, " and "))
	case l.Queue != nil && l.Path != "":
		return race.Errorf(race.Invalid, "a worker is asked nothing by HTTP, so it has no path; port is for its health alone", "%s: has queue and path", where).At(fieldOf(where))
	case l.URL != "":
		for _, key := range []string{"command", "image", "build", "compose", "port", "path", "cpus", "memory", "cpuset", "env", "queue"} {
			if !isNull(m[key]) {
				return race.Errorf(race.Invalid, "an app with a url runs already: write its whole address as url, and leave the rest to who started it",
					"%s: has url and %s", where, key).At(fieldOf(where))
			}
		}
		return validURL(where+".url", l.URL)
	case l.Elsewhere():
		for _, key := range []string{"port", "cpus", "memory", "cpuset", "env", "health"} {
			if !isNull(m[key]) {
				return race.Errorf(race.Invalid, "a worker that is not started here runs already: give it a command, an image, a build folder or a compose service, or leave the rest to who started it",
					"%s: has queue and %s, and nothing to start", where, key).At(fieldOf(where))
			}
		}
	case len(given) == 0 && l.Command == nil:
		return race.Errorf(race.Invalid, "give it a command, an image, a build folder, a compose service or a url", "%s: says no way to start the app", where).At(fieldOf(where))
	case l.Port == 0 && l.Queue == nil:
		return race.Errorf(race.Invalid, "the app is told its port as PORT and has to listen there", "%s: has no port", where).At(fieldOf(where))
	}
	return nil
}

func validURL(where, s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return race.Errorf(race.Invalid, "write it like http://localhost:4000/path", "%s: %q is no http address", where, s).At(fieldOf(where))
	}
	return nil
}
