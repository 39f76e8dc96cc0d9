package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"

	psnet "github.com/shirou/gopsutil/v4/net"
	ps "github.com/shirou/gopsutil/v4/process"

	"github.com/photofinish/photofinish/pkg/race"
)

// Free ports are looked for below those that the kernel gives to outgoing connections: k6 makes many, and could take the port of an app
// between two heats.
const (
	firstPort, ports = 20_000, 10_000
	portTries        = 100
	firstOutgoing    = 32_768 // on Linux by default: net.ipv4.ip_local_port_range
)

// ChoosePort is the lane's own port, if it is free, or any free one for a lane without.
func ChoosePort(ctx context.Context, l race.LaneSpec) (int, error) {
	if l.Port != 0 {
		return l.Port, CheckPort(ctx, l.App, l.Port)
	}
	for range portTries {
		port := firstPort + rand.IntN(ports) //nolint:gosec // nothing secret
		if listen(ctx, port) == nil {
			return port, nil
		}
	}
	return 0, race.Errorf(race.Unavailable, "give the lane a port", "lane %s: no free port found", l.App)
}

// CheckPort makes sure that nobody listens on the port.
func CheckPort(ctx context.Context, app string, port int) error {
	err := listen(ctx, port)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, syscall.EADDRINUSE):
		user, outgoing := user(ctx, port)
		hint := "stop what uses it, or give the lane another port"
		if outgoing {
			hint = fmt.Sprintf("give the lane a port below %d: those above are for outgoing connections, of which there are many in a race", firstOutgoing)
		}
		return race.Errorf(race.Unavailable, hint, "port %d of lane %s is in use%s", port, app, user)
	case errors.Is(err, syscall.EACCES):
		return race.Errorf(race.Unavailable, "give the lane a port above 1023", "lane %s: this user may not listen on port %d: %w", app, port, err)
	}
	return race.Errorf(race.Unavailable, "", "lane %s: cannot listen on port %d: %w", app, port, err)
}

func listen(ctx context.Context, port int) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// user names the process that listens on a port or is connected from it, as far as this user may see it.
func user(ctx context.Context, port int) (name string, outgoing bool) {
	connections, err := psnet.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return "", false
	}
	for _, c := range connections {
		if c.Laddr.Port != uint32(port) {
			continue
		}
		if c.Status == "LISTEN" {
			return " by " + program(ctx, c.Pid), false
		}
		name, outgoing = " by a connection from "+program(ctx, c.Pid), port >= firstOutgoing
	}
	return name, outgoing
}

// program names a process; 0 is one that this user may not see, or that is gone.
func program(ctx context.Context, pid int32) string {
	if pid == 0 {
		return "a process"
	}
	name := "process"
	if p, err := ps.NewProcessWithContext(ctx, pid); err == nil {
		if n, err := p.NameWithContext(ctx); err == nil {
			name = n
		}
	}
	return fmt.Sprintf("%s (pid %d)", name, pid)
}
