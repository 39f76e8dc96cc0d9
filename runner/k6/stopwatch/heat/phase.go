// Package heat is one heat as the k6 process lives it: its lanes, its clock (warm-up until the runner says when the race begins),
// the counts that only the executor and the script's wrapper know, and the wire to the runner.
package heat

// Phase is a part of the heat; its String is the value of the tag and label `phase`.
type Phase int

// The phases that are measured, and the one after the last block, in which nothing is.
const (
	Warmup Phase = iota
	Race
	Done
)

// Measured lists the phases whose requests are counted; they index arrays of that length.
const Measured = int(Done)

// Tag is the name of the k6 tag that holds the phase.
const Tag = "phase"

// AppTag is the name of the k6 tag that holds the app.
const AppTag = "app"

func (p Phase) String() string {
	switch p {
	case Warmup:
		return "warmup"
	case Race:
		return "race"
	case Done:
		return "done"
	}
	return "unknown"
}
