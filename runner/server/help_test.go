package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/scripts"
	"github.com/photofinish/photofinish/runner/server"
	"github.com/photofinish/photofinish/runner/server/servertest"
	"github.com/photofinish/photofinish/runner/service"
	"github.com/photofinish/photofinish/runner/stage"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

const token = "a long random text"

// shelf is a folder of scripts that k6 has looked at already: the API's own tests need no k6.
type shelf map[string]string // options by name

func (s shelf) Names() ([]string, error) { return []string{"a.js", "dir/b.js"}, nil }

func (s shelf) Get(name string) (scripts.Script, error) {
	options, known := s[name]
	if !known {
		return scripts.Script{}, race.Errorf(race.NotFound, "", "there is no script %q", name)
	}
	return scripts.Script{Name: name, Path: "/scripts/" + name, Text: options, Hash: sqlite.Hash(options)}, nil
}

func (s shelf) Unchanged(name, _ string) (scripts.Script, error) { return s.Get(name) }

func (s shelf) Inspect(_ context.Context, script scripts.Script) (k6.Inspection, error) {
	return k6.Inspection{Options: json.RawMessage(script.Text), HasDefault: true, LaneOrder: []string{"control", "new"}}, nil
}

const twoLanes = `{"scenarios": {"load": {"executor": "constant-arrival-rate", "rate": 50, "duration": "2s", "preAllocatedVUs": 5}},
	"ext": {"photofinish": {"heats": 2, "lanes": {"control": {"command": ["control"], "port": 4000, "cpus": 0.5}, "new": {"command": ["high-cpu"], "port": 4001}}}}}`

// ofImage is the same race with a k6 of an image.
var ofImage = strings.Replace(twoLanes, `{"heats": 2,`, `{"k6": {"image": "acme/k6:2"}, "heats": 2,`, 1)

// track is where a test's races are run: each waits until the test lets it go on.
type track struct {
	started chan service.Job
	finish  chan struct{}
}

// race shows a sample of four apps, when it is let.
func (k track) race(ctx context.Context, j service.Job) (race.Race, error) {
	k.started <- j
	r := racetest.FourApps().Race
	r.ID = j.ID
	j.View.Status(race.Racing, "heat 1 of 8")
	j.View.Log("something to read")
	select {
	case <-k.finish:
	case <-ctx.Done():
		r.Status = race.Interrupted
		return r, errors.Join(context.Cause(ctx), j.Recorder.Save(r))
	}
	j.View.Progress(race.Snapshot{At: time.Now(), Status: race.Racing, Phase: "race", Source: race.FromK6, Heat: 1, Heats: 8, Mode: race.Turns, Lanes: []race.LaneSnapshot{{App: "control", Requests: 7}}})
	return r, j.Recorder.Save(r)
}

// runner is a runner whose races are a test's.
type runner struct {
	t        *testing.T
	url      string
	http     *http.Client
	track    track
	document *servertest.Document
	db       *sqlite.DB
	log      *output
}

type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func start(t *testing.T, change ...func(*config.Config)) *runner {
	t.Helper()
	c := config.Default()
	c.Limits.Queue, c.Limits.Lanes = 3, 4
	for _, f := range change {
		f(&c)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "races.db"))
	require.NoError(t, err)
	r := &runner{
		t: t, track: track{started: make(chan service.Job, 100), finish: make(chan struct{})}, db: db, log: &output{},
		document: servertest.Load(t, "../../docs/openapi.yaml"),
	}
	log := slog.New(slog.NewTextHandler(r.log, nil))
	engines := stage.Engines{stage.Process()}
	if slices.Contains(c.Engines, "docker") {
		engines = append(engines, stage.Docker(&c.Docker))
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(server.RaceMetrics(db, log))
	s, err := service.New(t.Context(), service.Options{
		DB: db, Scripts: shelf{"a.js": twoLanes, "dir/b.js": twoLanes, "box.js": ofImage}, Race: r.track.race, Engines: engines, CPUs: 2, LastCPU: 1, Limits: c.Limits, Lanes: c.Lanes, Log: log,
		Phase: server.PhaseMetrics(metrics),
	})
	require.NoError(t, err)
	secret := config.Secret{}
	if c.Token.Env != "none" {
		secret = config.NewSecret(token)
	}
	ending := make(chan struct{})
	api := httptest.NewServer(server.New(server.Options{
		Races: s, Engines: engines, Token: secret, Limits: c.Limits, Version: "1.2.3", Metrics: metrics, Log: log, Ending: ending,
	}))
	ctx, cancel := context.WithCancelCause(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	t.Cleanup(func() {
		cancel(errors.New("the test is over"))
		<-ended
		close(ending)
		api.Close()
		_ = db.Close()
	})
	r.url, r.http = api.URL, &http.Client{Transport: r.document.Transport(t)}
	return r
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &m), a.body)
	return m
}

// ask makes a call with the token; headers are pairs of name and value.
func (r *runner) ask(method, path, body string, headers ...string) answer {
	r.t.Helper()
	return r.send(r.http, method, path, body, append([]string{"Authorization", "Bearer " + token}, headers...)...)
}

func (r *runner) send(client *http.Client, method, path, body string, headers ...string) answer {
	r.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, reader)
	require.NoError(r.t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	res, err := client.Do(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	return answer{res.StatusCode, res.Header, string(text)}
}

// submit asks for a race and gives its id.
func (r *runner) submit() string {
	r.t.Helper()
	a := r.ask("POST", "/v1/races", `{"script":"a.js"}`)
	require.Equal(r.t, http.StatusAccepted, a.status, a.body)
	return a.json(r.t)["id"].(string)
}

func (r *runner) status(id string) string {
	r.t.Helper()
	return r.ask("GET", "/v1/races/"+id, "").json(r.t)["status"].(string)
}

// until waits for a status.
func (r *runner) until(id, status string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.status(id) == status }, 10*time.Second, 5*time.Millisecond, "race %s does not get %s", id, status)
}

type event struct{ id, kind, data string }

// events reads a race's events until its end, or until enough says so, and checks each against the document.
func (r *runner) events(id, after string, enough func([]event) bool) []event {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", r.url+"/v1/races/"+id+"/events", nil)
	require.NoError(r.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Last-Event-ID", after)
	res, err := r.http.Do(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	require.Equal(r.t, "text/event-stream", res.Header.Get("Content-Type"))
	var got []event
	var e event
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "":
			if e.kind == "" {
				continue
			}
			r.document.Event(r.t, strings.ToUpper(e.kind[:1])+e.kind[1:]+"Event", e.data)
			got, e = append(got, e), event{}
			if enough != nil && enough(got) {
				return got
			}
		}
	}
	return got
}
