package cmd

import (
	"runtime"
	"runtime/debug"
)

// versions names the programs that measure, as they were linked.
func versions() map[string]string {
	v := map[string]string{"photofinish": version(), "go": runtime.Version()}
	modules := map[string]string{
		"go.k6.io/k6": "k6", "github.com/prometheus/prometheus": "prometheus", "github.com/google/cadvisor/lib": "cadvisor",
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if name, wanted := modules[m.Path]; wanted {
				v[name] = m.Version
			}
		}
	}
	return v
}
