package operator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.k6.io/k6/cmd"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/engine/kubernetes/kubetest"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/operator"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// TestMain lets the test binary be the stock k6 of the pods.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "k6" {
		os.Args = os.Args[1:]
		cmd.Execute() // exits
		return
	}
	os.Exit(m.Run())
}

const (
	raceID = "operator-test-1"
	image  = "grafana/k6:test"
)

type fixture struct {
	*kubetest.Cluster
	operator  *operator.Cluster
	namespace string
	k6        k6.K6
}

func TestOperator(t *testing.T) {
	c := kubetest.Start(t)
	self, err := os.Executable()
	require.NoError(t, err)
	images := kubetest.Images{image: {Program: self}}
	for range 3 {
		c.Node(t, images, 4, "8Gi", map[string]string{"pool": "races"})
	}
	o, err := operator.New(c.Admin)
	require.NoError(t, err)
	f := fixture{c, o, "photofinish-" + raceID, k6.K6{Argv: []string{self, "k6"}, WorkDir: t.TempDir()}}
	_, err = c.Client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: f.namespace}}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool { // pods need it
		_, err := c.Client.CoreV1().ServiceAccounts(f.namespace).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	t.Run("a cluster without k6-operator is told of, and nothing is left", f.missing)
	c.Apply(t, "tests", "kubernetes", "testrun-crd.yaml")
	require.Eventually(t, func() bool { // the API server takes a moment to serve a new kind
		_, err := f.testRuns(t).List(t.Context(), metav1.ListOptions{})
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	c.RestartControllers(t)
	t.Run("a script that no ConfigMap holds is refused", f.tooLarge)
	t.Run("a TestRun that k6-operator gives up is told of", f.givenUp)
	lend(t, c)
	t.Run("the load of a heat is shared out, and what each pod counted is summed", f.shares)
	t.Run("a k6 that ends with an error is told of with its pod", f.fails)
	t.Run("a k6 whose image cannot be pulled is told of", f.notPulled)
}

func (f fixture) testRuns(t *testing.T) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(f.Admin)
	require.NoError(t, err)
	return client.Resource(schema.GroupVersionResource{Group: "k6.io", Version: "v1alpha1", Resource: "testruns"}).Namespace(f.namespace)
}

// nothingLeft makes sure that the namespace holds nothing of k6.
func (f fixture) nothingLeft(t *testing.T, kinds bool) {
	t.Helper()
	scripts, err := f.Client.CoreV1().ConfigMaps(f.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "photofinish.part=k6"})
	require.NoError(t, err)
	require.Empty(t, scripts.Items)
	pods, err := f.Client.CoreV1().Pods(f.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "photofinish.part=k6"})
	require.NoError(t, err)
	require.Empty(t, pods.Items)
	if kinds {
		runs, err := f.testRuns(t).List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		require.Empty(t, runs.Items)
	}
}

func (f fixture) spec(name string, archive []byte) operator.Spec {
	return operator.Spec{Namespace: f.namespace, Name: name, RaceID: raceID, Heat: 1, Archive: archive, Image: image, Parallelism: 2, Nodes: map[string]string{"pool": "races"}}
}

func (f fixture) missing(t *testing.T) {
	_, err := f.operator.Start(t.Context(), f.spec("missing", []byte("x")))
	require.ErrorContains(t, err, "the CRD testruns.k6.io is missing: cannot start k6")
	require.Contains(t, race.HintOf(err), "k6-operator")
	f.nothingLeft(t, false)
}

func (f fixture) tooLarge(t *testing.T) {
	_, err := f.operator.Start(t.Context(), f.spec("large", make([]byte, 1<<20+1)))
	require.Equal(t, race.Invalid, race.CodeOf(err))
	require.ErrorContains(t, err, "a ConfigMap holds at most 1MiB")
	f.nothingLeft(t, true)
}

func (f fixture) givenUp(t *testing.T) {
	run, err := f.operator.Start(t.Context(), f.spec("given-up", []byte("x")))
	require.NoError(t, err)
	made, err := f.testRuns(t).Get(t.Context(), "given-up", metav1.GetOptions{})
	require.NoError(t, err)
	require.NoError(t, unstructured.SetNestedField(made.Object, "error", "status", "stage"))
	_, err = f.testRuns(t).UpdateStatus(t.Context(), made, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.ErrorContains(t, run.Wait(t.Context()), "k6-operator gave the TestRun given-up up")
	require.NoError(t, run.Remove(t.Context()))
	require.NoError(t, run.Remove(t.Context()), "again")
	f.nothingLeft(t, true)
}

// starter answers k6's question when the race begins as soon as so many have asked.
func starter(t *testing.T, pods int) string {
	t.Helper()
	var asked sync.WaitGroup
	asked.Add(pods)
	var once sync.Once
	var at time.Time
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Done()
		asked.Wait()
		once.Do(func() { at = time.Now() }) // at once, so that all that an app is asked counts
		_, _ = fmt.Fprintf(w, "%.3f", float64(at.UnixNano())/1e6)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func (f fixture) shares(t *testing.T) {
	ctx := t.Context()
	var asked [2]atomic.Int64
	var urls [2]string
	for i := range urls {
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) { asked[i].Add(1) }))
		t.Cleanup(s.Close)
		urls[i] = s.URL
	}
	prometheus, err := promserver.Start(ctx, promserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, prometheus.Close()) })

	heat, archive := f.pack(t, urls, 2)
	spec := f.spec("shared", archive)
	spec.RemoteWriteURL = prometheus.RemoteWriteURL()
	lane := f.lane(t) // takes a node
	run, err := f.operator.Start(ctx, spec)
	require.NoError(t, err)
	require.NoError(t, run.Wait(ctx))

	pods, err := f.Client.CoreV1().Pods(f.namespace).List(ctx, metav1.ListOptions{LabelSelector: "k6_cr=shared,photofinish.part=k6"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 2)
	require.NotEqual(t, pods.Items[0].Spec.NodeName, pods.Items[1].Spec.NodeName, "where there are nodes enough")
	for _, p := range pods.Items {
		require.NotEqual(t, lane, p.Spec.NodeName, "k6 keeps off the node of a lane")
	}

	outputs, err := run.Outputs(ctx)
	require.NoError(t, err)
	var parts []k6.StockTotals
	for _, text := range outputs {
		for line := range bytes.Lines(text) {
			totals, _, is, err := heat.ReadStock(string(bytes.TrimSpace(line)))
			require.NoError(t, err)
			if is {
				require.Positive(t, totals["a"].Requests, "each has its share")
				parts = append(parts, totals)
			}
		}
	}
	require.Len(t, parts, 2)
	sum := k6.SumStock(parts)
	for i, app := range []string{"a", "b"} {
		require.Equal(t, asked[i].Load(), sum[app].Requests, "what the pods counted together is what the app was asked")
		require.Equal(t, sum[app].Requests, sum[app].Latency.Count)
		require.Zero(t, sum[app].Failed)
	}
	f.ownSeries(t, prometheus.URL(), sum)
	require.NoError(t, run.Remove(ctx))
	f.nothingLeft(t, true)
}

// ownSeries makes sure that the pods wrote series apart, so that their sum is what they counted.
func (f fixture) ownSeries(t *testing.T, url string, sum k6.StockTotals) {
	t.Helper()
	q, err := promql.New(promql.Config{URL: url, Timeout: 10 * time.Second})
	require.NoError(t, err)
	want, stored := map[string]int64{"a": sum["a"].Requests, "b": sum["b"].Requests}, map[string]int64{}
	require.Eventually(t, func() bool {
		found, err := q.Query(t.Context(), promql.At(`sum by (app, instance_id) (last_over_time(k6_http_reqs_total{testid="`+raceID+`", app!="", phase="race"}[5m]))`, time.Now()))
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
	pods := f.Client.CoreV1().Pods(f.namespace)
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

// pack writes a heat of two lanes down for a stock k6, and packs it.
func (f fixture) pack(t *testing.T, urls [2]string, pods int) (k6.Heat, []byte) {
	t.Helper()
	dir := t.TempDir()
	script := filepath.Join(dir, "script.js")
	require.NoError(t, os.WriteFile(script, []byte("import http from 'k6/http';\nexport default function () { http.get(__ENV.APP_URL); }\n"), 0o600))
	d, err := definition.Parse(definition.Script{
		Options: json.RawMessage(`{"scenarios": {"load": {"executor": "constant-arrival-rate", "rate": 40, "duration": "3s", "preAllocatedVUs": 10}}}`), Exports: []string{"default"}, HasDefault: true,
	}, script, definition.Overrides{Lanes: []string{"a=" + urls[0], "b=" + urls[1]}})
	require.NoError(t, err)
	cfg := stream.Config{RaceID: raceID, Heat: 1, Seed: 7}
	for i, app := range []string{"a", "b"} {
		cfg.Lanes = append(cfg.Lanes, stream.Lane{App: app, URL: urls[i], Blocks: []stream.Block{{End: 3 * time.Second}}})
	}
	heat, err := k6.WriteHeat(dir, d, cfg, k6.HeatOptions{Stock: true, Starter: starter(t, pods)})
	require.NoError(t, err)
	path, err := f.k6.Archive(t.Context(), heat.Wrapper, nil)
	require.NoError(t, err)
	archive, err := os.ReadFile(path)
	require.NoError(t, err)
	return heat, archive
}

func (f fixture) fails(t *testing.T) {
	run, err := f.operator.Start(t.Context(), f.spec("broken", []byte("this is no archive")))
	require.NoError(t, err)
	err = run.Wait(t.Context())
	require.ErrorContains(t, err, "k6 in pod broken-")
	require.ErrorContains(t, err, "ended with code")
	require.Contains(t, race.HintOf(err), "kubectl logs")
	require.NoError(t, run.Remove(t.Context()))
	f.nothingLeft(t, true)
}

func (f fixture) notPulled(t *testing.T) {
	spec := f.spec("not-pulled", []byte("x"))
	spec.Image = "grafana/nowhere"
	run, err := f.operator.Start(t.Context(), spec)
	require.NoError(t, err)
	require.ErrorContains(t, run.Wait(t.Context()), "k6: its image cannot be pulled (ErrImagePull)")
	require.NoError(t, run.Remove(t.Context()))
	f.nothingLeft(t, true)
}
