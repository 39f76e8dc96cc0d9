package kubernetes

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/photofinish/photofinish/pkg/race"
)

// ending is how an app ended, or why it never ran.
type ending struct {
	reason race.ExitReason
	code   *int
	at     time.Time // zero where Kubernetes does not tell
	// note is what Kubernetes says of it, "" where reason and code say it all.
	note string
	// lost is why nothing can be said of the app itself: it could not be started, or nobody can be asked; nil where it ran.
	lost error
}

// signalled and above are the codes of processes that a signal ended: 128 and its number.
const signalled = 128

// endOf says how the app of a pod ended; nil while it runs, or may still start. A container that was started again counts as ended: an app that
// begins anew within a heat is not the one that was raced.
func endOf(app string, pod *corev1.Pod) *ending {
	if pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" { // Evicted, Preempting, NodeShutdown, …
		return &ending{reason: race.Killed, note: pod.Status.Reason + ": " + pod.Status.Message}
	}
	if s := statusOf(pod); s != nil {
		if t := terminated(s); t != nil {
			return endOfContainer(pod, t)
		}
		if w := s.State.Waiting; w != nil {
			if err := CannotStart("lane "+app, w); err != nil {
				return &ending{reason: race.Unhealthy, lost: err}
			}
		}
	}
	return nil
}

// statusOf is what is known of a lane's container; nil before its node has seen it.
func statusOf(pod *corev1.Pod) *corev1.ContainerStatus {
	i := slices.IndexFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == container })
	if i < 0 {
		return nil
	}
	return &pod.Status.ContainerStatuses[i]
}

func terminated(s *corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if s.State.Terminated != nil {
		return s.State.Terminated
	}
	return s.LastTerminationState.Terminated
}

func endOfContainer(pod *corev1.Pod, t *corev1.ContainerStateTerminated) *ending {
	end := &ending{reason: race.Exited, at: t.FinishedAt.Time}
	code := int(t.ExitCode)
	switch {
	case t.Reason == "OOMKilled":
		end.reason = race.OOM
	case t.ExitCode > signalled || t.Signal != 0:
		end.reason = race.Killed
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue { // drained, preempted, tainted
				end.note = c.Reason + ": " + c.Message
			}
		}
	default:
		end.code = &code
		if t.Message != "" && t.Reason != "Error" && t.Reason != "Completed" { // StartError, ContainerCannotRun
			end.note = t.Reason + ": " + t.Message
		}
	}
	return end
}

// CannotStart says why a container that waits will not start; nil where it only takes its time. whose names it, as "lane a".
func CannotStart(whose string, w *corev1.ContainerStateWaiting) error {
	switch w.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable":
		return race.Errorf(race.Unavailable, "check the image's name, and that the cluster's nodes may pull it (kubectl describe pod shows all they tried)",
			"%s: its image cannot be pulled (%s): %s", whose, w.Reason, w.Message)
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PostStartHookError":
		return race.Errorf(race.Unavailable, "run the image by hand with kubectl run to see what it misses",
			"%s: its container cannot be started (%s): %s", whose, w.Reason, w.Message)
	}
	return nil
}

// failedCreate is why a lane's pod cannot be made, "" where it can: a quota, a limit range, a security standard, an admission webhook said so.
func failedCreate(d *appsv1.Deployment) string {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return c.Message
		}
	}
	return ""
}
