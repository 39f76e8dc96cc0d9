package stopwatch

import (
	"context"
	"testing"
	"time"

	"github.com/grafana/sobek"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/js/modulestest"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/metrics"
)

type fixedHeat struct{ heat *heat.Heat }

func (f fixedHeat) Heat() (*heat.Heat, error) { return f.heat, nil }

// vu is a VU of app a, in a scenario that began now, with our module as `pf`.
func vu(tb testing.TB, h *heat.Heat, ctx context.Context) (*sobek.Runtime, *lib.State) {
	tb.Helper()
	runtime := sobek.New()
	state := &lib.State{Tags: lib.NewVUStateTags(metrics.NewRegistry().RootTagSet().With("app", "a").With("scenario", "s"))}
	ctx = lib.WithScenarioState(ctx, &lib.ScenarioState{Name: "s", StartTime: time.Now()})
	module := (&Module{source: fixedHeat{h}}).NewModuleInstance(&modulestest.VU{CtxField: ctx, RuntimeField: runtime, StateField: state})
	require.NoError(tb, runtime.Set("pf", module.Exports().Named))
	return runtime, state
}

func phaseOf(state *lib.State) string {
	phase, _ := state.Tags.GetCurrentValues().Tags.Get(heat.Tag)
	return phase
}

func arrive(t *testing.T, runtime *sobek.Runtime) bool {
	t.Helper()
	v, err := runtime.RunString(`pf.arrive()`)
	require.NoError(t, err)
	return v.ToBoolean()
}

func TestArriveFollowsTheHeatInAClosedModel(t *testing.T) {
	t.Parallel()
	h, err := heat.New(stream.Config{Warmup: 50 * time.Millisecond, Lanes: []stream.Lane{
		{App: "a", Blocks: []stream.Block{{Start: 50 * time.Millisecond, End: 100 * time.Millisecond}}},
	}}, nil, nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runtime, state := vu(t, h, ctx)
	require.True(t, arrive(t, runtime))
	require.Equal(t, "warmup", phaseOf(state))
	began, ok := h.StartedAt()
	require.True(t, ok)
	require.Equal(t, 1, h.Lane("a").Running())
	require.True(t, arrive(t, runtime))
	require.Equal(t, 1, h.Lane("a").Running(), "a VU is in one iteration at a time")

	time.Sleep(time.Until(began.Add(60 * time.Millisecond)))
	require.True(t, arrive(t, runtime), "it waits for the block")
	require.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)
	require.Equal(t, "race", phaseOf(state))
	time.Sleep(time.Until(began.Add(160 * time.Millisecond)))
	require.False(t, arrive(t, runtime), "nothing is begun after the last block")
	require.Equal(t, "done", phaseOf(state))
	require.Zero(t, h.Lane("a").Running())
	cancel()
	require.False(t, arrive(t, runtime))
}

func TestArriveTakesThePhaseForWhichTheExecutorPlanned(t *testing.T) {
	t.Parallel()
	h, err := heat.New(stream.Config{Lanes: []stream.Lane{{App: "a", Blocks: []stream.Block{{End: time.Hour}}}}}, nil, nil)
	require.NoError(t, err)
	h.Start(time.Now())
	planned := &plannedIteration{phase: heat.Warmup}
	runtime, state := vu(t, h, context.WithValue(t.Context(), plannedKey{}, planned))
	require.True(t, arrive(t, runtime))
	require.Equal(t, "warmup", phaseOf(state), "it was planned before the race, however late it is")
	planned.phase = heat.Race
	require.True(t, arrive(t, runtime))
	require.Equal(t, "race", phaseOf(state))
	state.Tags.Modify(func(tags *metrics.TagsAndMeta) { tags.SetTag("phase", "of the user") })
	require.True(t, arrive(t, runtime))
	require.Equal(t, "race", phaseOf(state))
}

func TestArriveLetsEverythingPassWithoutARace(t *testing.T) {
	t.Parallel()
	runtime, state := vu(t, nil, t.Context())
	require.True(t, arrive(t, runtime))
	require.Empty(t, phaseOf(state))
}

func BenchmarkArrive(b *testing.B) {
	h, err := heat.New(stream.Config{Lanes: []stream.Lane{{App: "a", Blocks: []stream.Block{{End: time.Hour}}}}}, nil, nil)
	require.NoError(b, err)
	h.Start(time.Now())
	for name, ctx := range map[string]context.Context{
		"planned": context.WithValue(b.Context(), plannedKey{}, &plannedIteration{phase: heat.Race}),
		"closed":  b.Context(),
	} {
		b.Run(name, func(b *testing.B) {
			runtime, _ := vu(b, h, ctx)
			v, err := runtime.RunString(`(n) => { for (let i = 0; i < n; i++) { pf.arrive() } }`)
			require.NoError(b, err)
			loop, _ := sobek.AssertFunction(v)
			b.ReportAllocs()
			b.ResetTimer()
			_, err = loop(sobek.Undefined(), runtime.ToValue(b.N))
			require.NoError(b, err)
		})
	}
}
