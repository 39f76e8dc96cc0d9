package promserver

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// ear hears what the queue logs of the receiver's answers, and tells the first of each kind.
type ear struct {
	next     slog.Handler
	receiver Receiver
	*heard
}

type heard struct {
	mu                 sync.Mutex
	answer             string
	refused, unanswers bool
}

// last is the receiver's last answer to samples that it did not take.
func (h *heard) last() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.answer
}

// Enabled implements slog.Handler.
func (e ear) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn || e.next.Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (e ear) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, failed := a.Value.Any().(error); failed && a.Key == "err" && r.Level >= slog.LevelWarn {
			e.hear(err, r.Level >= slog.LevelError)
		}
		return true
	})
	if !e.next.Enabled(ctx, r.Level) {
		return nil
	}
	return e.next.Handle(ctx, r) //nolint:wrapcheck // it only passes on
}

// hear notes an answer. for good: the samples are not sent again.
func (e ear) hear(err error, forGood bool) {
	said := words(err)
	e.mu.Lock()
	e.answer = said
	first := forGood && !e.refused || !forGood && !e.unanswers
	e.refused, e.unanswers = e.refused || forGood, e.unanswers || !forGood
	e.mu.Unlock()
	if !first || e.receiver.Warn == nil {
		return
	}
	if forGood {
		e.receiver.Warn(fmt.Sprintf("%s refused samples, which are not sent again (said once): %s", e.receiver, said))
		return
	}
	e.receiver.Warn(fmt.Sprintf("%s does not take samples now; they wait on the disk, and are tried again (said once): %s", e.receiver, said))
}

// WithAttrs implements slog.Handler.
func (e ear) WithAttrs(attrs []slog.Attr) slog.Handler {
	e.next = e.next.WithAttrs(attrs)
	return e
}

// WithGroup implements slog.Handler.
func (e ear) WithGroup(name string) slog.Handler {
	e.next = e.next.WithGroup(name)
	return e
}
