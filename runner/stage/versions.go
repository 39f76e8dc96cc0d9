package stage

import (
	"runtime"
	"runtime/debug"
)

// versions names the programs that measure, as they were linked.
func versions() map[string]string {
	v := map[string]string{"photofinish": Version(), "go": runtime.Version()}
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

// Version is this build's own: the module's version, or the commit it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v == "(devel)" {
			v = "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return v
}
