package plan

import (
	"math/rand/v2"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

const (
	// blockLength: short, so that what happens to the machine for some seconds happens to every lane; long enough for hundreds of requests.
	blockLength = 2 * time.Second
	// Gap between the blocks of two lanes, in which the first one's requests end: they must not disturb the next.
	Gap = 100 * time.Millisecond
	// From this duration on every lane gets at least two blocks, so that no lane is always the early one.
	twoBlocksFrom = 1 * time.Second
)

// order is the heat's start order: row n of a Williams square. Within as many heats as lanes, each lane is at each place equally
// often, and (for an even number of lanes, or twice as many heats) also follows each other lane equally often.
func order(lanes []string, heat int) []string {
	n := len(lanes)
	out := make([]string, n)
	for i := range out {
		step := (i + 1) / 2 // 0, 1, n-1, 2, n-2 …
		if i%2 == 0 {
			step = n - step
		}
		at := i
		if n%2 == 1 && heat/n%2 == 1 {
			at = n - 1 - i // an odd number of lanes needs the mirrored square too
		}
		out[at] = lanes[(step+heat)%n]
	}
	return out
}

// together gives all lanes one block.
func together(lanes []string, duration time.Duration) (map[string][]stream.Block, time.Duration) {
	blocks := make(map[string][]stream.Block, len(lanes))
	for _, app := range lanes {
		blocks[app] = []stream.Block{{Start: 0, End: duration}}
	}
	return blocks, duration
}

// turns cuts the duration into rounds of short blocks.
func turns(lanes []string, duration time.Duration, rng *rand.Rand) (map[string][]stream.Block, time.Duration) {
	return inRounds(lanes, duration, rounds(duration), rng)
}

// inRounds cuts the duration into so many rounds; in each, the lanes have one block each in a random order.
func inRounds(lanes []string, duration time.Duration, rounds int, rng *rand.Rand) (map[string][]stream.Block, time.Duration) {
	n := time.Duration(rounds)
	blocks := make(map[string][]stream.Block, len(lanes))
	var at time.Duration
	for round := range n {
		length := duration*(round+1)/n - duration*round/n // remainders of the division are spread, the sum is exact
		for _, i := range rng.Perm(len(lanes)) {
			blocks[lanes[i]] = append(blocks[lanes[i]], stream.Block{Start: at, End: at + length})
			at += length + Gap
		}
	}
	return blocks, at - Gap
}

func rounds(duration time.Duration) int {
	n := int(duration.Round(blockLength) / blockLength)
	if duration >= twoBlocksFrom {
		return max(n, 2)
	}
	return 1
}
