package stock

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func ask(t *testing.T, url string) <-chan string {
	t.Helper()
	said := make(chan string, 1)
	go func() {
		resp, err := http.Get(url)
		if err != nil {
			said <- err.Error()
			return
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		said <- string(text)
	}()
	return said
}

func TestEveryK6IsAnsweredWhenAllHaveAsked(t *testing.T) {
	d, err := openDoor(t.Context(), Site{Host: "127.0.0.1", Instances: 2}, "")
	require.NoError(t, err)
	defer d.close()
	first := ask(t, d.start)
	select {
	case <-d.ready:
		t.Fatal("one has not asked yet")
	case <-time.After(50 * time.Millisecond):
	}
	second := ask(t, d.start)
	<-d.ready
	at := time.UnixMilli(1_900_000_000_123)
	d.begin(at)
	require.Equal(t, "1900000000123.000", <-first)
	require.Equal(t, "1900000000123.000", <-second)
	require.Equal(t, "1900000000123.000", <-ask(t, d.start), "who asks late is answered at once")
	require.Contains(t, <-ask(t, d.start[:len(d.start)-1]), "404", "nobody can ask who was not told the address")
}

func TestAK6ElsewhereIsToldHowLongItIsUntilTheRaceBegins(t *testing.T) {
	d, err := openDoor(t.Context(), Site{Host: "127.0.0.1", Instances: 1, Elsewhere: true}, "")
	require.NoError(t, err)
	defer d.close()
	said := ask(t, d.start)
	<-d.ready
	d.begin(time.Now().Add(time.Minute))
	text := <-said
	require.True(t, strings.HasPrefix(text, "+"), text)
	in, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	require.InDelta(t, 60_000, in, 5_000)
	require.Equal(t, "-1500.000", d.tell(d.begins.Add(1500*time.Millisecond)), "it has begun")
}

func TestSeriesOfAK6ElsewhereArePassedOnAndNothingElseIs(t *testing.T) {
	taken := make(chan string, 1)
	prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		taken <- r.Method + " " + r.URL.String() + " " + r.Header.Get("Content-Encoding") + " " + string(text)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer prometheus.Close()
	d, err := openDoor(t.Context(), Site{Host: "127.0.0.1", Instances: 1, Elsewhere: true}, prometheus.URL+"/api/v1/write?x=y")
	require.NoError(t, err)
	defer d.close()
	post := func(url string) int {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader("samples"))
		require.NoError(t, err)
		req.Header.Set("Content-Encoding", "snappy")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	require.Equal(t, http.StatusNoContent, post(d.write))
	require.Equal(t, "POST /api/v1/write?x=y snappy samples", <-taken)
	for _, url := range []string{d.write + "/more", strings.TrimSuffix(d.write, "/write"), d.write[:len(d.write)-8] + "/write", "http://" + strings.Split(d.write, "/")[2] + "/write"} {
		require.GreaterOrEqual(t, post(url), 400, url)
	}
	prometheus.Close()
	require.Equal(t, http.StatusBadGateway, post(d.write))

	here, err := openDoor(t.Context(), Site{Host: "127.0.0.1", Instances: 1}, prometheus.URL)
	require.NoError(t, err)
	defer here.close()
	require.Equal(t, prometheus.URL, here.write, "a k6 on this machine writes by itself")
}
