package queue_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/queue"
	"github.com/photofinish/photofinish/runner/queue/queuetest"
)

func connect(t *testing.T) *queue.Client {
	t.Helper()
	c, err := queue.Connect(t.Context(), queue.Options{})
	require.NoError(t, err)
	return c
}

func TestMessagesAreSentReceivedCountedAndDeleted(t *testing.T) {
	s := queuetest.Start(t)
	c := connect(t)
	made := s.Make(t, "jobs", nil)
	jobs, err := c.URL(t.Context(), "jobs")
	require.NoError(t, err)
	require.Equal(t, queue.Name(made), queue.Name(jobs))
	id, err := c.Send(t.Context(), jobs, queue.Outgoing{Body: "one", Attributes: map[string]string{"Colour": "red"}})
	require.NoError(t, err)
	n, err := c.Backlog(t.Context(), jobs)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	got, err := c.Receive(t.Context(), jobs, 10, time.Second, 0)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, queue.Message{ID: id, Body: "one", Handle: got[0].Handle, Attributes: map[string]string{"Colour": "red"}, Receives: 1}, got[0])
	require.NoError(t, c.Delete(t.Context(), jobs, []string{got[0].Handle}))

	var many []queue.Outgoing
	for range 25 {
		many = append(many, queue.Outgoing{Body: "x"})
	}
	require.NoError(t, c.SendBatch(t.Context(), jobs, many))
	n, err = c.Backlog(t.Context(), jobs)
	require.NoError(t, err)
	require.EqualValues(t, 25, n)
}

func TestASweepTakesWhatARaceLeftAndNothingElse(t *testing.T) {
	s := queuetest.Start(t)
	c := connect(t)
	jobs := s.Make(t, "swept", nil)
	own := map[string]string{queue.CorrelationID: "1"}
	for range 12 {
		_, err := c.Send(t.Context(), jobs, queue.Outgoing{Body: "left", Attributes: own})
		require.NoError(t, err)
	}
	swept, err := c.Sweep(t.Context(), jobs)
	require.NoError(t, err)
	require.Equal(t, queue.Swept{Left: 12}, swept)

	_, err = c.Send(t.Context(), jobs, queue.Outgoing{Body: "a customer's"})
	require.NoError(t, err)
	_, err = c.Sweep(t.Context(), jobs)
	require.ErrorContains(t, err, "the queue swept at "+s.URL+" holds messages that are of no race")
	n, err := c.Backlog(t.Context(), jobs)
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "it is still there")
}

func TestASweepKnowsWhatWasReceivedOverAndOver(t *testing.T) {
	s := queuetest.Start(t)
	c := connect(t)
	jobs := s.Make(t, "poisoned", map[string]string{"VisibilityTimeout": "1"})
	_, err := c.Send(t.Context(), jobs, queue.Outgoing{Body: "poison", Attributes: map[string]string{queue.CorrelationID: "1"}})
	require.NoError(t, err)
	for range 2 { // a worker that cannot finish it
		got, err := c.Receive(t.Context(), jobs, 1, 3*time.Second, time.Second)
		require.NoError(t, err)
		require.Len(t, got, 1)
		time.Sleep(1200 * time.Millisecond)
	}
	swept, err := c.Sweep(t.Context(), jobs)
	require.NoError(t, err)
	require.Equal(t, queue.Swept{Left: 1, Poison: 1, MostReceives: 2}, swept)
}

func TestDeadLettersAreFoundByTheRedrivePolicy(t *testing.T) {
	s := queuetest.Start(t)
	c := connect(t)
	dead := s.Make(t, "letters-dead", nil)
	jobs := s.Make(t, "letters", map[string]string{"RedrivePolicy": `{"maxReceiveCount":"2","deadLetterTargetArn":"arn:aws:sqs::100010001000:letters-dead"}`})
	found, err := c.DeadLetters(t.Context(), jobs)
	require.NoError(t, err)
	require.Equal(t, queue.Name(dead), queue.Name(found))
	found, err = c.DeadLetters(t.Context(), dead)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestRepliesFindWhoWaitsForThem(t *testing.T) {
	s := queuetest.Start(t)
	c := connect(t)
	_, replies := s.Lane(t, "talk", nil)
	r := c.Replies(replies)
	answer := func(id string, more ...string) {
		attributes := map[string]string{queue.CorrelationID: id}
		if len(more) > 0 {
			attributes[queue.ReceiveCount] = more[0]
		}
		_, err := c.Send(t.Context(), replies, queue.Outgoing{Body: "to " + id, Attributes: attributes})
		require.NoError(t, err)
	}
	first, firstReply, _ := r.Expect()
	second, secondReply, forget := r.Expect()
	require.NotEqual(t, first, second)
	answer(first, "3")
	got := <-firstReply
	require.NoError(t, got.Err)
	require.Equal(t, "to "+first, got.Body)
	require.True(t, got.Redelivered())
	forget()
	answer(second) // too late
	answer(first)  // again
	third, thirdReply, _ := r.Expect()
	answer(third, "1")
	require.Eventually(t, func() bool { return r.TakeExtra() == 1 }, 5*time.Second, 10*time.Millisecond, "only what was answered already was delivered twice")
	require.False(t, (<-thirdReply).Redelivered())
	require.Empty(t, secondReply)
	require.Eventually(t, func() bool { n, err := c.Backlog(t.Context(), replies); return err == nil && n == 0 }, 5*time.Second, 10*time.Millisecond, "what was read is deleted")

	_, lost, _ := r.Expect()
	require.NoError(t, s.Remove(t.Context(), replies))
	require.ErrorIs(t, (<-lost).Err, queue.ErrGone)
}

func TestErrorsNameTheQueueTheServerAndTheCause(t *testing.T) {
	s := queuetest.Start(t)
	c := connect(t)
	_, err := c.URL(t.Context(), "nowhere")
	require.EqualError(t, err, "cannot find the queue nowhere at "+s.URL+": there is no such queue")
	require.ErrorIs(t, err, queue.ErrGone)
	jobs := s.Make(t, "short-lived", nil)
	s.Close()
	_, err = c.Send(t.Context(), jobs, queue.Outgoing{Body: "x"}) // may still find a connection that was open
	require.ErrorContains(t, err, "cannot send to the queue short-lived at "+s.URL)
	_, err = c.Send(t.Context(), jobs, queue.Outgoing{Body: "x"})
	require.ErrorContains(t, err, "connection refused")
	require.NotEmpty(t, race.HintOf(err))
}

func TestWithoutAPlaceThereIsNoClient(t *testing.T) {
	for _, name := range slices.Concat(queue.Environment, queue.Files) {
		t.Setenv(name, "")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	require.NoError(t, os.Mkdir(home+"/.aws", 0o700))
	require.NoError(t, os.WriteFile(home+"/.aws/config", []byte("[default]\nregion = eu-central-1\n"), 0o600)) // is not read
	_, err := queue.Connect(t.Context(), queue.Options{})
	require.ErrorContains(t, err, "nothing says where the queues are")
	_, err = queue.Connect(t.Context(), queue.Options{Endpoint: "http://me:hush@localhost:4100"})
	require.ErrorContains(t, err, "holds a user or password")
	require.NotContains(t, err.Error(), "hush")
}

// A server of one's own looks at no signature, so that this one stands for Amazon.
func TestWhatAmazonRepeatsOfCredentialsIsNotSaid(t *testing.T) {
	const secret, token = "hush-key", "hush-token"
	var signed string
	amazon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"__type": "com.amazon.coral.service#SignatureDoesNotMatch", "message": "The signature of AKIAHUSH does not match.\n\nThe Canonical String was 'x-amz-security-token:`+token+`'"}`)
	}))
	t.Cleanup(amazon.Close)
	t.Setenv("AWS_ENDPOINT_URL", amazon.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAHUSH")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_SESSION_TOKEN", token)
	_, err := connect(t).Send(t.Context(), amazon.URL+"/1/jobs", queue.Outgoing{Body: "x"})
	require.EqualError(t, err, "cannot send to the queue jobs at "+amazon.URL+": The signature of … does not match (SignatureDoesNotMatch)")
	require.Contains(t, signed, "Credential=AKIAHUSH/", "who has credentials signs")
}

func TestNoServerOfQueuesIsInTheRunner(t *testing.T) {
	deps, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "github.com/photofinish/photofinish/runner").Output()
	require.NoError(t, err)
	require.Contains(t, string(deps), "github.com/aws/aws-sdk-go-v2/service/sqs\n")
	require.NotContains(t, string(deps), "goaws")
	require.NotContains(t, string(deps), "queuetest")
}
