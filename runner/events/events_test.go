package events_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/events"
)

func texts(all []events.Event) string {
	var s []string
	for _, e := range all {
		s = append(s, e.Type+string(e.Data))
	}
	return strings.Join(s, " ")
}

func publish(t *testing.T, s *events.Stream, kind string, v any) {
	t.Helper()
	require.NoError(t, s.Publish(kind, v))
}

func TestANewReaderIsToldHowThingsStandAndThenWhatIsNew(t *testing.T) {
	s := events.New()
	publish(t, s, events.Status, 1)
	publish(t, s, events.Log, 2)
	publish(t, s, events.Progress, 3)
	publish(t, s, events.Progress, 4)
	r := s.Read("")
	got, more := r.Next(t.Context())
	require.True(t, more)
	require.Equal(t, "status1 progress4", texts(got))
	go func() { _ = s.Publish(events.Log, 5) }()
	got, _ = r.Next(t.Context())
	require.Equal(t, "log5", texts(got))
}

func TestAReaderWhoComesBackMissesNothingAndGetsNothingTwice(t *testing.T) {
	s := events.New()
	for i := range 5 {
		publish(t, s, events.Log, i)
	}
	got, _ := s.Read("").Next(ended(t))
	require.Empty(t, got)
	publish(t, s, events.Status, 5)
	got, _ = s.Read("").Next(t.Context())
	require.Equal(t, "status5", texts(got))
	publish(t, s, events.Log, 6)
	publish(t, s, events.End, 7)
	again, more := s.Read(got[0].ID).Next(t.Context())
	require.Equal(t, "log6 end7", texts(again))
	require.False(t, more)
	publish(t, s, events.Log, 8)
	late, more := s.Read(again[1].ID).Next(t.Context())
	require.Empty(t, late)
	require.False(t, more)
	foreign, _ := s.Read("0000-2").Next(t.Context())
	require.Equal(t, "status5 end7", texts(foreign), "an id of another process means nothing")
}

func TestAReaderWhoNeverReadsCostsNothingAndGetsTheNewest(t *testing.T) {
	s := events.New()
	publish(t, s, events.Status, 0)
	r := s.Read("")
	for i := range 5000 {
		publish(t, s, events.Progress, i)
	}
	got, _ := r.Next(t.Context())
	require.LessOrEqual(t, len(got), 1+1024)
	require.Equal(t, "progress4999", texts(got[len(got)-1:]))
	publish(t, s, events.Log, "x")
	got, _ = r.Next(t.Context())
	require.Equal(t, `log"x"`, texts(got))
}

func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}
