// Package remotewrite keeps a handful of Prometheus series and pushes them: explicit zeros at the beginning, cumulative values,
// native histograms of schema 8, stale markers at the end.
package remotewrite

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// pushTimeout bounds one push: a push that takes longer than a second is late already.
const pushTimeout = 3 * time.Second

// client speaks the remote-write protocol 1.0.
type client struct {
	url  string
	http *http.Client
}

func newClient(url string) *client {
	return &client{url: url, http: &http.Client{Timeout: pushTimeout}}
}

// refusedError is an answer that another try of the same samples cannot change.
type refusedError struct{ status, body string }

func (e *refusedError) Error() string {
	return fmt.Sprintf("Prometheus answered %s: %s", e.status, e.body)
}

// push sends series; the error is a refusedError where the receiver said that they are wrong.
func (c *client) push(ctx context.Context, series []prompb.TimeSeries) error {
	message, err := (&prompb.WriteRequest{Timeseries: series}).Marshal()
	if err != nil {
		return fmt.Errorf("encode %d series: %w", len(series), err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(snappy.Encode(nil, message)))
	if err != nil {
		return fmt.Errorf("make a remote-write request: %w", err)
	}
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("User-Agent", "photofinish")
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("write to Prometheus: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // nothing is left to read or to lose
	body, err := io.ReadAll(io.LimitReader(response.Body, 512))
	if err != nil {
		return fmt.Errorf("read Prometheus' answer: %w", err)
	}
	switch {
	case response.StatusCode/100 == 2:
		return nil
	case response.StatusCode/100 == 4 && response.StatusCode != http.StatusTooManyRequests:
		return &refusedError{status: response.Status, body: string(bytes.TrimSpace(body))}
	default:
		return fmt.Errorf("write to Prometheus: %s: %s", response.Status, bytes.TrimSpace(body))
	}
}
