package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/images"
)

// Labels and annotations of everything that a race makes. The one for the app is the join key: cAdvisor's series name the pod, and
// kube-state-metrics tells its labels.
const (
	raceLabel = "photofinish.race"
	appLabel  = "photofinish.app"
	heatLabel = "photofinish.heat"
	partLabel = "photofinish.part"
)

// PartLane and PartK6 are what a pod is for, the values of the label photofinish.part: lanes and k6 keep off each other's nodes.
const (
	PartLane = "lane"
	PartK6   = "k6"
)

// PartLabels select the pods of a part, whichever race they are of.
func PartLabels(part string) map[string]string { return map[string]string{partLabel: part} }

// Labels are those of a part of a race.
func Labels(raceID, part string) map[string]string {
	return map[string]string{raceLabel: namespaceOf(raceID), partLabel: part}
}

// container is the name of the one container of a lane's pod.
const container = "app"

// longest is what Kubernetes allows for a label of a domain name, and for the value of a label.
const longest = validation.DNS1123LabelMaxLength

// namespaceOf names the namespace of a race: the race's id behind our name. What is too long is cut, and made unique again by a hash.
func namespaceOf(raceID string) string { return named("photofinish-", raceID) }

// objectOf names a lane's Service, and the Deployments of its heats without their number. Lanes may have capitals and underscores, names may not.
func objectOf(app string) string { return named("lane-", app) }

// heatRoom is kept free in a lane's name for the number of a heat.
const heatRoom = len("-0000")

func named(prefix, name string) string {
	s := prefix + strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if s == prefix+name && len(s) <= longest-heatRoom && !strings.HasSuffix(s, "-") {
		return s
	}
	hash := sha256.Sum256([]byte(name))
	tail := "-" + hex.EncodeToString(hash[:4])
	return s[:min(len(s), longest-heatRoom-len(tail))] + tail
}

// check says why a lane cannot be raced on Kubernetes.
func (e *Engine) check(l race.LaneSpec) error {
	switch {
	case l.Image == "":
		return race.Errorf(race.Invalid, "give it an image that the cluster's nodes can pull, or race it with another engine",
			"lane %s has no image, and images are all that the engine kubernetes can start", l.App)
	case l.CPUSet != nil:
		return race.Errorf(race.Invalid, "give it whole cpus, and let the kubelet's CPU manager pin them (policy static)",
			"lane %s: the engine kubernetes cannot choose a CPU set, the kubelet does", l.App)
	case len(validation.IsValidLabelValue(l.App)) > 0:
		return race.Errorf(race.Invalid, "rename the lane", "lane %s: a name that begins or ends with - or _ cannot be a label in Kubernetes", l.App)
	}
	if err := Allows(e.options.Allowed, l.Image); err != nil {
		return race.Errorf(race.CodeOf(err), race.HintOf(err), "lane %s: %w", l.App, err)
	}
	return nil
}

// Allows says whether an image may be run; the error says why not.
func Allows(allowed *images.Allowed, image string) error {
	err := allowed.Run(image)
	if err == nil {
		return nil
	}
	return race.Errorf(race.CodeOf(err), strings.ReplaceAll(race.HintOf(err), "docker.images", "kubernetes.images"), "%w", err)
}

// defaultPort is where an app listens that no port was named for: PORT tells it.
const defaultPort = 8080

func portOf(l race.LaneSpec) int {
	if l.Port == 0 {
		return defaultPort
	}
	return l.Port
}
