package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// explain makes an error of Kubernetes' one for a person; doing says what was tried, as "make a Service for lane a".
func (e *Engine) explain(ctx context.Context, err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return Explain(err, e.config.Host, doing)
}

// Explain makes an error of the API server at host one for a person; doing says what was tried.
func Explain(err error, host, doing string) error {
	switch {
	case unreachable(err):
		return engine.Down(err, "check the address, and that the API server runs (kubectl version)", "the Kubernetes API server at %s does not answer: cannot %s", host, doing)
	case apierrors.IsUnauthorized(err):
		return race.Errorf(race.Unavailable, "renew the token or certificate of KUBECONFIG, or the pod's service account", "the Kubernetes API server at %s does not know this user: cannot %s", host, doing)
	case overQuota(err.Error()):
		return quota(err.Error(), doing)
	case apierrors.IsForbidden(err):
		return denied(err, doing)
	case missingKind(err):
		return race.Errorf(race.Unavailable, "install k6-operator, which brings it (kubectl get crd testruns.k6.io)",
			"the cluster knows no TestRun, the CRD testruns.k6.io is missing: cannot %s", doing)
	case apierrors.IsInvalid(err):
		return race.Errorf(race.Invalid, "", "cannot %s: %w", doing, err)
	case apierrors.IsAlreadyExists(err):
		return race.Errorf(race.Conflict, "wait until it is gone, or remove it by hand", "cannot %s: %w", doing, err)
	}
	return race.Errorf(race.Unavailable, "", "cannot %s: %w", doing, err)
}

// unreachable says whether the API server is gone, was never there, goes in the middle of an answer, or has lost its own store.
func unreachable(err error) bool {
	var network *net.OpError
	var dns *net.DNSError
	return errors.As(err, &network) || errors.As(err, &dns) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err) || strings.Contains(err.Error(), "http2: client connection lost")
}

// refusal is what RBAC says: who may not do what, where.
var refusal = regexp.MustCompile(`User "([^"]*)" cannot (\S+) resource "([^"]*)" in API group "([^"]*)"(?: in the namespace "([^"]*)"| at the cluster scope)?`)

// denied names who may not do what, and the rule that is missing.
func denied(err error, doing string) error {
	m := refusal.FindStringSubmatch(err.Error())
	if m == nil { // an admission plugin or a webhook
		return race.Errorf(race.Unavailable, "", "cannot %s: the cluster forbids it: %w", doing, err)
	}
	user, verb, resource, group, namespace := m[1], m[2], m[3], m[4], m[5]
	where := "in the whole cluster"
	if namespace != "" {
		where = "in namespace " + namespace
	}
	return race.Errorf(race.Unavailable, fmt.Sprintf(`its ClusterRole misses the rule {apiGroups: [%q], resources: [%q], verbs: [%q]}; provisioning/kubernetes/runner.yaml has all that is needed`, group, resource, verb),
		"cannot %s: %s may not %s %s %s", doing, user, verb, resource, where)
}

func overQuota(message string) bool { return strings.Contains(message, "exceeded quota") }

// exceeded is the end of the message of the quota's admission plugin: which quota, what was asked for, used and allowed.
var exceeded = regexp.MustCompile(`exceeded quota: .*`)

func quota(message, doing string) error {
	return race.Errorf(race.Unavailable, "race with fewer or smaller lanes, or raise the quota", "cannot %s: %s", doing, exceeded.FindString(message))
}

// missingKind says whether the API server does not know the kind of an object. A NotFound of an object names it.
func missingKind(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsNotFound(err) {
		return false
	}
	details := status.Status().Details
	return details == nil || details.Name == ""
}
