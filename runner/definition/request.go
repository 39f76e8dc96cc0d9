package definition

import (
	"encoding/json"
	"time"
)

// Duration reads a duration as scripts write it: a string with units ("10s", "1m30s") or a number of milliseconds. what names it in errors.
func Duration(raw json.RawMessage, what string) (time.Duration, error) {
	d, err := duration(map[string]json.RawMessage{"": raw}, what, "")
	if err != nil || d == nil {
		return 0, err
	}
	return *d, nil
}
