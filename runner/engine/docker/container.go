package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

const (
	loopback = "127.0.0.1"
	tmpfs    = "rw,nosuid,nodev,mode=1777"
	// maxPids ends a fork bomb before it ends the machine; it counts threads, of which a large Java service has some hundreds.
	maxPids int64 = 4096
	// cpuPeriod of the quota in microseconds: the kernel's default.
	cpuPeriod = 100_000
)

// rootCapabilities are what the entry point of an image that starts as root needs to set up its files, listen on a low port and become
// another user, as those of nginx, redis and postgres do. They are fewer than Docker's default; no others are ever given.
var rootCapabilities = []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "NET_BIND_SERVICE"}

// create makes the lane's container, without starting it.
func (l *lane) create(ctx context.Context) (id string, err error) {
	port := nat.Port(strconv.Itoa(l.prepared.port) + "/tcp")
	config := &container.Config{
		Image: l.prepared.source.ID, Env: l.env(), Labels: l.engine.labels(l.race.id),
		Entrypoint: l.prepared.entrypoint, Cmd: l.prepared.command, User: l.prepared.user, WorkingDir: l.prepared.folder,
		ExposedPorts: nat.PortSet{port: {}}, AttachStdout: true, AttachStderr: true,
	}
	config.Labels[appLabel] = l.spec.App
	host := confined(l.race.daemon, l.spec.Resources)
	host.NetworkMode = container.NetworkMode(l.race.network)
	host.PortBindings = nat.PortMap{port: {{HostIP: loopback, HostPort: strconv.Itoa(l.prepared.host)}}}
	host.ReadonlyRootfs = !l.prepared.writable.Load()
	for _, dir := range l.prepared.tmpfs {
		host.Tmpfs[dir] = tmpfs
	}
	if l.prepared.root {
		host.CapAdd = slices.Clone(rootCapabilities)
	}
	networks := &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{l.race.network: {}}}
	made, err := l.engine.client.ContainerCreate(ctx, config, host, networks, nil, fmt.Sprintf("photofinish-%s-%d-%s", l.race.id, l.heat, l.spec.App))
	if err != nil {
		return "", l.engine.explain(ctx, err, "make a container for lane "+l.spec.App)
	}
	for _, name := range l.prepared.networks {
		if err := l.engine.client.NetworkConnect(ctx, name, made.ID, &network.EndpointSettings{}); err != nil {
			err = l.engine.explain(ctx, err, "join lane "+l.spec.App+" to the network "+name)
			return "", errors.Join(err, l.engine.removeContainer(context.WithoutCancel(ctx), made.ID))
		}
	}
	return made.ID, nil
}

// confined is what every container here starts from: no privileges, no capabilities, no network, nothing of the host, and a file system that it cannot
// write but for /tmp. What one needs beyond that is said where it is made.
func confined(d daemon, r race.Resources) *container.HostConfig {
	host := &container.HostConfig{
		NetworkMode:    "none",
		LogConfig:      container.LogConfig{Type: "none"}, // the runner keeps the tail; nothing is written beside a race
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges"},
		ReadonlyRootfs: true,
		Tmpfs:          map[string]string{"/tmp": tmpfs},
		Resources:      resources(r),
	}
	host.CgroupParent = d.parent
	return host
}

func resources(r race.Resources) container.Resources {
	limits := maxPids
	c := container.Resources{PidsLimit: &limits}
	if r.CPUs != nil {
		c.CPUPeriod, c.CPUQuota = cpuPeriod, int64(*r.CPUs*cpuPeriod+0.5)
	}
	if r.Memory != nil {
		c.Memory, c.MemorySwap = *r.Memory, *r.Memory // swap is part of it, so that an app cannot escape its limit
	}
	if r.CPUSet != nil {
		c.CpusetCpus = *r.CPUSet
	}
	return c
}

// env is the app's environment beside the image's own.
func (l *lane) env() []string {
	env := append([]string{"HOST=0.0.0.0"}, engine.QueueEnv(l.spec, os.Getenv, false)...) // the loopback interface of a container is its own
	env = append(env, l.prepared.env...)
	for _, name := range slices.Sorted(maps.Keys(l.spec.Env)) {
		env = append(env, name+"="+l.spec.Env[name])
	}
	return append(env, "PORT="+strconv.Itoa(l.prepared.port))
}

// startError says why a container could not be started.
func (l *lane) startError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil || unreachable(err):
		return l.engine.explain(ctx, err, "start lane "+l.spec.App)
	case portTaken(err):
		if taken := engine.CheckPort(ctx, l.spec.App, l.prepared.host); taken != nil {
			return taken
		}
		return race.Errorf(race.Unavailable, "stop what uses it, or give the lane another port", "port %d of lane %s is in use", l.prepared.host, l.spec.App)
	}
	return race.Errorf(race.Unavailable, "run the image by hand with docker run to see what it misses", "lane %s: its container cannot be started: %s", l.spec.App, cause(err))
}
