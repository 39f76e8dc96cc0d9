package plugin

import (
	"context"
	"sync"

	"github.com/photofinish/photofinish/pkg/panics"
)

// flights lets callers who ask the same at the same time share one answer. The work goes on while anybody waits for it,
// and is cancelled when the last one has gone. The zero value is ready.
type flights[T any] struct {
	mu    sync.Mutex
	going map[string]*flight[T]
}

type flight[T any] struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int
	value   T
	err     error
}

// do answers for a key: by work, or by what another caller's work with the same key comes to. All of them panic where work did.
func (f *flights[T]) do(ctx context.Context, key string, work func(context.Context) (T, error)) (T, error) {
	f.mu.Lock()
	one := f.going[key]
	if one == nil {
		shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
		one = &flight[T]{done: make(chan struct{}), cancel: cancel}
		if f.going == nil {
			f.going = map[string]*flight[T]{}
		}
		f.going[key] = one
		go func() {
			one.err = panics.Catch(func() (err error) {
				one.value, err = work(shared)
				return err
			})
			f.leave(key, one)
			close(one.done)
			cancel()
		}()
	}
	one.waiting++
	f.mu.Unlock()

	select {
	case <-one.done:
		panics.Rethrow(one.err) // which some callers would take for a Prometheus that is down
		return one.value, one.err
	case <-ctx.Done():
		f.mu.Lock()
		one.waiting--
		if one.waiting == 0 {
			one.cancel()
			if f.going[key] == one {
				delete(f.going, key) // who comes now starts anew
			}
		}
		f.mu.Unlock()
		var none T
		return none, context.Cause(ctx)
	}
}

func (f *flights[T]) leave(key string, one *flight[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.going[key] == one {
		delete(f.going, key)
	}
}
