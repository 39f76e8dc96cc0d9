package generated

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// racesVariable holds the races of a Prometheus apart, as JSON.
const racesVariable = "PHOTOFINISH_GENERATED_RACES"

// Apart is Prometheus in a process of its own, so that what is measured beside it does not collect its garbage. The process is this very test binary
// again, whose TestMain has to call ServeApart.
type Apart struct {
	URL string
	PID int
}

// PrometheusApart starts that process and ends it with the test.
func PrometheusApart(tb testing.TB, races ...Race) Apart {
	tb.Helper()
	text, err := json.Marshal(races)
	require.NoError(tb, err)
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), os.Args[0]) //nolint:gosec // this very program; it ends with its input
	cmd.Env = append(os.Environ(), racesVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(tb, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		require.NoError(tb, stdin.Close())
		require.NoError(tb, cmd.Wait())
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(tb, err)
	return Apart{strings.TrimSpace(url), cmd.Process.Pid}
}

// ServeApart is what that process does instead of tests: it tells its Prometheus's address and serves it until in ends. false is a process that is to run
// tests.
func ServeApart(in io.Reader, tell io.Writer) (asked bool, err error) {
	text, asked := os.LookupEnv(racesVariable)
	if !asked {
		return false, nil
	}
	var races []Race
	if err := json.Unmarshal([]byte(text), &races); err != nil {
		return true, err
	}
	dir, err := os.MkdirTemp("", "photofinish")
	if err != nil {
		return true, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := start(context.Background(), dir, races)
	if err != nil {
		return true, err
	}
	_, err = fmt.Fprintln(tell, server.URL())
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	return true, errors.Join(err, server.Close())
}
