package promql_test

import (
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
)

func TestOnlyAPrometheusThatIsNearIsAskedForPlainAnswers(t *testing.T) {
	const up = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1790000000,"1"]}]}}`
	for name, c := range map[string]struct {
		connecting time.Duration
		want       []string
	}{
		"near": {0, []string{"gzip", "identity", "identity"}},
		"far":  {20 * time.Millisecond, []string{"gzip", "gzip", "gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			var encodings []string
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				encodings = append(encodings, r.Header.Get("Accept-Encoding"))
				if r.Header.Get("Accept-Encoding") != "gzip" {
					fmt.Fprint(w, up)
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				compressed := gzip.NewWriter(w)
				fmt.Fprint(compressed, up)
				_ = compressed.Close()
			})
			dialer := net.Dialer{Control: func(string, string, syscall.RawConn) error { time.Sleep(c.connecting); return nil }}
			prom := client(t, promql.Config{URL: url, Transport: &http.Transport{DialContext: dialer.DialContext}})
			for range c.want {
				result, err := prom.Query(t.Context(), promql.Query{Expr: "up", Start: time.Unix(1_790_000_000, 0)})
				require.NoError(t, err)
				require.InDelta(t, 1, result.Series[0].Points[0].Value, 0)
			}
			require.Equal(t, c.want, encodings)
		})
	}
}
