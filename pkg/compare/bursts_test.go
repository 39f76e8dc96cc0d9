package compare

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhatARequestCosts(t *testing.T) {
	tests := []struct {
		name              string
		rate, count, cpu  []float64
		want              []float64
		withoutContainers bool
		turns             bool
	}{
		{
			name: "a steady load divides rates",
			rate: []float64{gap, 40, 50}, count: []float64{0, 40, 50}, cpu: []float64{1, 80, 150}, want: []float64{gap, 2, 3},
		},
		{
			name: "a burst has one cost, with what falls into the idle steps beside it",
			rate: []float64{0, 0, 30, 50, 20, 0, 0}, count: []float64{0, 0, 30, 50, 20, 0, 0}, cpu: []float64{0, 10, 70, 100, 10, 10, 0},
			want: []float64{gap, gap, 2, 2, 2, gap, gap},
		},
		{
			name: "bursts with one idle step between them are one: nobody knows whose CPU that step holds",
			rate: []float64{0, 0, 10, 0, 10, 0, 0, 10, 0}, count: []float64{0, 0, 10, 0, 10, 0, 0, 10, 0}, cpu: []float64{0, 0, 20, 10, 30, 0, 20, 20, 0},
			want: []float64{gap, gap, 3, gap, 3, gap, gap, 4, gap},
		},
		{
			name: "too many for that share the idle step between them",
			rate: slices.Concat([]float64{0, 0}, slices.Repeat([]float64{10, 0}, 11), []float64{0}), count: slices.Concat([]float64{0, 0}, slices.Repeat([]float64{10, 0}, 11), []float64{0}),
			cpu:  slices.Concat([]float64{0, 0}, slices.Repeat([]float64{20, 0}, 9), []float64{20, 10, 20, 0}, []float64{0}),
			want: slices.Concat([]float64{gap, gap}, slices.Repeat([]float64{2.05, gap}, 10), []float64{2.5, gap, gap}),
		},
		{
			name: "a burst that the heat's end cuts short: cAdvisor's last sample came before it",
			rate: []float64{0, 0, 10, 0, 10, gap, gap}, count: []float64{0, 0, 10, 0, 10, 30, gap}, cpu: []float64{0, 0, 20, 0, 10, 40, gap},
			want: []float64{gap, gap, 2, gap, gap, gap, gap},
		},
		{
			name: "a burst with which a heat begins: what was spent before its first request is not known apart",
			rate: []float64{gap, 10, 10, 0}, count: []float64{0, 10, 10, 0}, cpu: []float64{gap, 3, 20, 0}, want: []float64{gap, gap, gap, gap},
		},
		{
			name: "the first idle step of a heat holds what the warm-up spent",
			rate: []float64{gap, 0, 10, 10, 0, 0, 10, 0}, count: []float64{0, 0, 10, 10, 0, 0, 10, 0}, cpu: []float64{gap, 300, 20, 20, 0, 0, 20, 0},
			want: []float64{gap, gap, gap, gap, gap, gap, 2, gap},
		},
		{
			name: "a burst that cAdvisor saw only the end of",
			rate: []float64{0, 0, 10, 10, 0}, count: []float64{0, 0, 10, 10, 0}, cpu: []float64{gap, gap, gap, 20, 0}, want: []float64{gap, gap, gap, gap, gap},
		},
		{
			name: "a stretch of which neither side is known is a burst where lanes take turns", turns: true,
			rate: []float64{gap, 10, 10, gap}, count: []float64{20, 10, 10, 5}, cpu: []float64{100, 0, 40, 60}, want: []float64{gap, gap, gap, gap},
		},
		{
			name: "and a steady load where they do not",
			rate: []float64{gap, 10, 10, gap}, count: []float64{20, 10, 10, 5}, cpu: []float64{100, 10, 40, 60}, want: []float64{gap, 1, 4, gap},
		},
		{
			name: "more than a burst is a steady load",
			rate: []float64{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, count: []float64{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, cpu: []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
			want: []float64{gap, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 5.5},
		},
		{
			name: "no containers",
			rate: []float64{0, 10}, count: []float64{0, 10}, withoutContainers: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seconds := make([]float64, len(tt.cpu))
			for i := range seconds {
				seconds[i] = 1
			}
			got := requests{tt.rate, tt.count, tt.turns}.cost(tt.cpu, seconds)
			if tt.withoutContainers {
				require.Nil(t, got)
				return
			}
			requireColumn(t, tt.want, got)
		})
	}
}

func TestHeatsAreParted(t *testing.T) {
	heat := func(from, to int64) Heat { return Heat{Start: time.UnixMilli(from), End: time.UnixMilli(to)} }
	tests := []struct {
		name     string
		in, want []Heat
	}{
		{"far apart", []Heat{heat(0, 10), heat(20, 30)}, []Heat{heat(0, 10), heat(20, 30)}},
		{"margins that reach into each other", []Heat{heat(0, 20), heat(18, 30), heat(28, 40)}, []Heat{heat(0, 19), heat(19, 29), heat(29, 40)}},
		{"one within the other", []Heat{heat(0, 40), heat(10, 20)}, []Heat{heat(0, 40), heat(10, 20)}},
		{"at the same time", []Heat{heat(0, 40), heat(0, 40)}, []Heat{heat(0, 40), heat(0, 40)}},
	}
	for _, tt := range tests {
		apart(tt.in)
		require.Equal(t, tt.want, tt.in, tt.name)
	}
}
