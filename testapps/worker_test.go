package testapps_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/queue"
	"github.com/photofinish/photofinish/runner/queue/queuetest"
)

func TestWorker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sqs-worker")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./sqs-worker").CombinedOutput()
	require.NoError(t, err, string(said))
	s := queuetest.Start(t)
	c, err := queue.Connect(t.Context(), queue.Options{})
	require.NoError(t, err)
	for name, flags := range map[string][]string{"one-by-one": nil, "batched": {"--batched"}} {
		t.Run(name+" answers each message once and ends orderly", func(t *testing.T) {
			requests, replies := s.Lane(t, name, nil)
			var messages []queue.Outgoing
			for _, id := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"} {
				messages = append(messages, queue.Outgoing{Body: `{"rounds": 3}`, Attributes: map[string]string{queue.CorrelationID: id}})
			}
			require.NoError(t, c.SendBatch(t.Context(), requests, messages))
			worker := exec.CommandContext(t.Context(), path, flags...)
			worker.Env = append(os.Environ(), "QUEUE_URL="+name, "REPLY_URL="+replies) // a name will do
			require.NoError(t, worker.Start())
			answered := map[string]string{}
			require.Eventually(t, func() bool {
				got, err := c.Receive(t.Context(), replies, 10, time.Second, 0)
				require.NoError(t, err)
				for _, m := range got {
					require.NotContains(t, answered, m.Attributes[queue.CorrelationID])
					answered[m.Attributes[queue.CorrelationID]] = m.Body
					require.Equal(t, "1", m.Attributes[queue.ReceiveCount])
				}
				return len(answered) == len(messages)
			}, 10*time.Second, time.Millisecond)
			for _, m := range messages {
				require.Equal(t, answered["1"], answered[m.Attributes[queue.CorrelationID]])
				require.Len(t, answered[m.Attributes[queue.CorrelationID]], 64)
			}
			require.Eventually(t, func() bool { n, err := c.Backlog(t.Context(), requests); return err == nil && n == 0 }, 5*time.Second, 20*time.Millisecond)
			require.NoError(t, worker.Process.Signal(syscall.SIGTERM))
			require.NoError(t, worker.Wait())
		})
	}
	t.Run("what is no job is tried again, and said", func(t *testing.T) {
		requests, replies := s.Lane(t, "nonsense", nil)
		_, err := c.Send(t.Context(), requests, queue.Outgoing{Body: "nonsense", Attributes: map[string]string{queue.CorrelationID: "1"}})
		require.NoError(t, err)
		worker := exec.CommandContext(t.Context(), path)
		worker.Env = append(os.Environ(), "QUEUE_URL="+requests, "REPLY_URL="+replies)
		var said bytes.Buffer
		worker.Stderr = &said
		require.NoError(t, worker.Start())
		time.Sleep(2500 * time.Millisecond)
		require.NoError(t, worker.Process.Signal(syscall.SIGTERM))
		require.NoError(t, worker.Wait())
		require.GreaterOrEqual(t, bytes.Count(said.Bytes(), []byte("it is no job")), 2, said.String())
		left, err := c.Sweep(t.Context(), requests)
		require.NoError(t, err)
		require.Equal(t, 1, left.Left)
	})
	t.Run("without a queue it says which variable is missing", func(t *testing.T) {
		worker := exec.CommandContext(t.Context(), path)
		worker.Env = append(os.Environ(), "QUEUE_URL=", "REPLY_URL=x")
		said, err := worker.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(said), "QUEUE_URL is not set")
	})
	t.Run("it builds in its Dockerfile's context, apart from this module", func(t *testing.T) {
		buildsInItsContext(t, "sqs-worker")
	})
}
