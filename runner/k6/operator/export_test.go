package operator

import "time"

// Ignore makes a Launcher wait so long for a k6-operator that is not there.
func (l *Launcher) Ignore(d time.Duration) { l.ignored = d }
