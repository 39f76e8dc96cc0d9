package config

import (
	"crypto/sha256"
	"math"
	"net"
	"net/url"
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/images"
	"github.com/photofinish/photofinish/runner/pyroscope"
)

func wrong(key, hint, format string, args ...any) error {
	return race.Errorf(race.Invalid, hint, key+": "+format, args...)
}

// check looks at what can be told of the file alone.
func (c Config) check() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return wrong("listen", "write it like 127.0.0.1:8737", "%q is not host:port", c.Listen)
	}
	switch {
	case c.Data == "":
		return wrong("data", "", "names no folder")
	case c.Scripts.Folder == "":
		return wrong("scripts.folder", "", "names no folder")
	case c.Token.Check("token") != nil:
		return c.Token.Check("token")
	case (c.TLS.Cert == "") != (c.TLS.Key == ""):
		return wrong("tls", "", "needs both cert and key")
	case len(c.Engines) == 0:
		return wrong("engines", "name process", "names none")
	case !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level):
		return wrong("log.level", "choose debug, info, warn or error", "%q is not known", c.Log.Level)
	case !slices.Contains([]string{"text", "json"}, c.Log.Format):
		return wrong("log.format", "choose text or json", "%q is not known", c.Log.Format)
	}
	if c.Prometheus.URL != "" {
		u, err := url.Parse(c.Prometheus.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return wrong("prometheus.url", "write it like http://127.0.0.1:9090", "%q is no http address", c.Prometheus.URL)
		}
	}
	if c.RemoteWrite.Given() {
		if c.Prometheus.URL != "" {
			return wrong("remote_write", "leave one of them out; results go to prometheus.url without a name and a password, and to remote_write.url beside the embedded Prometheus",
				"comes beside prometheus.url")
		}
		if err := c.RemoteWrite.CheckURL("remote_write"); err != nil {
			return err
		}
	}
	if c.Pyroscope.URL != "" {
		if err := pyroscope.Server(c.Pyroscope.URL).Check(); err != nil {
			return wrong("pyroscope.url", race.HintOf(err), "%w", err)
		}
	}
	for key, patterns := range map[string][]string{"docker.images": c.Docker.Images, "kubernetes.images": c.Kubernetes.Images, "lanes.images": c.Lanes.Images} {
		if err := images.Check(patterns); err != nil {
			return wrong(key, race.HintOf(err), "%w", err)
		}
	}
	if slices.Contains(c.Engines, "docker") && len(c.Docker.Images) == 0 && !c.Docker.Build {
		return wrong("docker.images", `name what may be run, like ["photofinish/*"], or allow builds with docker.build`, "names none, and engines has docker: no container could be started")
	}
	if slices.Contains(c.Engines, "kubernetes") && len(c.Kubernetes.Images) == 0 {
		return wrong("kubernetes.images", `name what may be run, like ["photofinish/*"]`, "names none, and engines has kubernetes: no pod could be started")
	}
	if c.Retention.Keep < 0 || c.Retention.OlderThan < 0 || c.Retention.Keep == 0 && c.Retention.OlderThan > 0 {
		return wrong("retention.keep", "say how many of the newest races stay, however old", "must be above 0 where old races are to be removed")
	}
	if err := checkSchedules(c.Schedules); err != nil {
		return err
	}
	return c.Limits.check()
}

func (l Limits) check() error {
	for key, n := range map[string]float64{
		"body": float64(l.Body), "parallel": float64(l.Parallel), "queue": float64(l.Queue), "streams": float64(l.Streams), "lanes": float64(l.Lanes) - 1,
		"heats": float64(l.Heats), "duration": float64(l.Duration), "race": float64(l.Race), "vus": float64(l.VUs), "rate": l.Rate, "series": float64(l.Series),
	} {
		if math.IsNaN(n) || math.IsInf(n, 0) { // YAML has both, and nothing would be above them
			return wrong("limits."+key, "", "is %v; it must be a number above 0", n)
		}
		if n <= 0 {
			return wrong("limits."+key, "", "is too small: no race would be possible")
		}
	}
	if l.Warmup < 0 {
		return wrong("limits.warmup", "", "is below 0")
	}
	return nil
}

// Remote says whether the API is to be reached from other machines.
func (c Config) Remote() bool {
	host, _, _ := net.SplitHostPort(c.Listen)
	ip := net.ParseIP(host)
	return host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// Secret is a token that is kept as its hash: comparing hashes takes the same time whatever they are.
type Secret struct {
	hash  [sha256.Size]byte
	known bool
}

// ReadToken reads the token. There may be none where only this machine can reach the API.
func (c Config) ReadToken() (Secret, error) {
	text, err := c.Token.Read("token")
	switch {
	case err != nil:
		return Secret{}, err
	case text != "":
		return NewSecret(text), nil
	case c.Remote():
		return Secret{}, wrong("token", "name a file with token.file or a variable with token.env, or listen on 127.0.0.1",
			"there is none, and listen %s can be reached from other machines", c.Listen)
	}
	return Secret{}, nil
}

// NewSecret makes a Secret of a token.
func NewSecret(token string) Secret { return Secret{hash: sha256.Sum256([]byte(token)), known: true} }
