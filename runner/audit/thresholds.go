package audit

import (
	"time"

	"github.com/photofinish/photofinish/pkg/verdict"
)

// Every threshold, with its reason.
const (
	// unfairHeats is the share of heats in which a lasting condition must have been seen to make the race unfair; see the package comment.
	unfairHeats = 0.5

	// A quota that stops a lane in one period of a hundred touches its p99; in one of ten, its p95 and all that is said about latency.
	throttledNote    = 0.01
	throttledWarning = 0.10

	// One lost arrival in a thousand is the error margin of the verdict; fewer are told as a note.
	droppedWarning = verdict.ErrorMargin

	// A message that is worked on twice weighs as one that is lost: fewer are told as a note.
	redeliveredWarning = verdict.ErrorMargin
	// One message in a hundred that the queue itself lost moves a p99, and none of it is the worker's doing.
	queueErrorsUnfair = 0.01

	// A start later than a tenth of the answer's own time means that the load was not the planned one (the design's figure).
	startLagShare = 0.10
	// Go's timers and a scheduler on a shared core wake a goroutine up to about 2 ms late: less says nothing about k6.
	startLagFloorMS = 2.0
	// Later than the compared median and than any scheduling hiccup, requests come in bunches: the lanes did not get their load.
	startLagUnfairMS = 20.0

	// Beyond 80% of its CPUs k6 answers its own sockets late in bursts (k6's documentation asks for 20% idle); at 95% it is the one that is measured.
	k6Warning = 0.80
	k6Unfair  = 0.95

	// A light neighbour on a shared machine of 2 CPUs left the p95 as it was, one that used 0.6 core doubled it or worse. There is no sharp
	// edge; with three quarters of all CPUs in use, a request finds each of two CPUs busy more often than not (0.75² = 0.56).
	contentionUnfair = 0.75

	// Others' load is paired away by turns as long as it is small; a tenth of the machine is what a busy desktop or a build makes.
	otherWarning = 0.10
	otherUnfair  = 0.40
	// Stolen time stops all processes at once, unseen by their own clocks: it is worth half as much.
	stealWarning = 0.05
	stealUnfair  = 0.20

	// Clock discipline slews at most 0.5 ms a second (5 ms a heat): 50 ms is a step, and samples in Prometheus are off by it.
	clockJump = 50 * time.Millisecond

	// The estimate is of one address, or of those that thresholds name: a script of eight makes twice as many, which is as it should be.
	seriesFactor = 2
	// Nobody writes a script of fifty addresses by hand, nor one that makes ten times as many series as one address does: an address, or
	// another tag, has a part that changes with each request.
	manyNames = 50
	manyTimes = 10
)
