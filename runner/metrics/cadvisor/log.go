package cadvisor

import (
	"context"
	"log/slog"
)

// demoted lets all messages through at level debug. What cAdvisor warns of (a cgroup that went before it was read) is a race's daily business.
func demoted(l *slog.Logger) *slog.Logger {
	return slog.New(debugHandler{l.Handler()})
}

type debugHandler struct{ next slog.Handler }

var _ slog.Handler = debugHandler{}

func (h debugHandler) Enabled(ctx context.Context, _ slog.Level) bool {
	return h.next.Enabled(ctx, slog.LevelDebug)
}

func (h debugHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return h.next.Handle(ctx, r)
}

func (h debugHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return debugHandler{h.next.WithAttrs(attrs)}
}

func (h debugHandler) WithGroup(name string) slog.Handler {
	return debugHandler{h.next.WithGroup(name)}
}
