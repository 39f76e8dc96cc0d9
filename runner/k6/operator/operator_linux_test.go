package operator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.k6.io/k6/cmd"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
	"github.com/photofinish/photofinish/runner/engine/kubernetes/kubetest"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/operator"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// TestMain lets the test binary be the stock k6 of the pods.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "k6" { // as our own
		os.Args = os.Args[1:]
	}
	if len(os.Args) > 1 && slices.Contains([]string{"run", "archive", "version"}, os.Args[1]) {
		cmd.Execute() // exits
		return
	}
	os.Exit(m.Run())
}

const (
	raceID    = "operator-test-1"
	namespace = "photofinish-" + raceID
	image     = "grafana/k6:test"
)

// fixture is a cluster with apps outside of it, which count what they are asked.
type fixture struct {
	*kubetest.Cluster
	self       string
	prometheus *promserver.Server
	asked      [2]*atomic.Int64
	urls       [2]string
	nodes      map[string]*kubetest.Node
}

func TestOperator(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	f := fixture{Cluster: kubetest.Start(t), self: self, nodes: map[string]*kubetest.Node{}}
	images := kubetest.Images{image: {Program: self}, "photofinish/nothing": {Program: "/bin/true"}}
	for range 3 {
		n := f.Node(t, images, 4, "8Gi", map[string]string{"pool": "races"})
		f.nodes[n.Name] = n
	}
	f.prometheus, err = promserver.Start(t.Context(), promserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.prometheus.Close()) })
	for i := range f.urls {
		asked := &atomic.Int64{}
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
		t.Cleanup(s.Close)
		f.asked[i], f.urls[i] = asked, s.URL
	}
	f.Apply(t, "provisioning", "kubernetes", "runner.yaml")
	first := f.launcher(t, race.K6Spec{Image: image, Pods: 2})
	t.Run("a cluster without k6-operator's kind is told of", func(t *testing.T) { f.missing(t, first) })
	f.TestRuns(t)
	t.Run("a cluster where nobody looks after TestRuns is told of", f.ignored)
	t.Run("a TestRun that k6-operator gives up is told of", f.givenUp)
	t.Run("a script that no ConfigMap holds is refused", f.tooLarge)
	f.Operator(t)
	t.Run("a k6 whose image cannot be pulled is told of", f.notPulled)
	t.Run("an image that runs no k6 is told of", f.noK6)
	t.Run("the load of a heat is shared out, and what each pod counted is summed", f.shares)
	t.Run("a probe asks each app once, from one pod", f.probes)
	t.Run("pods that are interrupted tell what they have counted", f.interrupted)
	t.Run("pods that are killed end", f.killed)
	t.Run("a script that fails is told of", f.fails)
	t.Run("a TestRun that somebody removes is told of", f.removed)
	t.Run("a pod that is evicted is told of", f.evicted)
	t.Run("a k6 with too little memory is told of", f.outOfMemory)
	t.Run("what a pod waits for is said", f.waits)
	require.NoError(t, first.Cleanup(context.Background(), raceID))
	require.NoError(t, first.Cleanup(context.Background(), raceID), "again")
	left, err := f.Client.CoreV1().Namespaces().List(context.Background(), metav1.ListOptions{LabelSelector: "photofinish.race"})
	require.NoError(t, err)
	require.Empty(t, left.Items)
}

// launcher is one for the race, whose namespace the first of them makes and removes.
func (f fixture) launcher(t *testing.T, spec race.K6Spec) *operator.Launcher {
	t.Helper()
	e, err := kubernetes.New(kubernetes.Options{Config: f.ServiceAccount(t, "photofinish", "photofinish")}) // with the rights of the manifest
	require.NoError(t, err)
	l, err := operator.NewLauncher(operator.Options{
		Spec: spec, Engine: e, Nodes: map[string]string{"pool": "races"}, K6: k6.K6{Argv: []string{f.self, "k6"}, WorkDir: t.TempDir()}, PrometheusURL: f.prometheus.URL(), Say: func(string) {},
	})
	require.NoError(t, err)
	return l
}

// ready is one that knows its k6.
func (f fixture) ready(t *testing.T, pods int) *operator.Launcher {
	t.Helper()
	l := f.launcher(t, race.K6Spec{Image: image, Pods: pods})
	is, err := l.Prepare(t.Context(), raceID, func(string) {})
	require.NoError(t, err)
	require.Equal(t, pods, is.Pods)
	require.Regexp(t, `^v\d+\.\d+\.\d+`, is.Version)
	require.Equal(t, image, is.Image.Name)
	require.Contains(t, is.Image.Digest, "@sha256:")
	return l
}

// heats counts the heats of the race.
var heats atomic.Int64

func nameOf(p k6.Part) string { return fmt.Sprintf("k6-heat-%d-0", p.Config.Heat) }

const script = "import http from 'k6/http';\nexport default function () { http.get(__ENV.APP_URL); }\n"

// part is a heat of two lanes at 40 requests a second each.
func (f fixture) part(t *testing.T, text string, length time.Duration) k6.Part {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.js")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	exports := []string{"default"}
	if strings.Contains(text, "setup") {
		exports = append(exports, "setup")
	}
	d, err := definition.Parse(definition.Script{
		Options: json.RawMessage(fmt.Sprintf(`{"scenarios": {"load": {"executor": "constant-arrival-rate", "rate": 40, "duration": %q, "preAllocatedVUs": 10}}, "thresholds": {"http_reqs": ["count<1"]}}`, length)),
		Exports: exports, HasDefault: true,
	}, path, definition.Overrides{Lanes: []string{"a=" + f.urls[0], "b=" + f.urls[1]}})
	require.NoError(t, err)
	cfg := stream.Config{RaceID: raceID, Heat: int(heats.Add(1)), Seed: 7, RemoteWriteURL: f.prometheus.RemoteWriteURL()}
	for i, app := range []string{"a", "b"} {
		cfg.Lanes = append(cfg.Lanes, stream.Lane{App: app, URL: f.urls[i], Blocks: []stream.Block{{End: length}}})
	}
	return k6.Part{Definition: d, Config: cfg, Requests: 1}
}

// conduct lets a k6 begin when it is ready, at once, so that all that an app is asked counts, and gives its result.
func conduct(t *testing.T, r k6.Running, began func()) (result map[string]stream.LaneResult) {
	t.Helper()
	for ev := range r.Events() {
		switch ev.Type {
		case stream.Started:
			require.NoError(t, r.Go(time.Now()))
			if began != nil {
				go began()
			}
		case stream.Result:
			result = ev.Result
		case stream.Progress:
		}
	}
	return result
}

func (f fixture) missing(t *testing.T, l *operator.Launcher) {
	t.Helper()
	_, err := l.Prepare(t.Context(), raceID, func(string) {})
	require.ErrorContains(t, err, "the CRD testruns.k6.io is missing: cannot race with k6 in pods")
	require.Contains(t, race.HintOf(err), "k6-operator")
}

func (f fixture) ignored(t *testing.T) {
	l := f.ready(t, 1)
	l.Ignore(time.Second)
	p := f.part(t, script, time.Second)
	r, err := l.Launch(t.Context(), p)
	require.NoError(t, err)
	require.Empty(t, conduct(t, r, nil))
	_, err = r.Wait()
	require.ErrorContains(t, err, "k6-operator has not looked at the TestRun "+nameOf(p)+" for 1s")
	require.Contains(t, race.HintOf(err), "kubectl get pods")
}

func (f fixture) testRuns(t *testing.T) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(f.Admin)
	require.NoError(t, err)
	return client.Resource(schema.GroupVersionResource{Group: "k6.io", Version: "v1alpha1", Resource: "testruns"}).Namespace(namespace)
}

func (f fixture) givenUp(t *testing.T) {
	p := f.part(t, script, time.Second)
	r, err := f.ready(t, 1).Launch(t.Context(), p)
	require.NoError(t, err)
	made, err := f.testRuns(t).Get(t.Context(), nameOf(p), metav1.GetOptions{})
	require.NoError(t, err)
	require.NoError(t, unstructured.SetNestedField(made.Object, "error", "status", "stage"))
	_, err = f.testRuns(t).UpdateStatus(t.Context(), made, metav1.UpdateOptions{})
	require.NoError(t, err)
	conduct(t, r, nil)
	_, err = r.Wait()
	require.ErrorContains(t, err, "k6-operator gave the TestRun "+nameOf(p)+" up")
}

func (f fixture) tooLarge(t *testing.T) {
	p := f.part(t, "const data = open('./data');\n"+script, time.Second)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(p.Definition.Script), "data"), make([]byte, 1<<20), 0o600))
	_, err := f.ready(t, 1).Launch(t.Context(), p)
	require.Equal(t, race.Invalid, race.CodeOf(err))
	require.ErrorContains(t, err, "a ConfigMap holds at most 1MiB")
}

func (f fixture) notPulled(t *testing.T) {
	_, err := f.launcher(t, race.K6Spec{Image: "grafana/nowhere", Pods: 2}).Prepare(t.Context(), raceID, func(string) {})
	require.ErrorContains(t, err, "k6: its image cannot be pulled (ErrImagePull)")
}

func (f fixture) noK6(t *testing.T) {
	_, err := f.launcher(t, race.K6Spec{Image: "photofinish/nothing", Pods: 2}).Prepare(t.Context(), raceID, func(string) {})
	require.ErrorContains(t, err, "the image photofinish/nothing runs no k6: asked for its version it said nothing")
}

func (f fixture) shares(t *testing.T) {
	ctx := t.Context()
	t.Setenv("PASSWORD_OF_A_SCRIPT", "not for everybody")
	l := f.ready(t, 2)
	lane := f.lane(t) // takes a node
	before := [2]int64{f.asked[0].Load(), f.asked[1].Load()}
	// What the script prints is read while it runs; a variable of the runner's is there, and is in no TestRun.
	p := f.part(t, strings.Replace(script, "http.get", "if (__ENV.PASSWORD_OF_A_SCRIPT) console.warn('it is there'); http.get", 1), 3*time.Second)
	r, err := l.Launch(ctx, p)
	require.NoError(t, err)
	require.Equal(t, 2, r.CPUs(), "one each, unless the script says more")
	var spent time.Duration
	var pods []corev1.Pod
	result := conduct(t, r, func() {
		for range 20 {
			time.Sleep(100 * time.Millisecond)
			if c, err := l.Counters(ctx); err == nil {
				spent = max(spent, c.CPU)
			}
		}
		found, _ := f.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "runner=true,k6_cr=" + nameOf(p)})
		pods = found.Items
	})
	exit, err := r.Wait()
	require.NoError(t, err)
	require.True(t, exit.ThresholdsCrossed, "the script wants no requests")
	require.Positive(t, spent)

	require.Equal(t, 2, len(pods)) //nolint:testifylint // a pod is a page
	require.NotEqual(t, pods[0].Spec.NodeName, pods[1].Spec.NodeName, "where there are nodes enough")
	for _, p := range pods {
		require.NotEqual(t, lane, p.Spec.NodeName, "k6 keeps off the node of a lane")
		require.NotContains(t, p.String(), "not for everybody")
	}
	summary, err := r.Summary()
	require.NoError(t, err)
	for i, app := range []string{"a", "b"} {
		asked := f.asked[i].Load() - before[i]
		require.InDelta(t, 120, asked, 12, "the rate is the lane's, not each pod's")
		require.Equal(t, asked, result[app].Race.Requests, "what the pods counted together is what the app was asked")
		require.Equal(t, asked, result[app].Race.Latency.Count, "and what they wrote to Prometheus")
		require.Equal(t, asked, summary.Lanes[app].Requests)
		require.Zero(t, result[app].Race.Failed)
	}
	require.Len(t, summary.Judged, 2, "one for each lane, not for each pod")
	require.True(t, summary.Judged[0].Crossed)
	require.Contains(t, strings.Join(r.Logs(), "\n"), "it is there")
	f.ownSeries(t, p.Config.Heat, map[string]int64{"a": result["a"].Race.Requests, "b": result["b"].Race.Requests})
	require.Eventually(t, func() bool {
		_, noScript := f.Client.CoreV1().ConfigMaps(namespace).Get(ctx, nameOf(p), metav1.GetOptions{})
		_, noSecret := f.Client.CoreV1().Secrets(namespace).Get(ctx, nameOf(p), metav1.GetOptions{})
		_, noRun := f.testRuns(t).Get(ctx, nameOf(p), metav1.GetOptions{})
		return apierrors.IsNotFound(noScript) && apierrors.IsNotFound(noSecret) && apierrors.IsNotFound(noRun)
	}, 10*time.Second, 100*time.Millisecond, "they are removed with their heat")
}

// ownSeries makes sure that the pods wrote series apart, so that their sum is what they counted.
func (f fixture) ownSeries(t *testing.T, heat int, want map[string]int64) {
	t.Helper()
	q, err := promql.New(promql.Config{URL: f.prometheus.URL(), Timeout: 10 * time.Second})
	require.NoError(t, err)
	stored := map[string]int64{}
	require.Eventually(t, func() bool {
		found, err := q.Query(t.Context(), promql.At(`sum by (app, instance_id) (last_over_time(k6_http_reqs_total{testid="`+raceID+`", heat="`+fmt.Sprint(heat)+`", app!="", phase="race"}[5m]))`, time.Now()))
		require.NoError(t, err)
		clear(stored)
		instances := map[string]bool{}
		for _, s := range found.Series {
			instances[s.Labels["instance_id"]] = true
			stored[s.Labels["app"]] += int64(s.Last())
		}
		return len(found.Series) == 4 && instances["1"] && instances["2"] && maps.Equal(want, stored)
	}, 10*time.Second, 200*time.Millisecond, "%v is stored of %v", stored, want)
}

// lane is a pod that looks like one of a race, and the node that it is on.
func (f fixture) lane(t *testing.T) (node string) {
	t.Helper()
	pods := f.Client.CoreV1().Pods(namespace)
	_, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "lane", Labels: map[string]string{"photofinish.part": "lane"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "nowhere"}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		p, err := pods.Get(t.Context(), "lane", metav1.GetOptions{})
		require.NoError(t, err)
		node = p.Spec.NodeName
		return node != ""
	}, 20*time.Second, 50*time.Millisecond)
	return node
}

func (f fixture) probes(t *testing.T) {
	p := f.part(t, script, time.Second)
	p.Config.Probe, p.Config.RemoteWriteURL = true, ""
	before := f.asked[0].Load()
	r, err := f.ready(t, 3).Launch(t.Context(), p)
	require.NoError(t, err)
	result := conduct(t, r, nil)
	exit, err := r.Wait()
	require.NoError(t, err)
	require.Zero(t, exit.Code)
	require.EqualValues(t, 1, f.asked[0].Load()-before)
	for i, app := range []string{"a", "b"} {
		require.Equal(t, map[string]int64{strings.TrimPrefix(f.urls[i], "http://"): 1}, result[app].Reached)
	}
}

func (f fixture) interrupted(t *testing.T) {
	before := f.asked[0].Load()
	r, err := f.ready(t, 2).Launch(t.Context(), f.part(t, script, time.Minute))
	require.NoError(t, err)
	result := conduct(t, r, func() {
		time.Sleep(time.Second)
		require.NoError(t, r.Interrupt())
	})
	exit, err := r.Wait()
	require.NoError(t, err)
	require.NotZero(t, exit.Code)
	require.Positive(t, result["a"].Race.Requests)
	require.InDelta(t, f.asked[0].Load()-before, result["a"].Race.Requests, 4, "all but what was under way")
}

func (f fixture) killed(t *testing.T) {
	r, err := f.ready(t, 1).Launch(t.Context(), f.part(t, script, time.Minute))
	require.NoError(t, err)
	began := time.Now()
	conduct(t, r, func() { require.NoError(t, r.Kill()) })
	_, err = r.Wait()
	require.NoError(t, err)
	require.Less(t, time.Since(began), 30*time.Second)
}

func (f fixture) fails(t *testing.T) {
	r, err := f.ready(t, 2).Launch(t.Context(), f.part(t, "export function setup() { throw new Error('no luck'); }\n"+script, time.Second))
	require.NoError(t, err)
	require.Zero(t, conduct(t, r, nil)["a"].Race.Requests)
	exit, err := r.Wait()
	require.NoError(t, err)
	require.NotZero(t, exit.Code) // 107, or 255 of one that was started paused
	require.Contains(t, exit.Err, "no luck")
}

func (f fixture) removed(t *testing.T) {
	p := f.part(t, script, time.Minute)
	r, err := f.ready(t, 1).Launch(t.Context(), p)
	require.NoError(t, err)
	conduct(t, r, func() {
		background := metav1.DeletePropagationBackground
		_ = f.testRuns(t).Delete(context.Background(), nameOf(p), metav1.DeleteOptions{PropagationPolicy: &background})
	})
	_, err = r.Wait()
	require.ErrorContains(t, err, "was removed by somebody else")
}

func (f fixture) evicted(t *testing.T) {
	p := f.part(t, script, time.Minute)
	r, err := f.ready(t, 1).Launch(t.Context(), p)
	require.NoError(t, err)
	conduct(t, r, func() {
		found, err := f.Client.CoreV1().Pods(namespace).List(context.Background(), metav1.ListOptions{LabelSelector: "runner=true,k6_cr=" + nameOf(p)})
		if err == nil && len(found.Items) == 1 {
			pod := found.Items[0]
			f.nodes[pod.Spec.NodeName].Evict(t, namespace, pod.Name, "The node was low on resource: memory.")
		}
	})
	_, err = r.Wait()
	require.ErrorContains(t, err, "of k6 is gone: Evicted: The node was low on resource: memory.")
}

func (f fixture) outOfMemory(t *testing.T) {
	little := int64(8 << 20)
	_, err := f.launcher(t, race.K6Spec{Image: image, Pods: 2, Resources: race.Resources{Memory: &little}}).Prepare(t.Context(), raceID, func(string) {})
	require.ErrorContains(t, err, "was killed: it ran out of memory (OOMKilled)")
	require.Contains(t, race.HintOf(err), "k6.memory")
}

func (f fixture) waits(t *testing.T) {
	many := 64.0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := f.launcher(t, race.K6Spec{Image: image, Pods: 2, Resources: race.Resources{CPUs: &many}}).Prepare(ctx, raceID, func(line string) {
		if strings.Contains(line, "k6: no node takes its pod yet: ") && strings.Contains(line, "Insufficient cpu") {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled, "it was said")
}
