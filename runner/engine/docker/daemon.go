package docker

import (
	"context"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/system"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
)

// daemon is what this engine needs to know of the Docker Engine.
type daemon struct {
	info system.Info
	// parent is the cgroup that the race's containers are asked to be in, as Docker wants it named; "" leaves the choice to Docker.
	parent string
	// group is the same as cAdvisor names it.
	group string
}

// daemon asks the Docker Engine what it is, and where the containers of a race would be on it.
func (e *Engine) daemon(ctx context.Context, raceID string) (daemon, error) {
	info, err := e.client.Info(ctx)
	if err != nil {
		return daemon{}, e.explain(ctx, err, "ask what it can do")
	}
	if info.OSType != "" && info.OSType != "linux" {
		return daemon{}, race.Errorf(race.Unavailable, "switch Docker to Linux containers", "Docker runs %s containers, and lanes are Linux ones", info.OSType)
	}
	d := daemon{info: info}
	if e.sees(info) {
		d.parent, d.group = groupOf(info.CgroupDriver, e.options.Cgroups.Support().Parent, raceID)
	}
	return d, nil
}

// Group is the cgroup below which the containers of a race are, as cAdvisor names it; "" where this process cannot see it.
func (e *Engine) Group(ctx context.Context, raceID string) (string, error) {
	d, err := e.daemon(ctx, raceID)
	return d.group, err
}

// sees says whether the containers' cgroups are this machine's, and this process may read them.
func (e *Engine) sees(info system.Info) bool {
	if e.options.Cgroups == nil || e.options.Cgroups.Support().Version == cgroup.None {
		return false
	}
	host, err := url.Parse(e.client.DaemonHost())
	if err != nil || host.Scheme != "unix" || slices.Contains(info.SecurityOptions, "name=rootless") {
		return false
	}
	name, err := os.Hostname()
	return err == nil && name == info.Name // a socket may lead to a virtual machine, or out of a container
}

// groupOf is the cgroup for a race's containers: as Docker wants it named, and as it is named from the top of the hierarchy.
// Under systemd it has to be a slice, in whose name a dash means a level.
func groupOf(driver, parent, raceID string) (argument, group string) {
	if driver == "systemd" {
		slice := "photofinish-" + strings.ReplaceAll(raceID, "-", "_") + ".slice"
		return slice, "/photofinish.slice/" + slice
	}
	return parent + "/" + raceID, parent + "/" + raceID
}

// containerGroup is the cgroup of a container within that of its race.
func containerGroup(driver, group, id string) string {
	if driver == "systemd" {
		return group + "/docker-" + id + ".scope"
	}
	return group + "/" + id
}

// unforced says why limits cannot be put in force; "" if they can.
func (d daemon) unforced(r race.Resources) string {
	var missing []string
	if r.CPUs != nil && !d.info.CPUCfsQuota {
		missing = append(missing, "CPU quotas")
	}
	if r.Memory != nil && !d.info.MemoryLimit {
		missing = append(missing, "memory limits")
	}
	if r.CPUSet != nil && !d.info.CPUSet {
		missing = append(missing, "CPU sets")
	}
	if len(missing) == 0 {
		return ""
	}
	return "the kernel of this Docker Engine has no " + strings.Join(missing, " and no ")
}

// State says in a few words what the Docker Engine is; an error is why it cannot be used.
func (e *Engine) State(ctx context.Context) (string, error) {
	if err := e.near(ctx); err != nil {
		return "", err
	}
	d, err := e.daemon(ctx, "")
	if err != nil {
		return "", err
	}
	return "Docker " + d.info.ServerVersion + ", cgroup v" + d.info.CgroupVersion, nil
}
