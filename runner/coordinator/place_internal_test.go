package coordinator

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

func TestPlaces(t *testing.T) {
	tests := map[string]struct {
		open  bool
		lanes []race.LaneSnapshot
		want  []int
	}{
		"in an open model the lower p95 leads": {
			true, []race.LaneSnapshot{{Requests: 100, P95MS: 9}, {Requests: 99, P95MS: 3}}, []int{2, 1},
		},
		"a lane without an answer in this heat has no place yet": {
			true, []race.LaneSnapshot{{Requests: 100}, {Requests: 99, P95MS: 3}}, []int{0, 1},
		},
		"in a closed model the most requests lead": {
			false, []race.LaneSnapshot{{Requests: 99, P95MS: 3}, {Requests: 100, P95MS: 9}}, []int{2, 1},
		},
		"a lane that is out has no place": {
			false, []race.LaneSnapshot{{Requests: 500, Out: "memory, 12 s"}, {Requests: 100}}, []int{0, 1},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			place(test.lanes, test.open)
			for i, l := range test.lanes {
				require.Equal(t, test.want[i], l.Place, "lane %d", i)
			}
		})
	}
}
