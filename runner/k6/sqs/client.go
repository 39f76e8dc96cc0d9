package sqs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/js/common"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/lib/types"
	"go.k6.io/k6/metrics"

	"github.com/photofinish/photofinish/runner/queue"
)

const (
	// defaultTimeout is how long request() waits for a reply.
	defaultTimeout = 10 * time.Second
	// errorPause holds up who is told of an error, so that a closed model does not spin at a server that is gone.
	errorPause = 100 * time.Millisecond
)

// client is what connect() returns to a script. Its methods block their VU, as those of k6/http do, and throw what they cannot do.
type client struct {
	instance *instance
	server   *server
}

// Message is what receive() and request() return.
type Message struct {
	ID         string            `js:"id"`
	Body       string            `js:"body"`
	Attributes map[string]string `js:"attributes"`
	Handle     string            `js:"handle"`
	Receives   int               `js:"receives"`
	Duration   float64           `js:"duration"` // of a request, ms
}

// Send sends a message and returns its id.
func (c *client) Send(address string, body sobek.Value, attributes map[string]string) (string, error) {
	state, ctx, err := c.running("send")
	if err != nil {
		return "", err
	}
	m, err := message(body, attributes)
	if err != nil {
		return "", err
	}
	id, err := c.server.Send(ctx, address, m)
	if err != nil {
		return "", c.failed(ctx, state, err)
	}
	c.count(ctx, state, c.instance.measures.sent, 1)
	return id, nil
}

// SendBatch sends any number of messages, each a text or {body, attributes}, ten at once.
func (c *client) SendBatch(address string, bodies []sobek.Value) error {
	state, ctx, err := c.running("sendBatch")
	if err != nil {
		return err
	}
	messages := make([]queue.Outgoing, len(bodies))
	for i, v := range bodies {
		var one struct {
			Body       sobek.Value
			Attributes map[string]string
		}
		one.Body = v
		if object, is := v.(*sobek.Object); is {
			if err := c.instance.vu.Runtime().ExportTo(object, &one); err != nil {
				return err
			}
			one.Body = object.Get("body")
		}
		if messages[i], err = message(one.Body, one.Attributes); err != nil {
			return fmt.Errorf("message %d: %w", i+1, err)
		}
	}
	if err := c.server.SendBatch(ctx, address, messages); err != nil {
		return c.failed(ctx, state, err)
	}
	c.count(ctx, state, c.instance.measures.sent, len(messages))
	return nil
}

// Receive takes up to `max` messages (1) and waits up to `wait` ('0s') for the first.
func (c *client) Receive(address string, options sobek.Value) ([]Message, error) {
	state, ctx, err := c.running("receive")
	if err != nil {
		return nil, err
	}
	var o struct {
		Max  int
		Wait any
	}
	if err := c.instance.read(options, &o); err != nil {
		return nil, err
	}
	wait, err := duration("wait", o.Wait, 0)
	if err != nil {
		return nil, err
	}
	got, err := c.server.Receive(ctx, address, max(o.Max, 1), wait, 0)
	if err != nil {
		return nil, c.failed(ctx, state, err)
	}
	c.count(ctx, state, c.instance.measures.received, len(got))
	list := make([]Message, len(got))
	for i, m := range got {
		list[i] = told(m)
	}
	return list, nil
}

// Delete deletes messages that were received, one or a list.
func (c *client) Delete(address string, messages sobek.Value) error {
	state, ctx, err := c.running("delete")
	if err != nil {
		return err
	}
	var list []Message
	switch messages.Export().(type) {
	case []any, []Message:
	default:
		messages = c.instance.vu.Runtime().NewArray(messages)
	}
	if err := c.instance.vu.Runtime().ExportTo(messages, &list); err != nil {
		return errors.New("delete wants what receive returned")
	}
	var handles []string
	for _, m := range list {
		if m.Handle == "" {
			return errors.New("delete wants what receive returned")
		}
		handles = append(handles, m.Handle)
	}
	if err := c.server.Delete(ctx, address, handles); err != nil {
		return c.failed(ctx, state, err)
	}
	return nil
}

// Backlog is about how many messages wait to be received.
func (c *client) Backlog(address string) (int64, error) {
	state, ctx, err := c.running("backlog")
	if err != nil {
		return 0, err
	}
	n, err := c.server.Backlog(ctx, address)
	if err != nil {
		return 0, c.failed(ctx, state, err)
	}
	s := newSamples(state, time.Now())
	s.add(c.instance.measures.backlog, float64(n))
	metrics.PushIfNotDone(ctx, state.Samples, metrics.Samples(s.all))
	return n, nil
}

// Request sends a message to a worker and waits for its reply, which bears the same CorrelationId. `timeout` is 10s.
func (c *client) Request(address, replies string, body sobek.Value, options sobek.Value) (*Message, error) {
	state, ctx, err := c.running("request")
	if err != nil {
		return nil, err
	}
	if address == "" || replies == "" {
		return nil, errors.New("request wants the address of a queue and that of its replies: read __ENV.QUEUE_URL and __ENV.REPLY_URL within the function, not at the top of the file")
	}
	var o struct {
		Attributes map[string]string
		Timeout    any
	}
	if err := c.instance.read(options, &o); err != nil {
		return nil, err
	}
	timeout, err := duration("timeout", o.Timeout, defaultTimeout)
	if err != nil {
		return nil, err
	}
	m, err := message(body, o.Attributes)
	if err != nil {
		return nil, err
	}
	counted := c.backlogBeside(ctx, state, address)
	reply, err := c.trip(ctx, state, trip{address: address, replies: c.server.repliesIn(replies), message: m, timeout: timeout})
	<-counted
	return reply, err
}

// trip is what a request is to do.
type trip struct {
	address string
	replies *queue.Replies
	message queue.Outgoing
	timeout time.Duration
}

func (c *client) trip(ctx context.Context, state *lib.State, t trip) (*Message, error) {
	id, answer, forget := t.replies.Expect() //nolint:contextcheck // replies are read for all VUs at once, longer than any of them runs
	defer forget()
	t.message.Attributes = maps.Clone(t.message.Attributes)
	if t.message.Attributes == nil {
		t.message.Attributes = map[string]string{}
	}
	t.message.Attributes[queue.CorrelationID] = id
	timer := time.NewTimer(t.timeout)
	defer timer.Stop()
	began := time.Now()
	if _, err := c.server.Send(ctx, t.address, t.message); err != nil {
		c.ended(ctx, state, t, result{began: began, ended: time.Now(), lost: true, failed: true})
		return nil, c.paused(ctx, err)
	}
	select {
	case reply := <-answer:
		c.ended(ctx, state, t, result{began: began, ended: reply.At, sent: true, lost: reply.Err != nil, failed: reply.Err != nil, again: reply.Redelivered()})
		if reply.Err != nil {
			return nil, c.paused(ctx, reply.Err)
		}
		m := told(reply.Message)
		m.Duration = float64(reply.At.Sub(began)) / float64(time.Millisecond)
		return &m, nil
	case <-timer.C:
		c.ended(ctx, state, t, result{began: began, ended: time.Now(), sent: true, failed: true})
		return nil, fmt.Errorf("no reply to a message in the queue %s within %v", queue.Name(t.address), t.timeout)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// result is how a trip ended.
type result struct {
	began, ended              time.Time
	sent, failed, lost, again bool
}

// ended tells k6 of a trip.
func (c *client) ended(ctx context.Context, state *lib.State, t trip, r result) {
	m := c.instance.measures
	s := newSamples(state, r.ended)
	told := &Trip{Queue: t.address, EndTime: r.ended, Duration: r.ended.Sub(r.began), Failed: r.failed, Tags: s.tags.Tags, Redelivered: t.replies.TakeExtra()}
	if r.again {
		told.Redelivered++
	}
	if r.lost {
		told.Errors = 1
	}
	s.add(m.requests, 1)
	s.add(m.latency, metrics.D(told.Duration))
	s.add(m.failed, metrics.B(r.failed))
	if r.sent {
		s.add(m.sent, 1)
	}
	if !r.failed {
		s.add(m.received, 1)
	}
	s.some(m.redelivered, told.Redelivered)
	s.some(m.errors, told.Errors)
	told.samples = s.all
	metrics.PushIfNotDone(ctx, state.Samples, told)
}

// backlogBeside asks for a queue's backlog while a reply is waited for, if it is time to; the channel is closed when that is done.
func (c *client) backlogBeside(ctx context.Context, state *lib.State, address string) <-chan struct{} {
	done := make(chan struct{})
	if !c.server.countNow(address, time.Now()) {
		close(done)
		return done
	}
	s := newSamples(state, time.Now()) // the VU's tags are not to be read beside it
	go func() {
		defer close(done)
		if n, err := c.server.Backlog(ctx, address); err == nil { // else the request itself tells
			s.add(c.instance.measures.backlog, float64(n))
			metrics.PushIfNotDone(ctx, state.Samples, metrics.Samples(s.all))
		}
	}()
	return done
}

// running is the VU's state and context, which there are only while it runs.
func (c *client) running(what string) (*lib.State, context.Context, error) {
	state := c.instance.vu.State()
	if state == nil {
		return nil, nil, fmt.Errorf("%s cannot be called at the top of a script: call it within a function", what)
	}
	return state, c.instance.vu.Context(), nil
}

func (c *client) count(ctx context.Context, state *lib.State, m *metrics.Metric, n int) {
	s := newSamples(state, time.Now())
	s.some(m, int64(n))
	metrics.PushIfNotDone(ctx, state.Samples, metrics.Samples(s.all))
}

// failed counts an error of the queue.
func (c *client) failed(ctx context.Context, state *lib.State, err error) error {
	c.count(ctx, state, c.instance.measures.errors, 1)
	return c.paused(ctx, err)
}

func (c *client) paused(ctx context.Context, err error) error {
	select {
	case <-time.After(errorPause):
	case <-ctx.Done():
	}
	return err
}

func message(body sobek.Value, attributes map[string]string) (queue.Outgoing, error) {
	if body == nil || common.IsNullish(body) {
		return queue.Outgoing{}, errors.New("a message has no body")
	}
	text, is := body.Export().(string)
	if !is {
		return queue.Outgoing{}, errors.New("a message's body must be a string; make one with JSON.stringify")
	}
	return queue.Outgoing{Body: text, Attributes: attributes}, nil
}

func told(m queue.Message) Message {
	return Message{ID: m.ID, Body: m.Body, Attributes: m.Attributes, Handle: m.Handle, Receives: m.Receives}
}

// duration reads '30s', or a number of milliseconds, as k6 does.
func duration(name string, v any, otherwise time.Duration) (time.Duration, error) {
	if v == nil {
		return otherwise, nil
	}
	d, err := types.GetDurationValue(v)
	if err != nil {
		return 0, fmt.Errorf("%s must be a duration such as '5s': %w", name, err)
	}
	return d, nil
}
