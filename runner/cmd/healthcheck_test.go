package cmd_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/cmd"
)

func TestHealthcheckAsksARunner(t *testing.T) {
	well := true
	runner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" || !well {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, `{"version":"9"}`)
	}))
	ask := func(address string) (int, string) {
		var said bytes.Buffer
		return cmd.Run(t.Context(), []string{"healthcheck", address}, io.Discard, &said), said.String()
	}

	code, said := ask(runner.URL)
	require.Equal(t, 0, code, said)
	require.Contains(t, said, "photofinish 9 is well")

	well = false
	code, _ = ask(runner.URL)
	require.Equal(t, 3, code)

	runner.Close()
	code, said = ask(runner.URL)
	require.Equal(t, 3, code)
	require.Contains(t, said, runner.URL)

	code, said = ask("nowhere")
	require.Equal(t, 2, code)
	require.Contains(t, said, "nowhere")
}
