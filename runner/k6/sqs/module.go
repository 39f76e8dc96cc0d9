// Package sqs is the JavaScript module `k6/x/photofinish/sqs`: scripts send messages to queues, receive and count them, and measure the time
// from a message to its reply. Package queue speaks to the server.
//
//	import sqs from 'k6/x/photofinish/sqs';
//	const queues = sqs.connect();
//	export default function () {
//	  queues.request(__ENV.QUEUE_URL, __ENV.REPLY_URL, 'work');
//	}
package sqs

import (
	"context"
	"sync"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/js/common"
	"go.k6.io/k6/js/modules"

	"github.com/photofinish/photofinish/runner/queue"
)

// ModuleName is the name under which scripts import the module.
const ModuleName = "k6/x/photofinish/sqs"

// New makes the module, for modules.Register.
func New() modules.Module { return &module{servers: map[queue.Options]*server{}} }

// module is that of a k6 process. Its VUs share the connections to a server, and the reading of replies.
type module struct {
	mu      sync.Mutex
	servers map[queue.Options]*server
}

var _ modules.Module = (*module)(nil)

// NewModuleInstance implements modules.Module.
func (m *module) NewModuleInstance(vu modules.VU) modules.Instance {
	i := &instance{vu: vu, module: m}
	var err error
	if i.measures, err = register(vu.InitEnv().Registry); err != nil {
		common.Throw(vu.Runtime(), err)
	}
	return i
}

// instance is the module of one VU.
type instance struct {
	vu       modules.VU
	module   *module
	measures measures
}

// Exports implements modules.Instance.
func (i *instance) Exports() modules.Exports {
	return modules.Exports{Default: map[string]any{"connect": i.connect}, Named: map[string]any{"connect": i.connect}}
}

// connect makes a client of the server that the options or the environment name.
func (i *instance) connect(options sobek.Value) (*client, error) {
	var o struct{ Endpoint, Region string }
	if err := i.read(options, &o); err != nil {
		return nil, err
	}
	s, err := i.module.server(queue.Options{Endpoint: o.Endpoint, Region: o.Region})
	if err != nil {
		return nil, err
	}
	return &client{instance: i, server: s}, nil
}

// read turns an object of a script into a struct; nothing leaves it as it is.
func (i *instance) read(v sobek.Value, into any) error {
	if common.IsNullish(v) {
		return nil
	}
	return i.vu.Runtime().ExportTo(v, into)
}

func (m *module) server(o queue.Options) (*server, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.servers[o]; s != nil {
		return s, nil
	}
	c, err := queue.Connect(context.Background(), o) // it outlives the VU that asks first
	if err != nil {
		return nil, err
	}
	s := &server{Client: c, replies: map[string]*queue.Replies{}, counted: map[string]time.Time{}}
	m.servers[o] = s
	return s, nil
}

// backlogEvery is how often the backlog of a queue is asked for, by one of those who wait for a reply.
const backlogEvery = time.Second

// server is what the VUs of a process share.
type server struct {
	*queue.Client

	mu      sync.Mutex
	replies map[string]*queue.Replies
	counted map[string]time.Time // when the backlog of a queue was last asked for
}

func (s *server) repliesIn(address string) *queue.Replies {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.replies[address]
	if r == nil {
		r = s.Replies(address)
		s.replies[address] = r
	}
	return r
}

// countNow says to one caller in a while that the backlog is to be asked for.
func (s *server) countNow(address string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.counted[address]) < backlogEvery {
		return false
	}
	s.counted[address] = now
	return true
}
