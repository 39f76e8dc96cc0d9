package cadvisor

import (
	"errors"
	"flag"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/google/cadvisor/lib/cache/memory"
	"github.com/google/cadvisor/lib/container"
	"github.com/google/cadvisor/lib/manager"
	"github.com/google/cadvisor/lib/utils/sysfs"
	"github.com/opencontainers/cgroups"
	"k8s.io/klog/v2"

	"github.com/photofinish/photofinish/pkg/race"
)

// keep is how long cAdvisor remembers readings; only the last one is asked for.
const keep = 10 * time.Second

// once is the manager of this process. It is a variable of the package because cAdvisor's own state is one: see the package's comment.
type once struct {
	mu     sync.Mutex
	m      manager.Manager
	parent string
}

var process once

// manager returns the process's manager, started if need be.
func (p *once) manager(o Options) (manager.Manager, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	parent := path.Dir(o.Prefix)
	if parent == "/" {
		parent = o.Prefix // or else all cgroups of the machine would be read
	}
	if p.m != nil {
		if parent != p.parent && parent != Slice {
			return nil, race.Errorf(race.Conflict, "Use one parent for all races of a process.",
				"cAdvisor cannot show %s: it already watches %s, and can watch one parent in a process", o.Prefix, p.parent)
		}
		return p.m, nil
	}
	m, err := start(o, parent)
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "Race without container metrics, or on a machine whose cgroups this user may read.", "cAdvisor does not start: %w", err)
	}
	p.m, p.parent = m, parent
	return m, nil
}

func start(o Options, parent string) (manager.Manager, error) {
	klog.SetSlogLogger(demoted(o.Logger))
	// These are cAdvisor's command-line flags: a stand-alone one would get them so, and there is no other way to set them.
	// Readings come on the tick, not up to an interval after it; dynamic intervals are off below.
	*manager.HousekeepingInterval = o.Interval
	*manager.InitialSplayFactor = 0
	*manager.JitterFactor = 0
	// The root cgroup is the machine, which is no app.
	if err := flag.Set("disable_root_cgroup_stats", "true"); err != nil {
		return nil, fmt.Errorf("setting up cAdvisor: %w", err)
	}
	// Where nothing is mounted cAdvisor says so to its log only.
	if !cgroups.IsCgroup2UnifiedMode() {
		mounts, err := cgroups.GetCgroupMounts(true)
		if err != nil {
			return nil, fmt.Errorf("finding the cgroups: %w", err)
		}
		if len(mounts) == 0 {
			return nil, errors.New("no cgroups are mounted")
		}
	}
	interval, dynamic := o.Interval, false
	m, err := manager.New(memory.New(keep, nil), sysfs.NewRealSysFs(), manager.HousekeepingConfig{Interval: &interval, AllowDynamic: &dynamic},
		included, []string{parent + "/", Slice + "/"}, nil, "", 0)
	if err != nil {
		return nil, err
	}
	if err := m.Start(); err != nil {
		return nil, err
	}
	// Start tells this to its log only.
	if !container.HasFactories() {
		return nil, errors.New("it cannot read the cgroups of this machine")
	}
	return m, nil
}
