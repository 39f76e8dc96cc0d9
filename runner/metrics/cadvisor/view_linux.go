package cadvisor

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/cadvisor/lib/manager"
	"github.com/google/cadvisor/lib/model"

	"github.com/photofinish/photofinish/runner/engine"
)

// view is what cAdvisor's collector asks: the process's manager, narrowed to the cgroups below one prefix.
type view struct {
	manager manager.Manager
	prefix  string // ends in "/"
	of      func(name string) map[string]string
	network func(name string) []engine.Interface
	// maxAge is how old a reading may be when it is asked for. It must be well below an interval: the first reading of a cgroup is taken
	// when it is made, before anything has run in it, and has no CPU time to show.
	maxAge time.Duration
	log    *slog.Logger
	closed atomic.Bool
}

func newView(m manager.Manager, o Options) *view {
	return &view{manager: m, prefix: o.Prefix + "/", of: o.Labels, network: o.Network, maxAge: o.Interval / 10, log: o.Logger}
}

func (v *view) close() { v.closed.Store(true) }

// GetRequestedContainersInfo takes a reading of every cgroup below the prefix. It never fails: cAdvisor's own reports an error as soon as
// one cgroup has gone while it was read, and its collector then shows no container at all.
func (v *view) GetRequestedContainersInfo(string, model.RequestOptions) (map[string]*model.ContainerInfo, error) {
	if v.closed.Load() {
		return nil, nil
	}
	// The manager's own match is by the prefix's letters, so that /race-1 would also give /race-10.
	all, err := v.manager.GetRequestedContainersInfo(strings.TrimSuffix(v.prefix, "/"),
		model.RequestOptions{IdType: model.TypeName, Count: 1, Recursive: true, MaxAge: &v.maxAge})
	if err != nil && len(all) > 0 {
		v.log.Debug("a cgroup went while it was read", "err", err)
	}
	for name, info := range all {
		if info == nil || !strings.HasPrefix(name, v.prefix) {
			delete(all, name)
			continue
		}
		v.connect(info)
	}
	return all, nil
}

// connect adds what went through a container's network to its last reading: the manager knows the network of those containers only that
// it found through Docker itself.
func (v *view) connect(info *model.ContainerInfo) {
	interfaces := v.network(info.Name)
	if len(interfaces) == 0 || len(info.Stats) == 0 {
		return
	}
	last := *info.Stats[len(info.Stats)-1] // the manager keeps the original
	last.Network = &model.NetworkStats{}
	for _, i := range interfaces {
		last.Network.Interfaces = append(last.Network.Interfaces, model.InterfaceStats(i))
	}
	info.Stats = append(info.Stats[:len(info.Stats)-1:len(info.Stats)-1], &last)
	info.Spec.HasNetwork = true
}

// GetMachineInfo is the manager's.
func (v *view) GetMachineInfo() (*model.MachineInfo, error) { return v.manager.GetMachineInfo() }

// GetVersionInfo is the manager's, with the version that cAdvisor's own build would have put in.
func (v *view) GetVersionInfo() (*model.VersionInfo, error) {
	info, err := v.manager.GetVersionInfo()
	if err == nil && info.CadvisorVersion == "" {
		info.CadvisorVersion = Version()
	}
	return info, err
}

// labels names a container: its cgroup as id, and the labels that the runner knows.
func (v *view) labels(c *model.ContainerInfo) map[string]string {
	labels := map[string]string{"id": c.Name}
	for k, value := range v.of(c.Name) {
		labels["container_label_"+k] = value
	}
	return labels
}
