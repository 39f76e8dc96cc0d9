package flame_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"runtime"
	"runtime/pprof"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/flame"
)

// made is a CPU profile with these stacks, the outermost function first.
func made(samples map[string]int64, stacks map[string][]string) *profile.Profile {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: 1e7,
	}
	locations := map[string]*profile.Location{}
	for name, ns := range samples {
		s := &profile.Sample{Value: []int64{1, ns}}
		for _, fn := range stacks[name] {
			if locations[fn] == nil {
				f := &profile.Function{ID: uint64(len(p.Function) + 1), Name: fn}
				l := &profile.Location{ID: f.ID, Line: []profile.Line{{Function: f}}}
				p.Function, p.Location, locations[fn] = append(p.Function, f), append(p.Location, l), l
			}
			s.Location = append([]*profile.Location{locations[fn]}, s.Location...)
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}

var stacks = map[string][]string{"hash": {"main", "serve", "hash"}, "serve": {"main", "serve"}, "gc": {"gc"}}

func TestAGraphIsWhatOneRequestCost(t *testing.T) {
	g := flame.New()
	require.NoError(t, g.Add(flame.Left, made(map[string]int64{"hash": 3000, "serve": 1000, "gc": 500}, stacks), flame.CPU, 1.0/100))
	require.Equal(t, []flame.Row{
		{Level: 0, Label: "total", Value: [2]float64{45}},
		{Level: 1, Label: "main", Value: [2]float64{40}},
		{Level: 2, Label: "serve", Value: [2]float64{40}, Self: [2]float64{10}},
		{Level: 3, Label: "hash", Value: [2]float64{30}, Self: [2]float64{30}},
		{Level: 1, Label: "gc", Value: [2]float64{5}, Self: [2]float64{5}},
	}, g.Rows(100))
	require.ErrorContains(t, g.Add(flame.Left, made(nil, nil), flame.AllocSpace, 1), "does not count alloc_space")
}

func TestInlinedFunctionsAreShown(t *testing.T) {
	p := made(map[string]int64{"serve": 10}, stacks)
	p.Sample[0].Location[0].Line = append([]profile.Line{{Function: &profile.Function{ID: 9, Name: "inlined"}}}, p.Sample[0].Location[0].Line...)
	g := flame.New()
	require.NoError(t, g.Add(flame.Left, p, flame.CPU, 1))
	rows := g.Rows(100)
	require.Equal(t, "inlined", rows[len(rows)-1].Label)
	require.Equal(t, 3, rows[len(rows)-1].Level)
}

func TestSidesAreLevelled(t *testing.T) {
	g := flame.New()
	require.NoError(t, g.Add(flame.Left, made(map[string]int64{"serve": 1000}, stacks), flame.CPU, .1))
	require.NoError(t, g.Add(flame.Right, made(map[string]int64{"serve": 1000, "hash": 3000}, stacks), flame.CPU, .1))
	g.Level("less", "more")
	require.Equal(t, g.Total(flame.Left), g.Total(flame.Right))
	require.Equal(t, []flame.Row{
		{Level: 0, Label: "total", Value: [2]float64{400, 400}},
		{Level: 1, Label: "main", Value: [2]float64{100, 400}},
		{Level: 2, Label: "serve", Value: [2]float64{100, 400}, Self: [2]float64{100, 100}},
		{Level: 3, Label: "hash", Value: [2]float64{0, 300}, Self: [2]float64{0, 300}},
		{Level: 1, Label: "less", Value: [2]float64{300}, Self: [2]float64{300}},
	}, g.Rows(100))
}

func TestTheSmallestAreLeftOutAndStillCounted(t *testing.T) {
	samples, deep := map[string]int64{}, map[string][]string{}
	for i := range 50 {
		name := fmt.Sprint("f", i)
		samples[name], deep[name] = int64(i+1), []string{"main", name}
	}
	g := flame.New()
	require.NoError(t, g.Add(flame.Left, made(samples, deep), flame.CPU, 1))
	rows := g.Rows(10)
	require.Len(t, rows, 11)
	require.Equal(t, flame.Row{Level: 2, Label: "other", Value: [2]float64{42 * 43 / 2}, Self: [2]float64{42 * 43 / 2}}, rows[10])
}

func TestHeatsAreSummedAndWhatTheyHeldIsAveraged(t *testing.T) {
	heap := func(alloc, inuse int64) *profile.Profile {
		f := &profile.Function{ID: 1, Name: "leak"}
		l := &profile.Location{ID: 1, Line: []profile.Line{{Function: f}}}
		return &profile.Profile{
			SampleType: []*profile.ValueType{{Type: "alloc_space", Unit: "bytes"}, {Type: "inuse_space", Unit: "bytes"}}, PeriodType: &profile.ValueType{Type: "space", Unit: "bytes"},
			Sample: []*profile.Sample{{Value: []int64{alloc, inuse}, Location: []*profile.Location{l}}}, Function: []*profile.Function{f}, Location: []*profile.Location{l},
		}
	}
	grown, err := flame.Since(heap(100, 40), heap(700, 240))
	require.NoError(t, err)
	require.Equal(t, []int64{600, 240}, grown.Sample[0].Value)
	merged, err := flame.Merge(grown, heap(400, 260))
	require.NoError(t, err)
	require.Equal(t, []int64{1000, 250}, merged.Sample[0].Value)
	_, err = flame.Merge(grown, made(map[string]int64{"gc": 1}, stacks))
	require.ErrorContains(t, err, "do not fit together")
}

func TestARealProfileIsReadAgain(t *testing.T) {
	var b bytes.Buffer
	runtime.GC()
	require.NoError(t, pprof.Lookup("heap").WriteTo(&b, 0))
	p, err := flame.Parse(b.Bytes())
	require.NoError(t, err)
	data, err := flame.Encode(p)
	require.NoError(t, err)
	again, err := flame.Parse(data)
	require.NoError(t, err)
	require.Len(t, again.Sample, len(p.Sample))
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	pack := func(data []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write(data)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return b.Bytes()
	}
	for says, data := range map[string][]byte{
		"no profile in the format of pprof": []byte("<html>not here</html>"),
		"it is no profile":                  nil,
		"cannot be unpacked":                {0x1f, 0x8b, 0},
		"larger than 8 MiB":                 make([]byte, flame.MaxBytes+1),
		"unpacks to more than 64 MiB":       pack(make([]byte, 65<<20)),
	} {
		_, err := flame.Parse(data)
		require.ErrorContains(t, err, says)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x1f\x8b"))
	if data, err := flame.Encode(made(map[string]int64{"hash": 1}, stacks)); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		p, err := flame.Parse(data)
		if err != nil {
			return
		}
		for _, t := range p.SampleType {
			g := flame.New()
			if g.Add(flame.Left, p, t.Type, 1) == nil {
				g.Rows(100)
			}
		}
	})
}
