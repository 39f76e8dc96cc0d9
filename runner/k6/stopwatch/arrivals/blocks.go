package arrivals

import (
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// Place finds when a lane has been active for a time: the offset from the start of the race, given the blocks in which the lane is
// given load. ok is false when the lane is never active for so long. Active time makes turns and together give the same load.
func Place(blocks []stream.Block, active time.Duration) (offset time.Duration, ok bool) {
	for _, b := range blocks {
		length := b.End - b.Start
		if active < length {
			return b.Start + active, true
		}
		active -= length
	}
	return 0, false
}

// Wait says how long a lane has to wait for its load at an offset from the start of the race: 0 inside a block.
// ok is false after the last block.
func Wait(blocks []stream.Block, offset time.Duration) (wait time.Duration, ok bool) {
	for _, b := range blocks {
		if offset < b.End {
			return max(0, b.Start-offset), true
		}
	}
	return 0, false
}
