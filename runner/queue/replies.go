package queue

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// replyWait is how long one question for replies waits at the server.
	replyWait = 2 * time.Second
	// readers is how many ask at once at most: each gets up to ten replies by a question, and who waits alone needs one.
	readers = 8
	// readPause follows a question that failed, so that a server that is gone is not asked without end.
	readPause = 200 * time.Millisecond
)

// Replies hands the replies in one queue to those who wait for them, by the CorrelationID that they bear. It reads only while somebody waits, and
// deletes what it reads. It may be used concurrently.
type Replies struct {
	client *Client
	queue  string
	prefix string // of this process's ids

	mu      sync.Mutex
	next    uint64
	waiting map[string]chan Reply
	late    map[string]bool // ids that were given up
	reading int
	extra   int64
}

// Reply is what became of a message.
type Reply struct {
	Message
	At  time.Time // when it was received
	Err error     // the replies cannot be read
}

// Redelivered says whether the worker's queue had given the message out before, as far as the worker tells.
func (r Reply) Redelivered() bool {
	n, err := strconv.Atoi(r.Attributes[ReceiveCount])
	return err == nil && n > 1
}

// Replies are those of a queue.
func (c *Client) Replies(queue string) *Replies {
	return &Replies{client: c, queue: queue, prefix: rand.Text() + "-", waiting: map[string]chan Reply{}, late: map[string]bool{}}
}

// Expect makes an id for a message about to be sent, and the channel that its reply will come on; forget is to be called when nobody waits any more.
func (r *Replies) Expect() (id string, reply <-chan Reply, forget func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	id = fmt.Sprint(r.prefix, r.next)
	c := make(chan Reply, 1)
	r.waiting[id] = c
	if r.reading < min(readers, (len(r.waiting)+BatchSize-1)/BatchSize) {
		r.reading++
		go r.read() // its context is the process's: it ends when nobody waits
	}
	return id, c, func() { r.forget(id) }
}

func (r *Replies) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, waits := r.waiting[id]; waits {
		delete(r.waiting, id)
		r.late[id] = true
	}
}

// TakeExtra counts the replies to messages that had been answered before, since the last call: their messages were delivered twice.
func (r *Replies) TakeExtra() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.extra
	r.extra = 0
	return n
}

func (r *Replies) read() {
	ctx := context.Background()
	for r.goOn() {
		messages, err := r.client.Receive(ctx, r.queue, BatchSize, replyWait, 0)
		if err != nil {
			r.fail(err)
			time.Sleep(readPause)
			continue
		}
		if len(messages) == 0 {
			continue
		}
		handles := r.deliver(messages, time.Now())
		go func() { _ = r.client.Delete(ctx, r.queue, handles) }() // what stays is swept before the next heat
	}
}

// goOn says whether somebody waits; if not, the reader is to end.
func (r *Replies) goOn() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		r.reading--
		return false
	}
	return true
}

func (r *Replies) deliver(messages []Message, at time.Time) (handles []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range messages {
		handles = append(handles, m.Handle)
		id := m.Attributes[CorrelationID]
		reply, waits := r.waiting[id]
		switch {
		case waits:
			reply <- Reply{Message: m, At: at}
			delete(r.waiting, id)
		case r.late[id]:
			delete(r.late, id)
		case strings.HasPrefix(id, r.prefix):
			r.extra++
		}
	}
	return handles
}

// fail tells all who wait.
func (r *Replies) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range slices.Collect(maps.Keys(r.waiting)) {
		r.waiting[id] <- Reply{Err: err, At: time.Now()}
		delete(r.waiting, id)
		r.late[id] = true
	}
}
