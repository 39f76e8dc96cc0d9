package enginetest

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

var given sync.Map // the ports that FreePort gave

// FreePort finds a port that nobody listens on, that no outgoing connection takes later, and that it gave to no other test of this program.
func FreePort(tb testing.TB) int {
	tb.Helper()
	for {
		port, err := engine.ChoosePort(tb.Context(), race.LaneSpec{})
		require.NoError(tb, err)
		if _, taken := given.LoadOrStore(port, true); !taken {
			return port
		}
	}
}
