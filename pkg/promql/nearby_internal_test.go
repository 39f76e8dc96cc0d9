package promql

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOnlyAServerThatIsNearIsAskedForPlainAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		within time.Duration
		want   []string
	}{
		"near": {time.Hour, []string{"identity", "identity", "identity"}},
		"far":  {0, []string{"gzip", "gzip", "gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			var encodings []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				encodings = append(encodings, r.Header.Get("Accept-Encoding"))
				if r.Header.Get("Accept-Encoding") != "gzip" {
					fmt.Fprint(w, "answer")
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				compressed := gzip.NewWriter(w)
				fmt.Fprint(compressed, "answer")
				_ = compressed.Close()
			}))
			t.Cleanup(server.Close)
			client := http.Client{Transport: plainNearby{next: &http.Transport{}, within: c.within, near: new(atomic.Bool)}}
			for range c.want {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
				require.NoError(t, err)
				response, err := client.Do(request)
				require.NoError(t, err)
				text, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, "answer", string(text))
			}
			require.Equal(t, c.want, encodings)
		})
	}
}
