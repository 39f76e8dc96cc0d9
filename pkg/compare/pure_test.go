package compare

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
)

var gap = math.NaN()

// second is a grid of 1 s steps that ends at 1 s, 2 s …
func second(n int) grid { return grid{start: 1000, step: 1000, n: n} }

func requireColumn(t *testing.T, want, got []float64) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if math.IsNaN(want[i]) {
			require.True(t, math.IsNaN(got[i]), "want a gap at %d in %v", i, got)
		} else {
			require.InDelta(t, want[i], got[i], 1e-9, "at %d in %v", i, got)
		}
	}
}

func TestGridsCoverAStretchWithWholeSteps(t *testing.T) {
	at := time.UnixMilli
	tests := []struct {
		name     string
		from, to int64
		step     time.Duration
		aligned  bool
		want     grid
	}{
		{"whole seconds", 5000, 8000, time.Second, true, grid{6000, 1000, 3}},
		{"an end within a step", 5000, 8001, time.Second, true, grid{6000, 1000, 4}},
		{"a start within a step", 5500, 8000, time.Second, true, grid{6000, 1000, 3}},
		{"a start within a step, not aligned", 5500, 8000, time.Second, false, grid{6500, 1000, 3}},
		{"shorter than a step", 5000, 5100, 10 * time.Second, true, grid{10000, 10000, 1}},
		{"nothing", 5000, 5000, time.Second, true, grid{6000, 1000, 0}},
		{"an end before the start", 5000, 1000, time.Second, true, grid{6000, 1000, 0}},
		{"elapsed time", 0, 3000, time.Second, false, grid{1000, 1000, 3}},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, gridOver(at(tt.from), at(tt.to), tt.step, tt.aligned), tt.name)
	}
}

func TestPointsBesideTheGridAreLeftOut(t *testing.T) {
	g := second(3)
	requireColumn(t, []float64{1, gap, gap}, g.column([]promql.Point{{At: 0, Value: 9}, {At: 1000, Value: 1}, {At: 2500, Value: 9}, {At: 3000, Value: math.Inf(-1)}, {At: 4000, Value: 9}}))
}

func TestK6CountersStartAtZeroAndNeverCountTwice(t *testing.T) {
	window := span{0, 100_000}
	tests := []struct {
		name         string
		seen, values []float64
		whole        bool
		want         []float64
	}{
		{"the first value is the first increment", []float64{900, 1900, 2900}, []float64{5, 7, 10}, true, []float64{5, 2, 3}},
		{"a view that begins within the race does not know the first", []float64{900, 1900, 2900}, []float64{5, 7, 10}, false, []float64{gap, 2, 3}},
		{"a series that comes later counts from zero", []float64{900, 1900, 2900}, []float64{gap, gap, 4}, true, []float64{0, 0, 4}},
		{"a step without a sample is a gap, and the next takes all", []float64{900, 900, 2900}, []float64{5, 5, 10}, true, []float64{5, gap, 5}},
		{"a series lost from sight and back again", []float64{900, 1900, 2900, 3900}, []float64{100, 40, 101, 102}, true, []float64{100, 0, 1, 1}},
		{"samples from before the race do not count", []float64{-5000, 1900, 2900}, []float64{100, 7, 10}, true, []float64{gap, 7, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			track := track{grid: second(len(tt.seen)), seen: tt.seen}
			requireColumn(t, tt.want, track.counted(tt.values, window, tt.whole))
		})
	}
}

func TestContainerCountersGrowBetweenSamplesAndSurviveRestarts(t *testing.T) {
	tests := []struct {
		name         string
		seen, values []float64
		window       span
		want, spans  []float64
	}{
		{"what was before the first sample is unknown", []float64{900, 1950, 2900}, []float64{50, 52, 53}, span{0, 9000}, []float64{gap, 2, 1}, []float64{gap, 1.05, 0.95}},
		{"a reset starts at zero", []float64{900, 1900, 2900}, []float64{50, 2, 3}, span{0, 9000}, []float64{gap, 2, 1}, []float64{gap, 1, 1}},
		{"a gap is bridged by one rate over its whole span", []float64{900, 900, 900, 3900}, []float64{50, 50, 50, 56}, span{0, 9000}, []float64{gap, gap, gap, 6}, []float64{gap, gap, gap, 3}},
		{"what is beside the window does not belong to it", []float64{900, 1900, 2900, 3900}, []float64{50, 52, 54, 56}, span{1000, 3000}, []float64{gap, gap, 2, gap}, []float64{gap, gap, 1, 1}},
		{"a sample time that comes twice is one sample", []float64{900, 1000, 1000}, []float64{50, 52, 52}, span{0, 9000}, []float64{gap, gap, gap}, []float64{gap, gap, gap}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			track := track{grid: second(len(tt.seen)), seen: tt.seen}
			requireColumn(t, tt.want, track.grown(tt.values, tt.window))
			requireColumn(t, tt.spans, track.spans(tt.window))
		})
	}
}

func TestColumnsAddUpAndDivideAroundGaps(t *testing.T) {
	requireColumn(t, []float64{1, 2, 5, gap}, add([]float64{1, gap, 2, gap}, []float64{gap, 2, 3, gap}))
	requireColumn(t, []float64{1}, add(nil, []float64{1}))
	requireColumn(t, []float64{2, gap, gap, gap}, over([]float64{4, 4, gap, 4}, []float64{2, 0, 2, gap}))
	require.Nil(t, over(nil, []float64{1}), "what does not exist stays so")
	requireColumn(t, []float64{0.5, 0, gap}, share([]float64{1, 0, gap}, []float64{2, 0, gap}))
}

func TestSlopesLookBackOnTheSameHeatOnly(t *testing.T) {
	column := gaps(50)
	for i := 10; i < 40; i++ {
		column[i] = 1000 + 7*float64(i)
	}
	got := slopes(column, second(50))
	for i, v := range got {
		if i < 14 || i >= 40 {
			require.True(t, math.IsNaN(v), "at %d", i)
		} else {
			require.InDelta(t, 7, v, 1e-9)
		}
	}
}

func TestTheilSen(t *testing.T) {
	line := func(n int, f func(i int) float64) (x, y []float64) {
		for i := range n {
			x, y = append(x, float64(i)), append(y, f(i))
		}
		return x, y
	}
	outliers := func(i int) float64 {
		if i%5 == 0 {
			return 1e6
		}
		return 3 * float64(i)
	}
	tests := []struct {
		name string
		n    int
		f    func(int) float64
		want float64
	}{
		{"a line", 10, func(i int) float64 { return 2.5*float64(i) - 4 }, 2.5},
		{"a line with a fifth of outliers", 50, outliers, 3},
		{"a flat line", 9, func(int) float64 { return 8 }, 0},
		{"one point", 1, func(int) float64 { return 8 }, 0},
		{"no point", 0, nil, 0},
		{"an even number of slopes", 4, func(i int) float64 { return float64(i * i) }, 3},
		{"more points than are looked at", 5000, func(i int) float64 { return -0.25 * float64(i) }, -0.25},
	}
	for _, tt := range tests {
		x, y := line(tt.n, tt.f)
		require.InDelta(t, tt.want, TheilSen(x, y), 1e-9, tt.name)
	}
	require.Zero(t, TheilSen([]float64{1, 1}, []float64{2, 3}), "the same moment twice has no slope")
}

func TestSpansMergeUnlessThereWasSilence(t *testing.T) {
	require.Equal(t, []span{{0, 30}, {90, 100}}, merge([]span{{20, 30}, {90, 100}, {0, 10}, {5, 12}}, 60))
	require.Equal(t, []span{{0, 100}}, merge([]span{{0, 30}, {89, 100}}, 60))
	require.Empty(t, merge(nil, 60))
}

func TestWhatLiesOutsideOfASpan(t *testing.T) {
	all := []span{{0, 30}, {90, 100}}
	require.Equal(t, all, without(all, span{}))
	require.Equal(t, []span{{0, 20}, {95, 100}}, without(all, span{20, 95}))
	require.Equal(t, []span{{0, 10}, {20, 30}, {90, 100}}, without(all, span{10, 20}))
	require.Empty(t, without(all, span{0, 100}))
	require.EqualValues(t, 40, total(all))
	require.Equal(t, []span{{0, 10}, {10, 20}, {20, 25}}, chunks([]span{{0, 25}}, 10))
}

func TestThePeriodOfASourceIsItsBusiestSeriesMedianGap(t *testing.T) {
	every := func(ms ...int64) promql.Series {
		var s promql.Series
		for _, at := range ms {
			s.Points = append(s.Points, promql.Point{At: at})
		}
		return s
	}
	tests := []struct {
		name string
		in   []promql.Series
		want time.Duration
	}{
		{"nothing", nil, 0},
		{"one sample says nothing", []promql.Series{every(5)}, 0},
		{"a second, with a little jitter", []promql.Series{every(0, 1004, 1998, 3050)}, time.Second},
		{"a pause between heats", []promql.Series{every(0, 1000, 2000, 30000, 31000)}, time.Second},
		{"a rare series beside a busy one", []promql.Series{every(0, 9000), every(0, 5000, 10000)}, 5 * time.Second},
		{"more than a second", []promql.Series{every(0, 1300, 2600)}, 2 * time.Second},
		{"faster than a second", []promql.Series{every(0, 200, 400)}, time.Second},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, period(tt.in), tt.name)
	}
}

func TestOnlyCountedRequestsTellThatNobodyKnowsWhichFailed(t *testing.T) {
	said := func(columns map[string][]float64) []string {
		a := &asker{}
		p := racePlan{race: RaceInfo{ID: "r"}, samples: &samples{clients: map[lane]*clientRow{{"a", ""}: {columns: columns}}}}
		p.explainStock(a, needs{counters: true})
		return a.notices
	}
	require.Empty(t, said(nil), "a lane whose samples were seen, but none within the time that is shown")
	require.Empty(t, said(map[string][]float64{colRequests: {1}, colFailed: {0}}))
	require.Len(t, said(map[string][]float64{colRequests: {1}}), 1)
}

func TestAHeatThatGoesOnInSeveralPartsIsOne(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	part := func(id string, heats ...Heat) RaceInfo {
		return RaceInfo{ID: id, TestID: "r", Start: heats[0].Start, End: heats[len(heats)-1].End, Heats: heats, Apps: []string{"a"}}
	}
	parts := []RaceInfo{part("r", Heat{"1", at(10), at(20)}, Heat{"2", at(20), at(30)}), part("r@100", Heat{"2", at(100), at(110)}, Heat{"3", at(110), at(120)})}
	whole, ok := oneOf(parts, at(0))
	require.True(t, ok)
	require.Equal(t, RaceInfo{
		ID: "r", TestID: "r", Start: at(10), End: at(120), Apps: []string{"a"}, Heats: []Heat{{"1", at(10), at(20)}, {"2", at(20), at(110)}, {"3", at(110), at(120)}},
	}, whole)
	require.Equal(t, at(30), parts[0].Heats[1].End, "the parts stay as they were")
	_, ok = oneOf(parts, at(120))
	require.False(t, ok)
}
