// Package compose_test holds docker-compose.yaml, the Dockerfiles and what they refer to against each other and against the rest of the
// repository. The stack itself is run by TestStack.
package compose_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	goaws "github.com/Admiral-Piett/goaws/app/conf"
	"github.com/Admiral-Piett/goaws/app/models"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/stretchr/testify/require"

	runnerconfig "github.com/photofinish/photofinish/runner/config"
)

const root = "../.."

// samples are the services of the walk-through, by the app that each is to k6.
var samples = map[string]string{
	"control": "control-app", "high-latency": "high-latency-app", "high-cpu": "high-cpu-app", "memory-leak": "memory-leak-app",
}

// project is the compose file as `docker compose config` reads it.
func project(t *testing.T) *types.Project {
	t.Helper()
	file, err := filepath.Abs(filepath.Join(root, "docker-compose.yaml"))
	require.NoError(t, err)
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: filepath.Dir(file), ConfigFiles: []types.ConfigFile{{Filename: file}}, Environment: types.Mapping{},
	}, loader.WithProfiles([]string{"*"}))
	require.NoError(t, err)
	return p
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(text)
}

// required is the version of a module in go.mod, "1.26.7" for go itself.
func required(t *testing.T, module string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(module) + ` v?(\S+)`).FindStringSubmatch(read(t, "go.mod"))
	require.NotNil(t, found, module)
	return found[1]
}

func TestServicesHaveNoRightsThatTheyCanDoWithout(t *testing.T) {
	services := project(t).Services
	for _, name := range []string{"control-app", "high-latency-app", "high-cpu-app", "memory-leak-app", "prometheus", "grafana", "cadvisor", "runner"} {
		require.Contains(t, services, name)
	}
	for name, s := range services {
		t.Run(name, func(t *testing.T) {
			require.True(t, s.ReadOnly)
			require.Equal(t, []string{"ALL"}, s.CapDrop)
			require.Empty(t, s.CapAdd)
			require.False(t, s.Privileged)
			require.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt)
			require.Empty(t, s.Pid+s.Ipc+s.UserNSMode)
			for _, port := range s.Ports {
				require.Equal(t, "127.0.0.1", port.HostIP, "port %d is published beyond this machine", port.Target)
			}
			for _, v := range s.Volumes {
				if v.Type == types.VolumeTypeBind && v.Target != "/var/run/docker.sock" {
					require.True(t, v.ReadOnly, "%s is mounted writable", v.Source)
				}
			}
		})
	}
}

func TestImagesArePinnedToWhatTheRepositoryWasTriedWith(t *testing.T) {
	services := project(t).Services
	for name, s := range services {
		if s.Build == nil {
			require.Regexp(t, `:v?\d+\.\d+\.\d+$`, s.Image, name)
		}
	}
	// Prometheus's module is numbered v0.X0Y.Z where the program is v3.Y.Z.
	var minor, patch int
	_, err := fmt.Sscanf(required(t, "github.com/prometheus/prometheus"), "0.3%d.%d", &minor, &patch)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("prom/prometheus:v3.%d.%d", minor, patch), services["prometheus"].Image)
	require.Equal(t, "ghcr.io/google/cadvisor:"+required(t, "github.com/google/cadvisor/lib"), services["cadvisor"].Image)

	require.Equal(t, "admiralpiett/goaws:v"+required(t, "github.com/Admiral-Piett/goaws"), services["sqs"].Image)

	golang := "golang:" + required(t, "go")
	require.Contains(t, read(t, "Dockerfile"), "ARG GO="+golang+"\n")
	for app := range samples {
		require.Contains(t, read(t, "testapps/"+app+"/Dockerfile"), "FROM "+golang+" AS build\n")
	}
	var frontend struct{ Dependencies map[string]string }
	require.NoError(t, json.Unmarshal([]byte(read(t, "package.json")), &frontend))
	require.Contains(t, read(t, "Dockerfile"), "ARG GRAFANA=grafana/grafana:"+frontend.Dependencies["@grafana/data"]+"\n")
}

func TestSampleAppsAreTheLanesOfTheScripts(t *testing.T) {
	services := project(t).Services
	script := read(t, "tests/ab-test.js")
	for app, name := range samples {
		t.Run(name, func(t *testing.T) {
			s := services[name]
			require.Equal(t, app, s.Labels["photofinish.app"], "what cAdvisor's series are joined by")
			require.Equal(t, "photofinish/"+app, s.Image, "what a Docker lane names")
			port := regexp.MustCompile(`'?\b` + app + `'?: (\d{4})`).FindStringSubmatch(script)
			require.NotNil(t, port)
			require.Len(t, s.Ports, 1)
			require.Equal(t, port[1], s.Ports[0].Published)
			require.Contains(t, read(t, "testapps/"+app+"/Dockerfile"), fmt.Sprintf("EXPOSE %d\n", s.Ports[0].Target))
			require.Contains(t, script, fmt.Sprintf("cpus: %.1f, memory: '%dm'", s.CPUS, s.MemLimit>>20), "a lane has the same limits")
			require.Equal(t, s.MemLimit, s.MemSwapLimit, "swap would let the app escape its limit")
			require.Nil(t, s.HealthCheck, "it would be counted as the app's own work")
		})
	}
}

// workers are the services of the profile queues, by the app that each is to k6.
var workers = map[string]string{"one-by-one": "one-by-one-worker", "batched": "batched-worker"}

func TestSampleWorkersAreTheLanesOfTheirScript(t *testing.T) {
	require.Equal(t, []string{"4100"}, goaws.LoadYamlConfig(filepath.Join(root, "stack/goaws.yaml"), "Local"))
	services, script, docker := project(t).Services, read(t, "tests/sqs-test.js"), read(t, "testapps/sqs-worker/Dockerfile")
	require.Equal(t, "127.0.0.1", services["sqs"].Ports[0].HostIP)
	require.Equal(t, "4100", services["sqs"].Ports[0].Published)
	require.Contains(t, script, "AWS_ENDPOINT_URL=http://127.0.0.1:4100 ")
	for app, name := range workers {
		t.Run(name, func(t *testing.T) {
			s := services[name]
			require.Equal(t, app, s.Labels["photofinish.app"], "what cAdvisor's series are joined by")
			require.Equal(t, []string{"queues"}, s.Profiles)
			require.Equal(t, "http://sqs:4100", *s.Environment["AWS_ENDPOINT_URL"])
			require.Equal(t, app, *s.Environment["QUEUE_URL"])
			require.Equal(t, app+"-replies", *s.Environment["REPLY_URL"])
			for _, queue := range []string{app, app + "-replies"} {
				require.Contains(t, models.SyncQueues.Queues, queue, "the server has it")
			}
			require.Equal(t, app+"-dead", models.SyncQueues.Queues[app].DeadLetterQueue.Name)
			require.Contains(t, script, "compose: '../docker-compose.yaml#"+name+"'")
			require.Contains(t, script, "queue: '"+app+"'")
			require.Contains(t, script, fmt.Sprintf("cpus: %.1f, memory: '%dm'", s.CPUS, s.MemLimit>>20), "a lane has the same limits")
		})
	}
	require.Contains(t, read(t, "docs/queues.md"), "goaws/app/cmd@v"+required(t, "github.com/Admiral-Piett/goaws")+" -config stack/goaws.yaml ")
	require.Contains(t, docker, "FROM golang:"+required(t, "go")+" AS build\n")
	for _, module := range []string{"github.com/aws/aws-sdk-go-v2", "github.com/aws/aws-sdk-go-v2/config", "github.com/aws/aws-sdk-go-v2/service/sqs"} {
		require.Contains(t, docker, module+"@v"+required(t, module)+" ")
	}
}

// What others wait for must say when it is ready; cAdvisor and the sample apps are started alone.
func TestDependenciesAreGatedByHealth(t *testing.T) {
	services := project(t).Services
	needs := map[string][]string{"one-by-one-worker": {"sqs"}, "batched-worker": {"sqs"}, "prometheus": {"token"}, "grafana": {"prometheus", "runner", "token"}, "runner": {"prometheus", "token"}}
	for name, s := range services {
		require.ElementsMatch(t, needs[name], slices.Collect(maps.Keys(s.DependsOn)), name)
	}
	for _, s := range services {
		for on, d := range s.DependsOn {
			switch on {
			case "token":
				require.Equal(t, types.ServiceConditionCompletedSuccessfully, d.Condition)
			case "runner": // Grafana shows past races without it
				require.Equal(t, types.ServiceConditionStarted, d.Condition)
			default:
				require.Equal(t, types.ServiceConditionHealthy, d.Condition)
				require.NotNil(t, services[on].HealthCheck, on)
			}
		}
	}
}

func TestTheRunnerIsFoundWhereItListens(t *testing.T) {
	p := project(t)
	network := p.Networks["stack"].Ipam.Config[0]
	runner, err := runnerconfig.Load(filepath.Join(root, "stack/runner.yaml"))
	require.NoError(t, err)
	for _, app := range p.Services {
		if strings.HasPrefix(app.Image, "photofinish/") {
			require.NoError(t, runner.Docker.Run(app.Image), "the sample apps may be raced")
		}
	}
	address, err := netip.ParseAddrPort(runner.Listen)
	require.NoError(t, err)
	require.Equal(t, network.Gateway, address.Addr().String())
	require.True(t, netip.MustParsePrefix(network.Subnet).Contains(address.Addr()))

	require.Equal(t, "http://"+runner.Listen, p.Services["runner"].HealthCheck.Test[3])
	for _, name := range []string{"grafana", "prometheus"} {
		require.Equal(t, []string{network.Gateway}, p.Services[name].ExtraHosts["runner"])
	}
	at := fmt.Sprintf("runner:%d", address.Port())
	require.Equal(t, "http://"+at, *p.Services["grafana"].Environment["PHOTOFINISH_RUNNER_URL"])
	require.Contains(t, read(t, "stack/prometheus.yaml"), "targets: ["+at+"]")

	require.Contains(t, read(t, "stack/prometheus.yaml"), "credentials_file: "+runner.Token.File+"\n")
	require.Contains(t, p.Services["grafana"].Entrypoint[2], "cat "+runner.Token.File+")")
}

func TestPrometheusKeepsCadvisorsTimes(t *testing.T) {
	c, err := config.LoadFile(filepath.Join(root, "stack/prometheus.yaml"), false, promslog.NewNopLogger())
	require.NoError(t, err)
	scrapes, err := c.GetScrapeConfigs()
	require.NoError(t, err)
	at := slices.IndexFunc(scrapes, func(s *config.ScrapeConfig) bool { return s.JobName == "cadvisor" })
	require.NotEqual(t, -1, at)
	require.True(t, scrapes[at].HonorTimestamps)
	require.True(t, scrapes[at].TrackTimestampsStaleness)
	second, err := model.ParseDuration("1s")
	require.NoError(t, err)
	require.Equal(t, second, scrapes[at].ScrapeInterval)

	s := project(t).Services
	require.Contains(t, s["prometheus"].Command, "--web.enable-remote-write-receiver")
	require.Contains(t, s["cadvisor"].Command, "--housekeeping_interval=1s", "as often as it is asked")
	require.Contains(t, s["cadvisor"].Command, "--allow_dynamic_housekeeping=false")
	require.Contains(t, s["cadvisor"].Command, "--jitter_factor=0", "or else up to twice as late")
}

func TestEveryPluginOfTheAppMayBeLoadedUnsigned(t *testing.T) {
	allowed := regexp.MustCompile(`ALLOW_LOADING_UNSIGNED_PLUGINS=(\S+)`).FindStringSubmatch(read(t, "Dockerfile"))
	require.NotNil(t, allowed)
	ids := strings.Split(allowed[1], ",")
	// Those of the contract, whether or not they are built yet.
	require.ElementsMatch(t, []string{
		"photofinish-race-app", "photofinish-race-datasource", "photofinish-control-panel", "photofinish-track-panel", "photofinish-finish-panel",
	}, ids)
	built := 0
	require.NoError(t, fs.WalkDir(os.DirFS(filepath.Join(root, "src")), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "node_modules" {
			return errorOrSkip(err)
		}
		if d.Name() == "plugin.json" {
			var plugin struct{ ID string }
			require.NoError(t, json.Unmarshal([]byte(read(t, "src/"+path)), &plugin))
			require.Contains(t, ids, plugin.ID)
			built++
		}
		return nil
	}))
	require.GreaterOrEqual(t, built, 2)
}

func errorOrSkip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

func TestWhatIsMountedIsThere(t *testing.T) {
	for name, s := range project(t).Services {
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind && !slices.Contains([]string{"/", "/sys", "/var/run/docker.sock"}, v.Source) {
				require.DirExists(t, filepath.Dir(v.Source))
				_, err := os.Stat(v.Source)
				require.NoError(t, err, name) // Docker would make an empty folder of it
			}
		}
	}
}
