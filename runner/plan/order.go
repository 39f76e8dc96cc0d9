package plan

import (
	"math/rand/v2"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

const (
	// shortBlock: a machine's speed changes within seconds, and what happens to it has to happen to every lane. With blocks of 2 s the medians of two
	// identical apps beside a third differed from heat to heat by 5-7%, with blocks of 200 ms by 2-3%, with blocks of 50 ms by 1.4%, where sampling alone
	// makes 1.2% (docs/fairness.md).
	shortBlock = 50 * time.Millisecond
	// longBlock is for closed models, whose VUs all begin at once with each block.
	longBlock = 2 * time.Second
	// mostBlocks bounds those of all lanes together in a heat, which has longer ones instead: a stock k6 gets them as stages, in pods out of a ConfigMap,
	// which holds 1 MiB with the script.
	mostBlocks = 800
	// iterationsInBlock: most iterations have to end within their lane's turn.
	iterationsInBlock = 4
	// shortGap and longGap bound the pause between the blocks of two lanes, in which the first one's requests end: they must not disturb the next.
	shortGap, longGap = 10 * time.Millisecond, 100 * time.Millisecond
	// longestTail bounds what a lane spends after a block and is still charged for.
	longestTail = time.Second
	// From this duration on every lane gets at least two blocks, so that no lane is always the early one.
	twoBlocksFrom = 1 * time.Second
)

// Rhythm is how a heat in turns is cut.
type Rhythm struct {
	// Block is about how long a lane has its turn, and Gap the pause before the next one's.
	Block, Gap time.Duration
	// Tail is how long after its block a lane is still charged for what it spends: its last answers are on their way.
	Tail time.Duration
}

// rhythmOf chooses it by the load, by how many lanes there are and how long a heat is, and by how long an iteration takes, 0 where that is not known.
func rhythmOf(open bool, lanes int, duration, iteration time.Duration) Rhythm {
	r := Rhythm{
		Block: between(max(iterationsInBlock*iteration, time.Duration(lanes)*duration/mostBlocks), shortBlock, longBlock),
		Gap:   between(iteration, shortGap, longGap), Tail: between(2*iteration, longGap, longestTail),
	}
	if !open {
		r.Block, r.Gap = longBlock, longGap
	}
	return r
}

func between(d, low, high time.Duration) time.Duration { return min(max(d, low), high) }

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
func (r Rhythm) turns(lanes []string, duration time.Duration, rng *rand.Rand) (map[string][]stream.Block, time.Duration) {
	return r.inRounds(lanes, duration, r.rounds(duration), rng)
}

// inRounds cuts the duration into so many rounds; in each, the lanes have one block each in a random order.
func (r Rhythm) inRounds(lanes []string, duration time.Duration, rounds int, rng *rand.Rand) (map[string][]stream.Block, time.Duration) {
	n := time.Duration(rounds)
	blocks := make(map[string][]stream.Block, len(lanes))
	var at time.Duration
	for round := range n {
		length := duration*(round+1)/n - duration*round/n // remainders of the division are spread, the sum is exact
		for _, i := range rng.Perm(len(lanes)) {
			blocks[lanes[i]] = append(blocks[lanes[i]], stream.Block{Start: at, End: at + length})
			at += length + r.Gap
		}
	}
	return blocks, at - r.Gap
}

func (r Rhythm) rounds(duration time.Duration) int {
	n := int(duration.Round(r.Block) / r.Block)
	if duration >= twoBlocksFrom {
		return max(n, 2)
	}
	return max(n, 1)
}
