package k6_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/plan"
)

// TestAStockK6sTurnsLeaveRoomForTheScriptInAConfigMap: k6-operator's pods read the archive out of one, which holds 1 MiB.
func TestAStockK6sTurnsLeaveRoomForTheScriptInAConfigMap(t *testing.T) {
	for _, duration := range []time.Duration{10 * time.Second, time.Minute} {
		d := definitionOf(t, fmt.Sprintf(`{"scenarios": {"load": {"executor": "constant-arrival-rate", "rate": 200, "duration": %q, "preAllocatedVUs": 20}}}`, duration),
			definition.Overrides{Mode: string(race.Turns), Lanes: []string{"c=http://localhost:3/c", "d=http://localhost:4/d"}})
		require.Len(t, d.Lanes, 4)
		p, err := plan.Make(d, 2, 1)
		require.NoError(t, err)
		cfg := stream.Config{RaceID: "r1", Heat: 1, Warmup: time.Second}
		for _, l := range d.Lanes {
			cfg.Lanes = append(cfg.Lanes, stream.Lane{App: l.App, URL: l.URL, Blocks: p.Heats[0].Blocks[l.App]})
		}
		h, err := k6.WriteHeat(t.TempDir(), d, cfg, k6.HeatOptions{Stock: true, Starter: "http://127.0.0.1:9/start"})
		require.NoError(t, err)
		archive, err := newK6(t).Archive(t.Context(), h.Wrapper, nil)
		require.NoError(t, err)
		packed, err := os.Stat(archive)
		require.NoError(t, err)
		require.Less(t, packed.Size(), int64(600<<10), duration)
	}
}
