package compare

import (
	"maps"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/promql"
)

// Join says how the containers of apps are recognised. The zero value uses DefaultAppLabels and no map.
type Join struct {
	// AppLabels are the labels of cAdvisor's series that may name the app, in order: for each app the first label that fits is used.
	AppLabels []string
	// AppMap gives the container's name for an app where the two differ (k6 app: value of the label).
	AppMap map[string]string
}

// DefaultAppLabels are our own label, the compose service, the Kubernetes container and pod, and the container's name.
func DefaultAppLabels() []string {
	return []string{labelApp, "container_label_com_docker_compose_service", labelContainer, labelPod, "name"}
}

// A pause container only holds the network of a Kubernetes pod; it is nobody's app.
const (
	pauseDocker     = "POD"
	pauseContainerd = "pause"
)

func (j Join) labels() []string {
	var labels []string
	for _, l := range j.AppLabels {
		if l = strings.TrimSpace(l); l != "" && !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	if len(labels) == 0 {
		return DefaultAppLabels()
	}
	return labels
}

// container is the name by which an app's container goes; "" where it has none.
func (j Join) container(app string) string {
	name := app
	if mapped := strings.TrimSpace(j.AppMap[app]); mapped != "" {
		name = mapped
	}
	if isPause(name) {
		return ""
	}
	return name
}

func isPause(container string) bool { return container == pauseDocker || container == pauseContainerd }

// byContainer maps each container name to the apps that go by it; several apps may share one.
func (j Join) byContainer(apps []string) map[string][]string {
	names := map[string][]string{}
	for _, app := range apps {
		if name := j.container(app); name != "" {
			names[name] = append(names[name], app)
		}
	}
	return names
}

// containers is one label that names containers, and the apps found by it.
type containers struct {
	label string
	apps  map[string][]string // by container name
	// network: they are pods whose containers were found by their own names, and only what is counted of pods alone is asked of them.
	network bool
}

// first are some of the containers.
func (c containers) first(n int) containers {
	some := containers{label: c.label, apps: map[string][]string{}}
	for _, name := range slices.Sorted(maps.Keys(c.apps)) {
		if len(some.apps) < n {
			some.apps[name] = c.apps[name]
		}
	}
	return some
}

// matchers select the series of a race's containers by one label. Where all series of a pod bear it, the pod's own are among them; see podsOwn.
func (c containers) matchers(testid string) []promql.Matcher {
	names := make([]string, 0, len(c.apps))
	for name := range c.apps {
		names = append(names, name)
	}
	slices.Sort(names)
	matchers := []promql.Matcher{promql.OneOf(c.label, names...)}
	switch {
	case c.label == labelApp:
		// The runner labels its containers with the race too; another race of the same apps may run beside this one.
		matchers = append(matchers, promql.OneOf(labelRace, "", testid))
	case c.network:
		matchers = append(matchers, promql.OneOf(labelContainer, "", pauseDocker, pauseContainerd))
	}
	return matchers
}

// naming are the matchers of the series that may tell that an app's containers go by the label: not those of pods.
func (c containers) naming(testid string) []promql.Matcher {
	matchers := c.matchers(testid)
	switch c.label {
	case labelApp, labelContainer:
	case labelPod:
		matchers = append(matchers, promql.NoneOf(labelContainer, "", pauseDocker, pauseContainerd))
	default:
		matchers = append(matchers, promql.NoneOf(labelContainer, pauseDocker, pauseContainerd))
	}
	return matchers
}

// podsOwn tells which of some series are a pod's own: those of its pause container, which has its network, and the sums that the kubelet's cAdvisor keeps of it.
// A sum without any container of the pod beside it is none: a cAdvisor of its own knows no pods, and Prometheus may add to all its series that of the cAdvisor.
func podsOwn(series []promql.Series) func(labels map[string]string) bool {
	held := map[string]bool{} // pods whose containers are there
	for _, s := range series {
		if name := s.Labels[labelContainer]; name != "" && !isPause(name) {
			held[s.Labels[labelPod]] = true
		}
	}
	return func(labels map[string]string) bool {
		name, pod := labels[labelContainer], labels[labelPod]
		return isPause(name) || name == "" && pod != "" && held[pod]
	}
}

// assign gives every app the first label in order under which its container was seen. seen lists container names by label.
func (j Join) assign(apps []string, seen map[string][]string) []containers {
	var found []containers
	left := slices.Clone(apps)
	for _, label := range j.labels() {
		names := j.byContainer(left)
		here := containers{label: label, apps: map[string][]string{}}
		for _, name := range seen[label] {
			if owners := names[name]; len(owners) > 0 {
				here.apps[name] = owners
				left = slices.DeleteFunc(left, func(app string) bool { return slices.Contains(owners, app) })
			}
		}
		if len(here.apps) > 0 {
			found = append(found, here)
		}
	}
	return found
}
