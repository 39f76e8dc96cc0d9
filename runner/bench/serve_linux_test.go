package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

// BenchmarkServeFirstRequest reports the time from POST /v1/races to the start of the first heat of four lanes, less its warm-up of 1 s; the
// median of five races. The app is control, whose own start takes some 10 ms.
func BenchmarkServeFirstRequest(b *testing.B) {
	p := build(b)
	for _, engine := range []string{"process", "docker"} {
		b.Run(engine, func(b *testing.B) {
			s := p.serve(b, engine)
			s.script(b, "four.js", 50, "a", "b", "c", "d")
			for b.Loop() {
				var took []float64
				for range rounds(b) {
					asked := time.Now()
					r := s.race(b, `{"script":"four.js","mode":"together","heats":1,"warmup":"1s","load":{"duration":"1s"}}`)
					took = append(took, (r.Heats[0].StartedAt.Sub(asked) - time.Second).Seconds())
				}
				sayLoad(b)
				report(b, "start-s", took)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// readers is how many clients read at once in BenchmarkReaders.
const readers = 50

// BenchmarkReaders races two copies of control without anybody looking, and then while 50 clients follow its events and ask for the list of races
// once a second, in turn. It reports the ratio of the p95 with to that without (the median of the pairs, of both lanes), and the same of neighbouring
// races that nobody looked at, for what noise is.
func BenchmarkReaders(b *testing.B) {
	s := build(b).serve(b, "process")
	s.script(b, "two.js", 200, "a", "b")
	for b.Loop() {
		var alone, watched, ratios, noise []float64
		for i := range 2 * rounds(b) {
			first, second := s.p95(b, i%2 == 1), s.p95(b, i%2 == 0)
			if i%2 == 1 {
				first, second = second, first
			}
			alone, watched = append(alone, first), append(watched, second)
			ratios = append(ratios, second/first)
			if n := len(alone); n > 1 {
				noise = append(noise, alone[n-1]/alone[n-2])
			}
		}
		sayLoad(b)
		b.ReportMetric(median(alone), "ms-alone")
		b.ReportMetric(median(watched), "ms-watched")
		report(b, "ratio", ratios)
		report(b, "noise", noise)
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkEventLag reports the time from a request's arrival at its app to the arrival of the first progress event that counts it, in two lanes of
// 100 requests a second: the median and the 95th percentile.
func BenchmarkEventLag(b *testing.B) {
	s := build(b).serve(b, "process")
	apps := map[string]*timekeeper{"a": newTimekeeper(b), "b": newTimekeeper(b)}
	s.write(b, "lag.js", 100, fmt.Sprintf("a: { url: %q }, b: { url: %q }", apps["a"].URL, apps["b"].URL))
	for b.Loop() {
		for _, app := range apps {
			app.times = nil
		}
		var seen []counted
		r := s.race(b, `{"script":"lag.js","mode":"together","heats":1,"warmup":"1s","load":{"duration":"10s"}}`, func(id string) { seen = s.counts(b, id) })
		var lags []float64
		for _, l := range r.Lanes {
			times := apps[l.App].times
			times = times[len(times)-int(l.Client.Requests):] // before them were the probe's and the warm-up's
			next := 0
			for _, c := range seen {
				for ; next < c.requests[l.App] && next < len(times); next++ {
					lags = append(lags, c.at.Sub(times[next]).Seconds())
				}
			}
		}
		sayLoad(b)
		slices.Sort(lags)
		b.ReportMetric(median(lags), "s-median")
		b.ReportMetric(lags[len(lags)*95/100], "s-p95")
		b.ReportMetric(float64(len(lags)), "requests")
	}
	b.ReportMetric(0, "ns/op")
}

// timekeeper is an app that remembers when it was asked.
type timekeeper struct {
	*httptest.Server
	mu    sync.Mutex
	times []time.Time
}

func newTimekeeper(b *testing.B) *timekeeper {
	b.Helper()
	k := &timekeeper{}
	k.Server = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.times = append(k.times, time.Now())
	}))
	b.Cleanup(k.Close)
	return k
}

// counted is a progress event: how many requests of each app had been made, as the reader came to know at a time.
type counted struct {
	at       time.Time
	requests map[string]int
}

// counts follows a race's events to their end.
func (s served) counts(b *testing.B, id string) (all []counted) {
	b.Helper()
	answer, err := s.send(b.Context(), http.MethodGet, "/v1/races/"+id+"/events", "")
	require.NoError(b, err)
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		text, data := strings.CutPrefix(lines.Text(), "data: ")
		var event struct {
			Phase string
			Lanes []struct {
				App      string
				Requests int
			}
		}
		if !data || json.Unmarshal([]byte(text), &event) != nil || event.Phase != "race" {
			continue
		}
		c := counted{time.Now(), map[string]int{}}
		for _, l := range event.Lanes {
			c.requests[l.App] = l.Requests
		}
		all = append(all, c)
	}
	return all
}

// p95 is that of the latency of a race, the mean of its lanes.
func (s served) p95(b *testing.B, watch bool) float64 {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	r := s.race(b, `{"script":"two.js","mode":"together","heats":1,"warmup":"2s","load":{"duration":"8s"}}`, func(id string) {
		if !watch {
			return
		}
		for range readers {
			go s.follow(ctx, id)
			go s.poll(ctx)
		}
	})
	sum := 0.0
	for _, l := range r.Lanes {
		sum += *l.Client.LatencyMS.P95
	}
	return sum / float64(len(r.Lanes))
}

// follow reads a race's events to their end.
func (s served) follow(ctx context.Context, id string) {
	if answer, err := s.send(ctx, http.MethodGet, "/v1/races/"+id+"/events", ""); err == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
}

// poll asks for the list of races once a second.
func (s served) poll(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if answer, err := s.send(ctx, http.MethodGet, "/v1/races?limit=20", ""); err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// served is a running `photofinish serve`.
type served struct {
	programs
	url, scripts, image string
}

const serveConfig = `listen: 127.0.0.1:%d
data: data
scripts: {folder: scripts}
engines: [%s]
docker: {images: ["photofinish-bench/*"]}
prometheus: {listen: 127.0.0.1:%d}
log: {level: error}
`

// serve starts a runner that serves until the benchmark ends.
func (p programs) serve(b *testing.B, engine string) served {
	b.Helper()
	dir := b.TempDir()
	port := enginetest.FreePort(b)
	s := served{programs: p, url: fmt.Sprintf("http://127.0.0.1:%d", port), scripts: filepath.Join(dir, "scripts")}
	if engine == "docker" {
		s.image = fmt.Sprintf("photofinish-bench/control:%d", os.Getpid())
		dockertest.Image(b, dockertest.Client(b), s.image, p.control, "USER 65534")
	}
	require.NoError(b, os.Mkdir(s.scripts, 0o700))
	file := filepath.Join(dir, "runner.yaml")
	require.NoError(b, os.WriteFile(file, fmt.Appendf(nil, serveConfig, port, engine, enginetest.FreePort(b)), 0o600))
	var said bytes.Buffer
	cmd := exec.CommandContext(b.Context(), p.runner, "serve", "--config", file)
	cmd.Env, cmd.Stdout, cmd.Stderr = without(os.Environ(), "GOMAXPROCS"), &said, &said
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if b.Failed() {
			b.Logf("the runner said:\n%s", said.String())
		}
	})
	require.Eventually(b, func() bool { return answers(b.Context(), s.url+"/healthz") }, 20*time.Second, 50*time.Millisecond)
	return s
}

// script writes a race of copies of control.
func (s served) script(b *testing.B, name string, rate int, apps ...string) {
	b.Helper()
	var lanes []string
	for _, app := range apps {
		start := fmt.Sprintf("command: [%q]", s.control)
		if s.image != "" {
			start = fmt.Sprintf("image: %q", s.image)
		}
		lanes = append(lanes, fmt.Sprintf("%s: { %s, port: %d, path: '/control', cpus: 0.5, memory: '128m' }", app, start, enginetest.FreePort(b)))
	}
	s.write(b, name, rate, strings.Join(lanes, ", "))
}

func (s served) write(b *testing.B, name string, rate int, lanes string) {
	b.Helper()
	text := fmt.Sprintf(`import http from 'k6/http';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: %d, timeUnit: '1s', duration: '1s', preAllocatedVUs: 20 } },
  ext: { photofinish: { lanes: { %s } } },
};
export default function () { http.get(__ENV.APP_URL); }
`, rate, lanes)
	require.NoError(b, os.WriteFile(filepath.Join(s.scripts, name), []byte(text), 0o600))
}

func (s served) send(ctx context.Context, method, path, body string) (*http.Response, error) {
	ask, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	ask.Header.Set("Content-Type", "application/json")
	return http.DefaultClient.Do(ask)
}

func (s served) ask(b *testing.B, method, path, body string, into any) {
	b.Helper()
	answer, err := s.send(b.Context(), method, path, body)
	require.NoError(b, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(b, err)
	require.Less(b, answer.StatusCode, 300, "%s", text)
	require.NoError(b, json.Unmarshal(text, into))
}

// race runs one race to its end; accepted are told its id first.
func (s served) race(b *testing.B, request string, accepted ...func(id string)) (r race.Race) {
	b.Helper()
	var a struct{ ID string }
	s.ask(b, http.MethodPost, "/v1/races", request, &a)
	for _, tell := range accepted {
		tell(a.ID)
	}
	for !r.Status.Ended() {
		time.Sleep(500 * time.Millisecond)
		s.ask(b, http.MethodGet, "/v1/races/"+a.ID, "", &r)
	}
	require.Equal(b, race.Finished, r.Status, "%v", r.Error)
	return r
}
