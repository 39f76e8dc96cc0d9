package cadvisor

import "runtime/debug"

const module = "github.com/google/cadvisor/lib"

// Version is the release of cAdvisor's library in this binary, such as "v0.60.6"; "unknown" where the binary was built without module information.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, d := range info.Deps {
		if d.Path == module {
			return d.Version
		}
	}
	return "unknown"
}
