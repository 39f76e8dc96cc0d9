package remotewrite_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/remotewrite"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
)

// prometheus answers with the next status and keeps what it accepted or refused.
type prometheus struct {
	statuses []int
	writes   []prompb.WriteRequest
}

func (p *prometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		body, err = snappy.Decode(nil, body)
	}
	var write prompb.WriteRequest
	if err == nil {
		err = write.Unmarshal(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	p.writes = append(p.writes, write)
	status := http.StatusNoContent
	if len(p.statuses) > 0 {
		status, p.statuses = p.statuses[0], p.statuses[1:]
	}
	w.WriteHeader(status)
}

func newWriter(t *testing.T, statuses ...int) (*remotewrite.Writer, *prometheus) {
	t.Helper()
	p := &prometheus{statuses: statuses}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return remotewrite.New(s.URL), p
}

func at(ms int64) time.Time { return time.UnixMilli(1_700_000_000_000 + ms) }

func stamps(samples []prompb.Sample) map[int64]float64 {
	m := map[int64]float64{}
	for _, s := range samples {
		m[s.Timestamp-at(0).UnixMilli()] = s.Value
	}
	return m
}

func TestACounterBeginsAtZeroAndEndsStale(t *testing.T) {
	t.Parallel()
	w, p := newWriter(t)
	w.Counter("x_total", at(100), 5, "zone", "1", "app", "a")
	require.NoError(t, w.Push(t.Context(), at(1000)))
	w.Counter("x_total", at(100), 7, "zone", "1", "app", "a")
	require.NoError(t, w.Push(t.Context(), at(2000)))
	require.NoError(t, w.Push(t.Context(), at(3000)), "nothing new, nothing sent")
	require.NoError(t, w.End(t.Context(), at(2000)))
	require.Len(t, p.writes, 3)
	require.Equal(t, []prompb.Label{{Name: "__name__", Value: "x_total"}, {Name: "app", Value: "a"}, {Name: "zone", Value: "1"}}, p.writes[0].Timeseries[0].Labels)
	require.Equal(t, map[int64]float64{99: 0, 1000: 5}, stamps(p.writes[0].Timeseries[0].Samples))
	require.Equal(t, map[int64]float64{2000: 7}, stamps(p.writes[1].Timeseries[0].Samples))
	end := p.writes[2].Timeseries[0].Samples
	require.Len(t, end, 1)
	require.True(t, value.IsStaleNaN(end[0].Value))
	require.Equal(t, at(2001).UnixMilli(), end[0].Timestamp, "later than every value")
}

func TestAFailedPushLosesNothing(t *testing.T) {
	t.Parallel()
	w, p := newWriter(t, http.StatusServiceUnavailable)
	w.Counter("x_total", at(100), 5)
	w.Maximum("max", 9)
	require.ErrorContains(t, w.Push(t.Context(), at(1000)), "503")
	w.Counter("x_total", at(100), 7)
	w.Maximum("max", 4)
	require.NoError(t, w.Push(t.Context(), at(2000)))
	w.Maximum("max", 3)
	require.NoError(t, w.Push(t.Context(), at(3000)))
	require.Equal(t, map[int64]float64{2000: 9}, stamps(p.writes[1].Timeseries[0].Samples), "the failed second's maximum is still the highest")
	require.Equal(t, map[int64]float64{99: 0, 2000: 7}, stamps(p.writes[1].Timeseries[1].Samples))
	require.Equal(t, map[int64]float64{3000: 3}, stamps(p.writes[2].Timeseries[0].Samples))
}

func TestWhatIsRefusedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	w, p := newWriter(t, http.StatusBadRequest)
	w.Counter("x_total", at(100), 5)
	require.ErrorContains(t, w.Push(t.Context(), at(1000)), "400")
	w.Counter("x_total", at(100), 7)
	require.NoError(t, w.Push(t.Context(), at(2000)))
	require.Equal(t, map[int64]float64{2000: 7}, stamps(p.writes[1].Timeseries[0].Samples))
}

func TestAHistogramArrivesBucketByBucket(t *testing.T) {
	t.Parallel()
	w, p := newWriter(t)
	var h stream.Histogram
	for _, v := range []float64{0, 0.0004, 0.0004, 0.000401, 0.000403, 1, 2, 30} {
		h.Observe(v)
	}
	w.Histogram("x_seconds", at(100), h, "app", "a")
	require.NoError(t, w.Push(t.Context(), at(1000)))
	require.NoError(t, w.End(t.Context(), at(2000)))
	sent := p.writes[0].Timeseries[0].Histograms
	require.Len(t, sent, 2)
	require.Zero(t, sent[0].GetCountInt())
	require.EqualValues(t, stream.Schema, sent[0].Schema)
	got := sent[1].ToIntHistogram()
	require.NoError(t, got.Validate())
	require.EqualValues(t, 1, got.ZeroCount)
	counts := map[int]int64{}
	for it := got.PositiveBucketIterator(); it.Next(); {
		b := it.At()
		lower, upper := stream.Bounds(int(b.Index))
		require.InEpsilon(t, lower, b.Lower, 1e-9)
		require.InEpsilon(t, upper, b.Upper, 1e-9)
		if b.Count > 0 {
			counts[int(b.Index)] = int64(b.Count)
		}
	}
	require.Equal(t, h.Buckets, counts)
	require.True(t, value.IsStaleNaN(p.writes[1].Timeseries[0].Histograms[0].Sum))
}
