package sqs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	k6cmd "go.k6.io/k6/cmd"
	"go.k6.io/k6/js/modules"

	"github.com/photofinish/photofinish/runner/k6/sqs"
	"github.com/photofinish/photofinish/runner/queue"
	"github.com/photofinish/photofinish/runner/queue/queuetest"
)

// TestMain lets the test binary be a k6 with the module.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "k6" {
		os.Args = os.Args[1:]
		modules.Register(sqs.ModuleName, sqs.New())
		k6cmd.Execute() // exits
		return
	}
	os.Exit(m.Run())
}

// tested is a k6 run that is over.
type tested struct {
	said    string
	samples map[string][]float64 // by metric
	tags    map[string]map[string]string
}

// k6 runs a script that knows QUEUE_URL and REPLY_URL.
func k6(t *testing.T, env map[string]string, script string, args ...string) tested {
	t.Helper()
	dir := t.TempDir()
	path, raw := filepath.Join(dir, "script.js"), filepath.Join(dir, "raw.json")
	require.NoError(t, os.WriteFile(path, []byte("import sqs from 'k6/x/photofinish/sqs';\nimport { check } from 'k6';\n"+script), 0o600))
	cmd := exec.CommandContext(t.Context(), os.Args[0], append(append([]string{"k6", "run", "--quiet", "--no-color", "--address=", "--out", "json=" + raw, "--tag", "app=a"}, args...), path)...)
	cmd.Env = append(os.Environ(), "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false")
	for name, v := range env {
		cmd.Args = append(cmd.Args, "-e", name+"="+v)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	_ = cmd.Run() // what it says is looked at
	got := tested{said: said.String(), samples: map[string][]float64{}, tags: map[string]map[string]string{}}
	text, err := os.ReadFile(raw)
	require.NoError(t, err, got.said)
	for line := range bytes.Lines(text) {
		var s struct {
			Type, Metric string
			Data         struct {
				Value float64
				Tags  map[string]string
			}
		}
		require.NoError(t, json.Unmarshal(line, &s))
		if s.Type == "Point" {
			got.samples[s.Metric] = append(got.samples[s.Metric], s.Data.Value)
			got.tags[s.Metric] = s.Data.Tags
		}
	}
	return got
}

func sum(values []float64) (all float64) {
	for _, v := range values {
		all += v
	}
	return all
}

// worker answers the messages of a queue until the test ends; handle says how often each is answered, and may wait.
func worker(t *testing.T, requests, replies string, handle func(queue.Message) int) {
	t.Helper()
	c, err := queue.Connect(t.Context(), queue.Options{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() { stop(); <-done })
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			got, _ := c.Receive(ctx, requests, 10, time.Second, 0)
			for _, m := range got {
				for range handle(m) {
					_, _ = c.Send(ctx, replies, queue.Outgoing{Body: strings.ToUpper(m.Body), Attributes: map[string]string{queue.CorrelationID: m.Attributes[queue.CorrelationID]}})
				}
				_ = c.Delete(ctx, requests, []string{m.Handle})
			}
		}
	}()
}

const request = `
const queues = sqs.connect();
export default function () { const r = queues.request(__ENV.QUEUE_URL, __ENV.REPLY_URL, 'work ' + __ITER, { timeout: '2s' }); check(r, { answered: (r) => r.body === 'WORK ' + __ITER && r.duration > 0 }); }
`

func TestARequestIsMeasuredFromItsMessageToItsReply(t *testing.T) {
	s := queuetest.Start(t)
	requests, replies := s.Lane(t, "module-a", nil)
	worker(t, requests, replies, func(queue.Message) int { time.Sleep(50 * time.Millisecond); return 1 })
	got := k6(t, map[string]string{"QUEUE_URL": requests, "REPLY_URL": replies}, request, "--vus", "2", "--iterations", "8")
	require.Equal(t, 8.0, sum(got.samples["sqs_requests"]), got.said)
	require.Equal(t, 8.0, sum(got.samples["sqs_sent"]))
	require.Equal(t, 8.0, sum(got.samples["sqs_received"]))
	require.Equal(t, 8.0, sum(got.samples["checks"]), "each got its own reply")
	require.Len(t, got.samples["sqs_failed"], 8)
	require.Zero(t, sum(got.samples["sqs_failed"]))
	require.Len(t, got.samples["sqs_latency"], 8)
	for _, ms := range got.samples["sqs_latency"] {
		require.Greater(t, ms, 50.0)
		require.Less(t, ms, 2000.0)
	}
	require.NotEmpty(t, got.samples["sqs_backlog"])
	require.Equal(t, "a", got.tags["sqs_latency"]["app"], "it bears the VU's tags")
	require.Equal(t, "a", got.tags["sqs_backlog"]["app"])
	require.NotContains(t, got.samples, "sqs_errors")
	require.NotContains(t, got.samples, "sqs_redelivered")
}

func TestAMessageThatIsNotAnsweredFailsInTime(t *testing.T) {
	s := queuetest.Start(t)
	requests, replies := s.Lane(t, "module-b", nil)
	worker(t, requests, replies, func(m queue.Message) int {
		if m.Body == "work 1" {
			return 0
		}
		return 1
	})
	got := k6(t, map[string]string{"QUEUE_URL": requests, "REPLY_URL": replies}, request, "--iterations", "3")
	require.Equal(t, []float64{0, 1, 0}, got.samples["sqs_failed"])
	require.InDelta(t, 2000, got.samples["sqs_latency"][1], 500)
	require.Contains(t, got.said, "no reply to a message in the queue module-b within 2s")
	require.NotContains(t, got.samples, "sqs_errors", "the queue is well")
}

func TestAMessageThatIsAnsweredTwiceWasRedelivered(t *testing.T) {
	s := queuetest.Start(t)
	requests, replies := s.Lane(t, "module-c", nil)
	worker(t, requests, replies, func(queue.Message) int { return 2 })
	got := k6(t, map[string]string{"QUEUE_URL": requests, "REPLY_URL": replies}, request, "--iterations", "5")
	require.Equal(t, 5.0, sum(got.samples["sqs_requests"]))
	require.GreaterOrEqual(t, sum(got.samples["sqs_redelivered"]), 3.0, "what comes after the last request is not seen")
	require.Zero(t, sum(got.samples["sqs_failed"]))
}

func TestAQueueThatGoesIsAnErrorOfTheQueue(t *testing.T) {
	s := queuetest.Start(t)
	requests, replies := s.Lane(t, "module-d", nil)
	worker(t, requests, replies, func(m queue.Message) int {
		if m.Body == "work 2" {
			require.NoError(t, s.Remove(t.Context(), requests))
		}
		return 1
	})
	began := time.Now()
	got := k6(t, map[string]string{"QUEUE_URL": requests, "REPLY_URL": replies}, request, "--iterations", "10")
	require.Equal(t, 7.0, sum(got.samples["sqs_errors"]), got.said)
	require.Equal(t, 7.0, sum(got.samples["sqs_failed"]))
	require.Contains(t, got.said, "cannot send to the queue module-d at "+s.URL+": there is no such queue")
	require.Greater(t, time.Since(began), 700*time.Millisecond, "errors do not spin")
}

func TestMessagesCanBeSentReceivedAndCountedByHand(t *testing.T) {
	s := queuetest.Start(t)
	jobs := s.Make(t, "module-e", nil)
	got := k6(t, map[string]string{"QUEUE_URL": jobs}, `
const queues = sqs.connect({ region: 'eu-central-1' });
export default function () {
  const q = __ENV.QUEUE_URL;
  const id = queues.send(q, 'one', { Colour: 'red' });
  queues.sendBatch(q, ['two', { body: 'three', attributes: { Colour: 'blue' } }]);
  check(queues.backlog(q), { 'three wait': (n) => n === 3 });
  const all = queues.receive(q, { max: 10, wait: '1s' });
  check(all, {
    'three come': (all) => all.map((m) => m.body).sort().join() === 'one,three,two',
    'as they were sent': (all) => all.find((m) => m.body === 'one').id === id && all.find((m) => m.body === 'three').attributes.Colour === 'blue' && all[0].receives === 1,
  });
  queues.delete(q, all[0]);
  queues.delete(q, all.slice(1));
  check(queues.backlog(q), { 'none waits': (n) => n === 0 });
  queues.send(q, 'four');
  queues.delete(q, queues.receive(q, { wait: '1s' }));
  check(queues.backlog(q), { 'none waits again': (n) => n === 0 });
  for (const wrong of [() => queues.send(q), () => queues.send(q, { no: 'text' }), () => queues.receive(q, { wait: 'soon' }), () => queues.delete(q, 'x'), () => queues.request(undefined, undefined, 'x'), () => queues.backlog(q + '-none')])
    try { wrong(); console.log('nothing thrown by ' + wrong); } catch (e) { console.log(e.message || e); }
}
`)
	require.Equal(t, 5.0, sum(got.samples["checks"]), got.said)
	require.Len(t, got.samples["checks"], 5)
	require.Equal(t, 4.0, sum(got.samples["sqs_sent"]))
	require.Equal(t, 4.0, sum(got.samples["sqs_received"]))
	for _, sentence := range []string{
		"a message has no body", "a message's body must be a string; make one with JSON.stringify", "wait must be a duration such as '5s'", "delete wants what receive returned",
		"read __ENV.QUEUE_URL and __ENV.REPLY_URL within the function", "cannot ask about the queue module-e-none",
	} {
		require.Contains(t, got.said, sentence)
	}
	require.NotContains(t, got.said, "nothing thrown")
}

func TestTheTopOfAScriptSendsNothing(t *testing.T) {
	s := queuetest.Start(t)
	jobs := s.Make(t, "module-f", nil)
	dir := t.TempDir()
	path := filepath.Join(dir, "script.js")
	require.NoError(t, os.WriteFile(path, []byte("import { connect } from 'k6/x/photofinish/sqs';\nconnect().send('"+jobs+"', 'x');\nexport default function () {}\n"), 0o600))
	said, err := exec.CommandContext(t.Context(), os.Args[0], "k6", "run", "--quiet", path).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(said), "send cannot be called at the top of a script")
}
