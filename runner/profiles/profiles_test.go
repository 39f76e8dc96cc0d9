package profiles_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"slices"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/flame"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/profiles"
)

// serve is this very test as an app; profile answers /debug/pprof/profile.
func serve(t *testing.T, profile http.HandlerFunc) profiles.App {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/profile", profile)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	a, err := profiles.Of(server.URL+"/work", "/debug/pprof")
	require.NoError(t, err)
	return a
}

var kept [][]byte

// spend allocates for as long as ctx lasts.
func spend(ctx context.Context) {
	for ctx.Err() == nil {
		kept = append(kept[max(0, len(kept)-100):], make([]byte, 64<<10))
		time.Sleep(time.Millisecond)
	}
}

func has(p *profile.Profile, function, sampleType string) bool {
	at := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == sampleType })
	return slices.ContainsFunc(p.Sample, func(s *profile.Sample) bool {
		return s.Value[at] > 0 && slices.ContainsFunc(s.Location, func(l *profile.Location) bool { return l.Line[0].Function.Name == function })
	})
}

func TestWhatAnAppSpentInATimeIsTaken(t *testing.T) {
	a := serve(t, pprof.Profile)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go spend(ctx)
	taken := a.Take(t.Context(), 1900*time.Millisecond)
	require.Empty(t, taken.Failures)
	require.InDelta(t, 1, taken.To.Sub(taken.From).Seconds(), .5, "in whole seconds")
	require.InDelta(t, 1e9, taken.CPU.DurationNanos, 3e8)
	const here = "github.com/photofinish/photofinish/runner/profiles_test.spend"
	require.True(t, has(taken.Heap, here, flame.AllocSpace), "what it allocated")
	require.True(t, has(taken.Heap, here, flame.InuseSpace), "what it held")
	for _, f := range slices.Concat(taken.CPU.Function, taken.Heap.Function) {
		require.NotContains(t, f.Name, "runtime/pprof.", "not what it spent to be profiled")
	}
	again := a.Take(t.Context(), time.Second)
	total := func(p *profile.Profile) (sum int64) {
		for _, s := range p.Sample {
			sum += s.Value[1] // alloc_space
		}
		return sum
	}
	require.Less(t, total(again.Heap), 3*total(taken.Heap), "not what was allocated before")
}

func TestWhyThereIsNoProfile(t *testing.T) {
	for says, answer := range map[string]http.HandlerFunc{
		"/debug/pprof/profile?seconds=1: there is nothing (404); serve net/http/pprof there": http.NotFound,
		"answered a page, and no profile": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html><body>hello") },
		"no profile in the format of pprof": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = io.WriteString(w, "hello")
		},
		"answered 500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"answered 307": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://10.0.0.1/debug/pprof/profile", http.StatusTemporaryRedirect)
		},
		"EOF": func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = c.Close()
			}
		},
		"larger than 8 MiB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(make([]byte, flame.MaxBytes+1))
		},
	} {
		t.Run(says, func(t *testing.T) {
			taken := serve(t, answer).Take(t.Context(), time.Second)
			require.ErrorContains(t, taken.Failures[race.CPUProfile], says)
			require.Nil(t, taken.CPU)
			require.NotNil(t, taken.Heap, "the other profile is taken all the same")
		})
	}
}

func TestAnAppThatHangsIsLeft(t *testing.T) {
	a := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(300*time.Millisecond, func() { cancel(errors.New("the heat is over")) })
	began := time.Now()
	taken := a.Take(ctx, time.Second)
	require.Less(t, time.Since(began), 5*time.Second)
	require.ErrorContains(t, taken.Failures[race.CPUProfile], "the heat is over")
	require.ErrorContains(t, taken.Failures[race.HeapProfile], "the heat is over")
}

func TestOnlyTheAppsOwnHostIsAsked(t *testing.T) {
	_, err := profiles.Of("/debug", "/debug/pprof")
	require.ErrorContains(t, err, "is no address of an app")
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, fmt.Sprint(r.Host, r.URL.Path))
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	a, err := profiles.Of(server.URL+"/api?x=1", "/debug/pprof")
	require.NoError(t, err)
	a.Take(t.Context(), time.Second)
	host := server.Listener.Addr().String()
	require.Equal(t, []string{host + "/debug/pprof/heap", host + "/debug/pprof/profile"}, asked)
}
