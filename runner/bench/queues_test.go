package bench

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/queue/queuetest"
)

// The load on a queue: senders that each wait for their message to be taken before they send the next.
const (
	senders   = 20
	queueLap  = 5 * time.Second
	queueLaps = 4 // of each, in turns
)

// beQueues makes this test binary a server of queues, apart from the benchmark that asks it.
const beQueues = "PHOTOFINISH_BENCH_QUEUES"

func TestMain(m *testing.M) {
	if os.Getenv(beQueues) != "" {
		fmt.Println(queuetest.Serve().URL) //nolint:forbidigo // to the benchmark that started this process
		select {}
	}
	os.Exit(m.Run())
}

// BenchmarkQueueModule compares messages per second through `k6/x/photofinish/sqs` with those of a plain Go client that sends the same message by
// Amazon's SDK. It fails below half.
func BenchmarkQueueModule(b *testing.B) {
	runner := build(b).runner
	server := startQueues(b)
	var module, plain float64
	for range b.N {
		for range queueLaps {
			module += sentByModule(b, runner, server)
			plain += sentByClient(b, server)
		}
	}
	laps := float64(b.N * queueLaps)
	b.ReportMetric(module/laps, "module-msgs/s")
	b.ReportMetric(plain/laps, "client-msgs/s")
	b.ReportMetric(module/plain, "module/client")
	require.GreaterOrEqual(b, module/plain, 0.5)
}

// startQueues starts the server, which lives until the benchmark ends.
func startQueues(b *testing.B) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), beQueues+"=1")
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var address string
	_, err = fmt.Fscanln(out, &address)
	require.NoError(b, err)
	return address
}

// fresh makes a queue for one lap: a server that has to look through what others left would be slower for whom comes later.
func fresh(b *testing.B, server string) (c *sqs.Client, address string) {
	b.Helper()
	c = sqs.New(sqs.Options{
		BaseEndpoint: &server, Region: "us-east-1", Credentials: aws.AnonymousCredentials{},
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = senders }),
	})
	made, err := c.CreateQueue(b.Context(), &sqs.CreateQueueInput{QueueName: aws.String(fmt.Sprintf("bench-%d", time.Now().UnixNano()))})
	require.NoError(b, err)
	b.Cleanup(func() { _, _ = c.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl}) })
	return c, *made.QueueUrl
}

const body = `{"rounds": 200}`

// sentByClient is the messages per second of the plain client.
func sentByClient(b *testing.B, server string) float64 {
	b.Helper()
	c, address := fresh(b, server)
	var sent atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range senders {
		all.Go(func() {
			for time.Since(began) < queueLap {
				if _, err := c.SendMessage(b.Context(), &sqs.SendMessageInput{QueueUrl: &address, MessageBody: aws.String(body)}); err == nil {
					sent.Add(1)
				}
			}
		})
	}
	all.Wait()
	return float64(sent.Load()) / time.Since(began).Seconds()
}

// sentByModule is the messages per second of as many VUs.
func sentByModule(b *testing.B, runner, server string) float64 {
	b.Helper()
	_, address := fresh(b, server)
	dir := b.TempDir()
	script, summary := filepath.Join(dir, "script.js"), filepath.Join(dir, "summary.json")
	require.NoError(b, os.WriteFile(script, fmt.Appendf(nil, `import sqs from 'k6/x/photofinish/sqs';
export const options = { scenarios: { load: { executor: 'constant-vus', vus: %d, duration: '%s' } } };
const queues = sqs.connect({ endpoint: %q });
export default function () { queues.send(%q, %q); }
`, senders, queueLap, server, address, body), 0o600))
	cmd := exec.CommandContext(b.Context(), runner, "k6", "run", "--quiet", "--no-color", "--address=", "--summary-export", summary, script)
	cmd.Env = append(os.Environ(), "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false")
	sent := summarised(b, cmd, summary)["sqs_sent"]
	require.Positive(b, sent.Rate)
	return sent.Rate
}
