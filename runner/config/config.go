// Package config is the configuration of the runner as a service: a YAML file in which every limit has a name, a default and a reason.
// What is not allowed in it is not possible through the API.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/docker/go-units"
	"go.yaml.in/yaml/v3"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/access"
	"github.com/photofinish/photofinish/runner/images"
	"github.com/photofinish/photofinish/runner/plan"
)

// Config is the whole configuration. docs/runner-config.schema.json describes the same; a test holds them together.
type Config struct {
	// Listen is host:port of the API.
	Listen string `yaml:"listen"`
	// Data is the folder of the database and, where it is embedded, of Prometheus.
	Data  string `yaml:"data"`
	Token Token  `yaml:"token"`
	TLS   TLS    `yaml:"tls"`

	Scripts Scripts `yaml:"scripts"`
	// Engines may start lanes, the preferred first.
	Engines []string `yaml:"engines"`
	// Docker is what the engine docker may run: nothing, unless it is said. It holds for lanes of scripts and of requests.
	Docker     images.Allowed `yaml:"docker"`
	Kubernetes Kubernetes     `yaml:"kubernetes"`
	Prometheus Prometheus     `yaml:"prometheus"`
	// RemoteWrite is a receiver of remote write to which the embedded Prometheus passes on all that it holds; an empty URL is nowhere.
	RemoteWrite access.Server `yaml:"remote_write"`
	Pyroscope   Pyroscope     `yaml:"pyroscope"`
	// Lanes is what a request may say of lanes.
	Lanes  Lanes  `yaml:"lanes"`
	Limits Limits `yaml:"limits"`
	// Schedules start races by the clock.
	Schedules []Schedule `yaml:"schedules"`
	Retention Retention  `yaml:"retention"`
	Log       Log        `yaml:"log"`
}

// Token is where the bearer token is: in one of a file and an environment variable.
type Token = access.Secret

// TLS names the files of the server's certificate (with its chain) and key, in PEM.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Scripts are the k6 scripts that may be raced.
type Scripts struct {
	// Folder holds them, also in folders below. Nothing outside of it can be named, linked to, imported or opened.
	Folder string `yaml:"folder"`
	// Env names variables of the runner's environment that scripts may read in __ENV; of the others they see none.
	Env []string `yaml:"env"`
	// Unconfined lets scripts read what the runner's user may, where the kernel cannot confine k6 to the folder (Landlock, Linux 5.13).
	// Without it such a machine runs no races.
	Unconfined bool `yaml:"unconfined"`
}

// Prometheus is where series go: URL is somebody else's; else one is embedded, and listens on the loopback interface.
type Prometheus struct {
	URL    string `yaml:"url"`
	Listen string `yaml:"listen"`
}

// Kubernetes is what the engine kubernetes may run, and where. The cluster is the one of the runner's pod, or of KUBECONFIG.
type Kubernetes struct {
	// Images are patterns as in images.Allowed; none are allowed by default.
	Images []string `yaml:"images"`
	// Nodes are labels of the nodes on which apps run, K6Nodes of those for the pods of k6.
	Nodes   map[string]string `yaml:"nodes"`
	K6Nodes map[string]string `yaml:"k6_nodes"`
	// Address is that by which the pods of k6 reach the runner; "" is the one that it has for the API server.
	Address string `yaml:"address"`
	// KubeletInsecureTLS takes any certificate of a kubelet's.
	KubeletInsecureTLS bool `yaml:"kubelet_insecure_tls"`
}

// Pyroscope is where profiles are sent that the runner takes, beside being kept; an empty URL is nowhere. It may hold a name and a password.
type Pyroscope struct {
	URL string `yaml:"url"`
}

// Lanes is what a request may say of lanes. It is empty by default: a request can only choose among the script's lanes.
type Lanes struct {
	// URLHosts are the hosts that a lane's url may name: host or host:port, where *.example.com is every host below that domain.
	URLHosts []string `yaml:"url_hosts"`
	// Commands are whole command lines, word by word separated by one space.
	Commands []string `yaml:"commands"`
	// Images are patterns of container images, as in images.Allowed. An image of a request must also be one that may be run.
	Images []string `yaml:"images"`
	// Env names environment variables that may be set.
	Env []string `yaml:"env"`
	// Resources lets requests change cpus, memory and cpuset.
	Resources bool `yaml:"resources"`
}

// Limits keep one request from taking the machine.
type Limits struct {
	// Body is the largest request.
	Body Bytes `yaml:"body"`
	// Parallel is how many races run at once. More than one measure each other's load.
	Parallel int `yaml:"parallel"`
	// Queue is how many races may wait.
	Queue int `yaml:"queue"`
	// Streams is how many readers of events there may be at once.
	Streams int `yaml:"streams"`

	Lanes int `yaml:"lanes"`
	Heats int `yaml:"heats"`
	// Duration and Warmup are per heat and lane.
	Duration Duration `yaml:"duration"`
	Warmup   Duration `yaml:"warmup"`
	// Race is the estimated length of a whole race.
	Race Duration `yaml:"race"`
	// VUs and Rate (iterations per second) are per lane.
	VUs  int64   `yaml:"vus"`
	Rate float64 `yaml:"rate"`
	// Series is how many time series a race may be estimated to make.
	Series int `yaml:"series"`
}

// Log says what is logged: Level is debug, info, warn or error, Format is text or json.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// Default is the configuration of an empty file.
func Default() Config {
	return Config{
		Listen:     "127.0.0.1:8737",
		Data:       "photofinish-data",
		Scripts:    Scripts{Folder: "tests"},
		Engines:    []string{"process"},
		Prometheus: Prometheus{Listen: "127.0.0.1:8738"},
		Limits: Limits{
			Body: 1 << 20, Parallel: 1, Queue: 20, Streams: 100,
			Lanes: 16, Heats: 100, Duration: Duration(10 * time.Minute), Warmup: Duration(time.Minute), Race: Duration(6 * time.Hour),
			VUs: 1000, Rate: 10000, Series: plan.DefaultMaxSeries,
		},
		Log: Log{Level: "info", Format: "text"},
	}
}

// Load reads a configuration file. Relative paths in it are taken from its own folder.
func Load(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, race.Errorf(race.Invalid, "name a readable file with --config", "the configuration cannot be read: %w", err)
	}
	c, err := Parse(text)
	if err != nil {
		return c, race.Errorf(race.Invalid, race.HintOf(err), "%s: %w", path, err)
	}
	base, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return c, fmt.Errorf("find the folder of %s: %w", path, err)
	}
	for _, p := range []*string{&c.Data, &c.Token.File, &c.TLS.Cert, &c.TLS.Key, &c.Scripts.Folder, &c.RemoteWrite.Password.File, &c.RemoteWrite.Token.File, &c.RemoteWrite.CA} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(base, *p)
		}
	}
	return c, nil
}

// Parse reads the text of a configuration and checks it.
func Parse(text []byte) (Config, error) {
	c := Default()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, race.Errorf(race.Invalid, "docs/runner.md lists the keys", "%s", plain(err))
	}
	return c, c.check()
}

var (
	unknownField = regexp.MustCompile(`^line (\d+): field (\S+) not found in type .*$`)
	wrongType    = regexp.MustCompile("^line (\\d+): cannot unmarshal !!(\\w+)(?: `(.*)`)? into (.*)$")
)

// plain says what YAML's decoder complains of without Go's types.
func plain(err error) string {
	var many *yaml.TypeError
	if !errors.As(err, &many) {
		return strings.TrimPrefix(err.Error(), "yaml: ")
	}
	var lines []string
	for _, one := range many.Errors {
		if m := unknownField.FindStringSubmatch(one); m != nil {
			one = fmt.Sprintf("line %s: unknown key %q", m[1], m[2])
		} else if m := wrongType.FindStringSubmatch(one); m != nil {
			one = fmt.Sprintf("line %s: %q is not possible here", m[1], m[3])
		}
		lines = append(lines, one)
	}
	return strings.Join(lines, "; ")
}

// Duration is written as Go writes it: 90s, 10m, 1h30m.
type Duration time.Duration

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := time.ParseDuration(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no duration like 90s or 10m", node.Line, node.Value)
	}
	*d = Duration(parsed)
	return nil
}

// Bytes is a size, written as a number or like 512k and 1m (units of 1024).
type Bytes int64

// UnmarshalYAML implements yaml.Unmarshaler.
func (b *Bytes) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := units.RAMInBytes(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no size like 512k or 1m", node.Line, node.Value)
	}
	*b = Bytes(parsed)
	return nil
}
