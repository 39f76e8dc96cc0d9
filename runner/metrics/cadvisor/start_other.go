//go:build !linux

package cadvisor

import (
	"context"
	"runtime"

	"github.com/photofinish/photofinish/pkg/race"
)

type view struct{}

func (*view) close() {}

// Start needs Linux, as cgroups do.
func Start(context.Context, Options) (*Server, error) {
	return nil, race.Errorf(race.Unavailable, "Race on Linux to get container metrics.", "cAdvisor reads cgroups, which %s does not have", runtime.GOOS)
}
