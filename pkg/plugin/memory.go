package plugin

import (
	"container/list"
	"sync"
	"time"
)

// memory remembers values up to a number of bytes; what was not asked for the longest goes first.
type memory struct {
	mu    sync.Mutex
	limit int
	used  int
	byKey map[string]*list.Element
	order *list.List // the most recently used first
}

type remembered struct {
	key   string
	value any
	bytes int
	until time.Time
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, byKey: map[string]*list.Element{}, order: list.New()}
}

// recall finds what was put under a key, unless its time is over.
func recall[T any](m *memory, key string, now time.Time) (value T, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byKey[key]
	if e == nil {
		return value, false
	}
	r := e.Value.(*remembered)
	if !now.Before(r.until) {
		m.drop(e)
		return value, false
	}
	m.order.MoveToFront(e)
	value, ok = r.value.(T)
	return value, ok
}

// put remembers a value of about so many bytes until a time. Nobody may change the value afterwards.
func (m *memory) put(key string, value any, bytes int, until time.Time) {
	const overhead = 200 // bytes of the entry itself
	bytes += overhead + 2*len(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.byKey[key]; e != nil {
		m.drop(e)
	}
	if bytes > m.limit/4 { // one giant must not drive out everything else
		return
	}
	m.byKey[key] = m.order.PushFront(&remembered{key, value, bytes, until})
	m.used += bytes
	for m.used > m.limit {
		m.drop(m.order.Back())
	}
}

// forget drops what was put under some keys.
func (m *memory) forget(which func(key string) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, e := range m.byKey {
		if which(key) {
			m.drop(e)
		}
	}
}

func (m *memory) drop(e *list.Element) {
	r := m.order.Remove(e).(*remembered)
	delete(m.byKey, r.key)
	m.used -= r.bytes
}
