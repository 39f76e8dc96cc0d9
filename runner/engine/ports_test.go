package engine_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

func TestWhoHasThePortOfALaneIsTold(t *testing.T) {
	server, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	connection, err := net.Dial("tcp4", server.Addr().String())
	require.NoError(t, err)
	defer connection.Close()
	for name, c := range map[string]struct {
		at         net.Addr
		says, hint string
	}{
		"a program that listens": {server.Addr(), " is in use by engine.test (pid ", "stop what uses it"},
		"an outgoing connection": {connection.LocalAddr(), " is in use by a connection from engine.test (pid ", "a port below 32768"},
	} {
		t.Run(name, func(t *testing.T) {
			err := engine.CheckPort(t.Context(), "a", c.at.(*net.TCPAddr).Port)
			require.ErrorContains(t, err, c.says)
			require.Contains(t, race.HintOf(err), c.hint)
			require.Equal(t, race.Unavailable, race.CodeOf(err))
		})
	}
}
