package docker

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"

	"github.com/docker/docker/api/types/container"

	"github.com/photofinish/photofinish/pkg/race"
)

// reachable makes sure that lanes can be reached from here, by k6 as by whoever waits for their health. They are published on the loopback interface of
// the Docker Engine's machine, and nowhere else, since apps are strangers.
func (e *Engine) reachable(ctx context.Context) error {
	if err := e.near(ctx); err != nil {
		return err
	}
	return e.outside(ctx)
}

// near makes sure that the Docker Engine runs on this machine, as far as its address tells.
func (e *Engine) near(ctx context.Context) error {
	address, err := url.Parse(e.client.DaemonHost())
	if err != nil || address.Hostname() == "" || isHere(ctx, address.Hostname()) { // a socket has no host
		return nil //nolint:nilerr // the client itself says what is wrong with the address
	}
	return race.Errorf(race.Unavailable, "run photofinish on that machine, or start the apps there yourself and race them by their addresses, with url",
		"Docker at %s is on another machine: what it starts can be reached on that machine only", e.client.DaemonHost())
}

// isHere says whether a host is this machine. Of one that cannot be found it says so, too: that it does not answer tells more.
func isHere(ctx context.Context, host string) bool {
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(found, func(ip netip.Addr) bool {
		return ip.IsLoopback() || slices.ContainsFunc(own, func(a net.Addr) bool {
			n, is := a.(*net.IPNet)
			return is && n.IP.Equal(ip.AsSlice())
		})
	})
}

// outside makes sure that this process has the machine's own network: in a container it may have another.
func (e *Engine) outside(ctx context.Context) error {
	own, inside := e.ownContainer(ctx)
	if !inside || own.HostConfig == nil || own.HostConfig.NetworkMode.IsHost() || own.HostConfig.NetworkMode.IsContainer() {
		return nil
	}
	return race.Errorf(race.Unavailable, "start this container with --network host (network_mode: host)",
		"photofinish runs in a container that has a network of its own: what Docker starts can be reached from the machine's network only")
}

// ownFile is a file that Docker mounts into every container, as /proc/self/mountinfo shows it: where it comes from, and where it is.
var ownFile = regexp.MustCompile(`/containers/([0-9a-f]{64})/hostname /etc/hostname `)

// ownContainer is the container in which this process is, if this Docker Engine runs it, whatever its host name is.
func (e *Engine) ownContainer(ctx context.Context) (own container.InspectResponse, inside bool) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return own, false
	}
	found := ownFile.FindSubmatch(mounts)
	if found == nil {
		return own, false
	}
	own, err = e.client.ContainerInspect(ctx, string(found[1]))
	return own, err == nil && own.ContainerJSONBase != nil
}

// ownNetwork is the network in which this process is: that of its container, else the machine's.
func (e *Engine) ownNetwork(ctx context.Context) container.NetworkMode {
	if own, inside := e.ownContainer(ctx); inside {
		return container.NetworkMode("container:" + own.ID)
	}
	return "host"
}
