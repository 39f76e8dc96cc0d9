// Package audit judges whether a race was fair: from what was observed of lanes, k6 and machine it makes findings. It is a pure function.
//
// Severity follows one rule. What an app did itself (ran into its quota, failed, died, could not keep up) is at most a warning: it is a result, and
// the other lanes must not lose their verdicts for it. What the measurement did wrong (a late stopwatch, neighbours that fight for CPU, limits in
// force for some lanes only) is unfair where it was bad enough to move a verdict: then nobody is called faster or slower. A note tells what
// a reader should know and needs no action.
//
// A condition that must hold through the race (a busy neighbour, a full k6) makes it unfair only if it was seen in at least half of the heats,
// since the verdict is read from all heats and single bad ones widen its interval by themselves.
package audit
