package kubernetes

// StopBeating is a runner's death in the middle of a race: nobody renews its Lease any more.
func StopBeating(e *Engine, raceID string) { e.stopBeating(raceID) }
