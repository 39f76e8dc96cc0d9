// Package queuetest runs a real server of queues for tests: goaws, which understands the API of Amazon SQS. Nothing but tests imports it.
package queuetest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Admiral-Piett/goaws/app/gosqs"
	"github.com/Admiral-Piett/goaws/app/models"
	"github.com/Admiral-Piett/goaws/app/router"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
)

// tick is how often goaws looks for messages whose time to be hidden is over.
const tick = 50 * time.Millisecond

// Server is a server on the loopback interface. All servers of a process have the same queues: goaws keeps them in a variable.
type Server struct {
	URL string
	// Admin makes and deletes queues.
	Admin *sqs.Client

	http *httptest.Server
}

var setUp = sync.OnceFunc(func() {
	logrus.SetLevel(logrus.PanicLevel) // it would print every message
	models.CurrentEnvironment = models.Environment{Region: "", AccountID: "100010001000", Host: "localhost", Port: "4100"}
	models.CurrentEnvironment.QueueAttributeDefaults.VisibilityTimeout = 30
	models.CurrentEnvironment.QueueAttributeDefaults.MaximumMessageSize = 262144
	go gosqs.PeriodicTasks(tick, nil)
})

// Start starts a server and names it in the environment. It ends with the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := Serve()
	tb.Cleanup(s.Close)
	tb.Setenv("AWS_ENDPOINT_URL", s.URL)
	return s
}

// Serve starts a server that lives until Close.
func Serve() *Server {
	setUp()
	s := &Server{http: httptest.NewServer(&counted{next: router.New(), receives: map[string]int{}})}
	s.URL = s.http.URL
	s.Admin = sqs.New(sqs.Options{BaseEndpoint: &s.URL, Region: "us-east-1", Credentials: aws.AnonymousCredentials{}})
	return s
}

// Close ends the server, also for those who are just asking it.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// Make makes a queue with attributes, such as VisibilityTimeout, and returns its address.
func (s *Server) Make(tb testing.TB, name string, attributes map[string]string) string {
	tb.Helper()
	made, err := s.Admin.CreateQueue(tb.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	require.NoError(tb, err)
	return *made.QueueUrl
}

// Lane makes the two queues of a lane, NAME and NAME-replies.
func (s *Server) Lane(tb testing.TB, name string, attributes map[string]string) (requests, replies string) {
	tb.Helper()
	return s.Make(tb, name, attributes), s.Make(tb, name+"-replies", nil)
}

// Remove deletes a queue.
func (s *Server) Remove(ctx context.Context, address string) error {
	_, err := s.Admin.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &address})
	return err
}

// counted tells how often a message was received. goaws (v0.5.4) has the field for it and says 1 always.
type counted struct {
	next http.Handler

	mu       sync.Mutex
	receives map[string]int
}

func (c *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage") {
		c.next.ServeHTTP(w, r)
		return
	}
	recorded := httptest.NewRecorder()
	c.next.ServeHTTP(recorded, r)
	body := recorded.Body.Bytes()
	var answer map[string]any
	if json.Unmarshal(body, &answer) == nil {
		c.count(answer)
		if text, err := json.Marshal(answer); err == nil {
			body = text
		}
	}
	for name, v := range recorded.Header() {
		w.Header()[name] = v
	}
	w.WriteHeader(recorded.Code)
	_, _ = io.Copy(w, bytes.NewReader(body))
}

func (c *counted) count(answer map[string]any) {
	messages, _ := answer["Messages"].([]any)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range messages {
		message, _ := m.(map[string]any)
		id, _ := message["MessageId"].(string)
		attributes, _ := message["Attributes"].(map[string]any)
		if id == "" || attributes == nil {
			continue
		}
		c.receives[id]++
		attributes["ApproximateReceiveCount"] = strconv.Itoa(c.receives[id])
	}
}
