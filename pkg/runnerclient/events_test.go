package runnerclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

func TestARaceIsFollowedOverEveryBreakToItsEnd(t *testing.T) {
	var asked []string
	parts := []func(http.ResponseWriter){
		func(w http.ResponseWriter) {
			fmt.Fprint(w, ": still here\n\nid: e-1\nevent: status\ndata: {\"status\":\"racing\"}\n\nid: e-2\nevent: progress\ndata: {\"heat\":\ndata: 1}\n\nid: e-3\nevent: pro")
		},
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) },
		func(w http.ResponseWriter) {
			hijacked, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = hijacked.Close()
			}
		},
		func(w http.ResponseWriter) {
			fmt.Fprint(w, "id: e-3\r\nevent: progress\r\ndata: {}\r\n\r\nunknown: x\nid: e-4\nevent:end\ndata:{\"status\":\"finished\"}\n\n")
		},
	}
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Last-Event-ID"))
		parts[len(asked)-1](w)
	})
	var heard []string
	require.NoError(t, c.Follow(t.Context(), "r1", func(e runnerclient.Event) error {
		heard = append(heard, e.ID+" "+e.Type+" "+string(e.Data))
		return nil
	}))
	require.Equal(t, []string{`e-1 status {"status":"racing"}`, "e-2 progress {\"heat\":\n1}", "e-3 progress {}", `e-4 end {"status":"finished"}`}, heard)
	const path = "/behind/a/proxy/v1/races/r1/events "
	require.Equal(t, []string{path, path + "e-2", path + "e-2", path + "e-2", path + "e-2"}, asked)
}

func TestWhatWouldBeRefusedAgainIsNotAskedAgain(t *testing.T) {
	for status, code := range map[int]race.Code{404: race.NotFound, 401: race.Unavailable, 400: race.Invalid} {
		var asked atomic.Int32
		c := client(t, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(status)
			fmt.Fprint(w, `{"message":"no"}`)
		})
		err := c.Follow(t.Context(), "r1", func(runnerclient.Event) error { return nil })
		require.Equal(t, code, race.CodeOf(err), "%d: %v", status, err)
		require.EqualValues(t, 1, asked.Load())
	}
	c := client(t, func(http.ResponseWriter, *http.Request) { t.Error("an id that is no part of an address was asked for") })
	require.Equal(t, race.Invalid, race.CodeOf(c.Follow(t.Context(), "..", nil)))
}

func TestFollowingEndsWithItsContextAndWithWhoListens(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "id: 1\nevent: log\ndata: {}\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	err := c.Follow(ctx, "r1", func(runnerclient.Event) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)
	full := errors.New("full")
	require.ErrorIs(t, c.Follow(t.Context(), "r1", func(runnerclient.Event) error { return full }), full)
}

func TestALimitOfTimeIsForAnswersAndNotForStreams(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 6 {
			fmt.Fprintf(w, "id: %d\nevent: log\ndata: {}\n\n", i)
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond)
		}
		fmt.Fprint(w, "event: end\ndata: {}\n\n")
	}))
	t.Cleanup(server.Close)
	c, err := runnerclient.New(runnerclient.Config{URL: server.URL, HTTP: &http.Client{Timeout: 100 * time.Millisecond}})
	require.NoError(t, err)
	heard := 0
	require.NoError(t, c.Follow(t.Context(), "r1", func(runnerclient.Event) error { heard++; return nil }))
	require.Equal(t, 7, heard, "in one stream, of which nothing comes twice")
}

func TestALineWithoutEndIsGivenUp(t *testing.T) {
	var asked atomic.Int32
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			fmt.Fprint(w, "data: "+strings.Repeat("x", 2<<20))
			return
		}
		fmt.Fprint(w, "event: end\ndata: {}\n\n")
	})
	require.NoError(t, c.Follow(t.Context(), "r1", func(e runnerclient.Event) error {
		require.Equal(t, runnerclient.EventEnd, e.Type)
		return nil
	}))
}

// FuzzEventsComeInWholeOrNotAtAll: whatever a server sends, following it does not fail in itself, and each event has data.
func FuzzEventsComeInWholeOrNotAtAll(f *testing.F) {
	f.Add("id: 1\nevent: progress\ndata: {}\n\n")
	f.Add("data\n\n:\n\ndata:a\rdata:b\n\n")
	f.Fuzz(func(t *testing.T, sent string) {
		c := client(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, sent+"\n\nevent: end\ndata: {}\n\n") })
		ended := false
		err := c.Follow(t.Context(), "r1", func(e runnerclient.Event) error {
			require.NotContains(t, e.ID+e.Type, "\n")
			ended = e.Type == runnerclient.EventEnd
			return nil
		})
		require.NoError(t, err)
		require.True(t, ended)
	})
}
