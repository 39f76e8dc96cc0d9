package cgroup

import "slices"

// The versions that Detect tells. V1 includes the hybrid layout, where version 2 is mounted beside it without controllers.
const (
	V1   = "v1"
	V2   = "v2"
	None = "none"
)

// Support says what this process may do with cgroups here.
type Support struct {
	Version string
	// Reason says why Version is None, for a person; "" otherwise.
	Reason string
	// Controllers that groups can be given: "cpu", "cpuset", "memory", "pids", and on version 1 "cpuacct".
	Controllers []string
	// Parent is the name of the group below which groups are made, as cAdvisor's raw containers are named: "/photofinish",
	// or deeper where only a part of the hierarchy was delegated to this user.
	Parent string
}

// Missing are the controllers that the limits need and that are not to be had here.
func (s Support) Missing(l Limits) []string {
	var missing []string
	for _, c := range l.controllers() {
		if !slices.Contains(s.Controllers, c) {
			missing = append(missing, c)
		}
	}
	return missing
}

func none(reason string) Support { return Support{Version: None, Reason: reason} }
