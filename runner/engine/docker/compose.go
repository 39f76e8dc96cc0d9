package docker

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"

	"github.com/photofinish/photofinish/pkg/race"
)

// compose reads a service of a compose file. Its image or build, environment, entry point, command, user, folders in memory and networks are
// taken; ports, limits, health and restarts are the lane's own business. Variables in the file come from the .env beside it alone: the
// runner's environment is nobody else's.
func (e *Engine) compose(ctx context.Context, l race.LaneSpec) (recipe, error) {
	file, name, _ := strings.Cut(l.Compose, "#")
	file = e.absolute(file)
	options, err := cli.NewProjectOptions([]string{file}, cli.WithWorkingDirectory(filepath.Dir(file)), cli.WithEnvFiles(), cli.WithDotEnv,
		cli.WithResolvedPaths(true), cli.WithProfiles([]string{"*"}))
	if err != nil {
		return recipe{}, race.Errorf(race.Invalid, "", "lane %s: the compose file %s cannot be read: %w", l.App, file, err)
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return recipe{}, race.Errorf(race.Invalid, "docker compose config says more; a compose file is relative to the script",
			"lane %s: the compose file %s cannot be read: %w", l.App, file, err)
	}
	s, err := project.GetService(name)
	if err != nil {
		return recipe{}, race.Errorf(race.Invalid, "the services are "+strings.Join(project.ServiceNames(), ", "), "lane %s: %s has no service %s", l.App, file, name)
	}
	if key := needs(s); key != "" {
		return recipe{}, race.Errorf(race.Invalid, "race its image, or a service without "+key+" in another compose file",
			"lane %s: the service %s of %s has %s, which a lane does not get", l.App, name, file, key)
	}
	return recipeOf(l, project, s)
}

// needs names what a service asks for that no lane gets; "" if there is nothing.
func needs(s types.ServiceConfig) string {
	for _, one := range []struct {
		key   string
		asked bool
	}{
		{"privileged", s.Privileged},
		{"cap_add", len(s.CapAdd) > 0},
		{"devices", len(s.Devices) > 0 || len(s.DeviceCgroupRules) > 0 || len(s.Gpus) > 0},
		{"volumes", len(s.VolumesFrom) > 0 || slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Type != types.VolumeTypeTmpfs })},
		{"configs", len(s.Configs) > 0},
		{"secrets", len(s.Secrets) > 0},
		{"network_mode", s.NetworkMode != "" && s.NetworkMode != "bridge"},
		{"pid", s.Pid != ""},
		{"ipc", s.Ipc != "" && s.Ipc != "private"},
		{"security_opt", slices.ContainsFunc(s.SecurityOpt, func(o string) bool { return o != "no-new-privileges" && o != "no-new-privileges:true" })}, // which every lane gets
		{"sysctls", len(s.Sysctls) > 0},
		{"cgroup_parent", s.CgroupParent != ""},
		{"runtime", s.Runtime != ""},
	} {
		if one.asked {
			return one.key
		}
	}
	return ""
}

func recipeOf(l race.LaneSpec, project *types.Project, s types.ServiceConfig) (recipe, error) {
	r := recipe{
		image: s.Image, entrypoint: s.Entrypoint, command: s.Command, user: s.User, folder: s.WorkingDir,
		stopSignal: s.StopSignal, tmpfs: s.Tmpfs,
	}
	for name, value := range s.Environment {
		if value != nil { // a name alone takes the runner's value, which is nobody else's
			r.env = append(r.env, name+"="+*value)
		}
	}
	slices.Sort(r.env)
	for _, v := range s.Volumes {
		r.tmpfs = append(r.tmpfs, v.Target)
	}
	for _, key := range s.NetworksByPriority() {
		r.networks = append(r.networks, project.Networks[key].Name)
	}
	if l.CPUs == nil && l.Memory == nil && (s.CPUS != 0 || s.MemLimit != 0 || s.Deploy != nil && s.Deploy.Resources.Limits != nil) {
		r.notes = append(r.notes, "the limits of its compose service are not taken; give the lane cpus and memory")
	}
	if s.Build == nil {
		return r, nil
	}
	b, err := newBuild(l, s.Build.Context, s.Build.Dockerfile)
	if err != nil {
		return r, err
	}
	b.args, b.target = s.Build.Args, s.Build.Target
	r.image, r.build = "", b
	return r, nil
}

// existing are those of the networks that somebody has made: where nobody has, nobody is on them whom the app could miss.
func (e *Engine) existing(ctx context.Context, l race.LaneSpec, names []string, say func(string)) ([]string, error) {
	var found []string
	for _, name := range names {
		_, err := e.client.NetworkInspect(ctx, name, network.InspectOptions{})
		switch {
		case err == nil:
			found = append(found, name)
		case errdefs.IsNotFound(err):
			say(fmt.Sprintf("lane %s: the network %s of its compose project does not exist, so it races without; what it depends on is started by docker compose up -d", l.App, name))
		default:
			return nil, e.explain(ctx, err, "look for the network "+name)
		}
	}
	return found, nil
}
