package promserver_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/access"
	"github.com/photofinish/photofinish/runner/access/accesstest"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// told keeps what a person was told.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (w *told) tell(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line)
}

func (w *told) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.lines...)
}

func secretFile(t *testing.T, text string) access.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(text+"\n"), 0o600))
	return access.Secret{File: path}
}

func receiver(t *testing.T, s access.Server, w *told) *promserver.Receiver {
	t.Helper()
	c, err := s.HTTP("remote_write")
	require.NoError(t, err)
	return &promserver.Receiver{URL: s.URL, HTTP: c, Warn: w.tell}
}

// hosted is a Prometheus behind a gate, and an embedded one that writes to it.
type hosted struct {
	behind, embedded *promserver.Server
	gate             *accesstest.Gate
	told             *told
}

func newHosted(t *testing.T) hosted {
	t.Helper()
	h := hosted{behind: startServer(t, promserver.Options{}), told: &told{}}
	h.gate = accesstest.New(t, h.behind.URL(), nil)
	by := access.Server{
		URL: h.gate.URL + accesstest.WritePath, Username: accesstest.Username, Password: secretFile(t, accesstest.Password),
		Headers: map[string]string{"X-Scope-OrgID": accesstest.Tenant},
	}
	h.embedded = startServer(t, promserver.Options{Receiver: receiver(t, by, h.told)})
	return h
}

// write gives n series a sample each, one of them a histogram, and ends one with a stale marker.
func (h hosted) write(t *testing.T, n int) {
	t.Helper()
	w, now := newWriter(t, h.embedded), time.Now()
	for i := range n - 1 {
		push(t, w, floats(protoLabels("remote_counter", "i", fmt.Sprint(i)), now, float64(i)))
	}
	push(t, w, histograms(protoLabels("remote_histogram"), now, observe(t, factorOur, .001, .002, .5)))
}

func (h hosted) deliver(t *testing.T, within time.Duration) promserver.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	d, err := h.embedded.Deliver(ctx)
	require.NoError(t, err)
	return d
}

func (h hosted) to() string { return h.gate.URL + accesstest.WritePath }

// long is more than a delivery takes on a busy machine.
const long = time.Minute

func (h hosted) arrived(t *testing.T, expr string) float64 {
	t.Helper()
	q, err := promql.New(promql.Config{URL: h.behind.URL()})
	require.NoError(t, err)
	got, err := q.Query(t.Context(), promql.At(expr, time.Now().Add(time.Second)))
	require.NoError(t, err)
	if len(got.Series) == 0 {
		return 0
	}
	return got.Series[0].Last()
}

func TestWhatIsWrittenGoesToTheReceiverToo(t *testing.T) {
	h := newHosted(t)
	h.write(t, 20)
	require.Equal(t, promserver.Delivery{To: h.to(), Sent: 20}, h.deliver(t, long))
	require.InDelta(t, 19, h.arrived(t, "count(remote_counter)"), 0)
	require.InDelta(t, 3, h.arrived(t, "histogram_count(remote_histogram)"), 0)
	require.Zero(t, h.arrived(t, "count(photofinish_remote_write_mark)"), "the mark stays here")
	require.Empty(t, h.told.all())
	_, refused := h.gate.Counts()
	require.Zero(t, refused)
	push(t, newWriter(t, h.embedded), floats(protoLabels("remote_counter", "i", "0"), time.Now(), stale()))
	require.Equal(t, promserver.Delivery{To: h.to(), Sent: 21}, h.deliver(t, long))
	require.InDelta(t, 18, h.arrived(t, "count(remote_counter)"), 0, "stale markers go along")
}

func TestABadMomentOfTheReceiverLosesNothing(t *testing.T) {
	for name, bad := range map[string]accesstest.Bad{
		"it has an error":         {Status: 503, Says: "the ingesters are starting"},
		"it has enough for now":   {Status: 429, Says: "ingestion rate limit exceeded"},
		"and says when to return": {Status: 429, Says: "ingestion rate limit exceeded", RetryAfter: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHosted(t)
			h.gate.Answer(3, &bad)
			began := time.Now()
			h.write(t, 5)
			require.Equal(t, promserver.Delivery{To: h.to(), Sent: 5, Answer: fmt.Sprintf("HTTP status %d %s: %s", bad.Status, http.StatusText(bad.Status), bad.Says)}, h.deliver(t, long))
			require.InDelta(t, 4, h.arrived(t, "count(remote_counter)"), 0)
			require.Contains(t, h.gate.Attempts(), "1", "a try that says which it is")
			require.Len(t, h.told.all(), 1, "it is said once")
			require.Contains(t, h.told.all()[0], bad.Says)
			require.Contains(t, h.told.all()[0], "tried again")
			if bad.RetryAfter != "" {
				require.GreaterOrEqual(t, time.Since(began), 2*time.Second, "at least two tries wait the second that they were told to")
			}
		})
	}
}

func TestWhatTheReceiverRefusesIsNotSentAgainAndCounted(t *testing.T) {
	h := newHosted(t)
	h.gate.Answer(-1, &accesstest.Bad{Status: 400, Says: "max series limit of 10 exceeded"})
	h.write(t, 8)
	const says = "HTTP status 400 Bad Request: max series limit of 10 exceeded"
	require.Equal(t, promserver.Delivery{To: h.to(), Refused: 8, Answer: says}, h.deliver(t, long))
	for _, attempt := range h.gate.Attempts() {
		require.Empty(t, attempt, "no second try")
	}
	require.Equal(t, []string{h.gate.URL + accesstest.WritePath + " refused samples, which are not sent again (said once): " + says}, h.told.all())
	h.gate.Answer(0, nil)
	h.write(t, 8)
	require.Equal(t, promserver.Delivery{To: h.to(), Sent: 8, Refused: 8, Answer: says}, h.deliver(t, long), "what comes later arrives")
}

func TestWhatWaitsForAReceiverThatIsGoneIsCounted(t *testing.T) {
	h := newHosted(t)
	h.gate.Answer(-1, &accesstest.Bad{Status: 502, Says: "nobody is there"})
	h.write(t, 30)
	d := h.deliver(t, 2*time.Second)
	require.EqualValues(t, 30, d.Waiting)
	require.Zero(t, d.Sent+d.Refused)
	require.Contains(t, d.Answer, "nobody is there")
	h.gate.Answer(0, nil)
	require.Equal(t, promserver.Delivery{To: h.to(), Sent: 30, Answer: d.Answer}, h.deliver(t, long), "and arrives when it is back")
}

func TestAReceiverIsCheckedBeforeAnythingIsWritten(t *testing.T) {
	h := newHosted(t)
	tls := accesstest.New(t, h.behind.URL(), httptest.NewTLSServer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	moved := httptest.NewServer(http.RedirectHandler(h.gate.URL+accesstest.WritePath, http.StatusPermanentRedirect))
	defer moved.Close()
	tenant := map[string]string{"X-Scope-OrgID": accesstest.Tenant}
	token, wrong := secretFile(t, accesstest.Token), secretFile(t, "glc_wrong")
	for name, c := range map[string]struct {
		server access.Server
		says   string // "" is nothing
	}{
		"a token":                   {access.Server{URL: h.gate.URL + accesstest.WritePath, Token: token, Headers: tenant}, ""},
		"a name and a password":     {access.Server{URL: h.gate.URL + accesstest.WritePath, Username: accesstest.Username, Password: secretFile(t, accesstest.Password), Headers: tenant}, ""},
		"any certificate":           {access.Server{URL: tls.URL + accesstest.WritePath, Token: token, Headers: tenant, Insecure: true}, ""},
		"a certificate of nobody":   {access.Server{URL: tls.URL + accesstest.WritePath, Token: token, Headers: tenant}, "certificate"},
		"the wrong token":           {access.Server{URL: h.gate.URL + accesstest.WritePath, Token: wrong, Headers: tenant}, "does not let us in: HTTP status 401 Unauthorized: authentication error: invalid token"},
		"no tenant":                 {access.Server{URL: h.gate.URL + accesstest.WritePath, Token: token}, "no org id"},
		"the wrong path":            {access.Server{URL: h.gate.URL + "/push", Token: token, Headers: tenant}, "takes no remote writes: HTTP status 404"},
		"nobody listens":            {access.Server{URL: gone, Token: token}, "cannot be written to"},
		"secrets are not forwarded": {access.Server{URL: moved.URL, Token: token, Headers: tenant}, "takes no remote writes: HTTP status 308"},
	} {
		t.Run(name, func(t *testing.T) {
			err := receiver(t, c.server, &told{}).Check(t.Context())
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			require.Equal(t, race.Unavailable, race.CodeOf(err))
			require.Equal(t, strings.HasSuffix(c.says, "cannot be written to") || c.says == "certificate", promserver.Away(err))
			require.NotEmpty(t, race.HintOf(err))
			require.NotContains(t, err.Error()+race.HintOf(err), "glc_")
		})
	}
}
