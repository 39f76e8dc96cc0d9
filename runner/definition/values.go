package definition

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/photofinish/photofinish/pkg/race"
	"go.k6.io/k6/lib/types"
)

// cpusetPattern is the kernel's list format: "0", "0-3", "0-1,3". Linux has no CPU of five digits, and each of a range is held in memory.
var cpusetPattern = regexp.MustCompile(`^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$`)

func invalid(where, format string, args ...any) error {
	return race.Errorf(race.Invalid, "", "%s: %s", where, fmt.Sprintf(format, args...)).At(fieldOf(where))
}

// fieldOf is the key of a request for a place in a script: a request says of lanes, heats and the like what a script says in its ext.
func fieldOf(where string) string {
	return strings.TrimPrefix(strings.TrimPrefix(where, "options.ext.photofinish"), ".")
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null"
}

// fields takes a JSON object apart; null and nothing are an empty one.
func fields(where string, raw json.RawMessage) (map[string]json.RawMessage, error) {
	m := map[string]json.RawMessage{}
	if isNull(raw) {
		return m, nil
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, invalid(where, "must be an object, not %s", short(raw))
	}
	return m, nil
}

// object is the object under a key, nil if there is none.
func object(parent map[string]json.RawMessage, where, key string) (map[string]json.RawMessage, error) {
	if isNull(parent[key]) {
		return nil, nil
	}
	return fields(where+"."+key, parent[key])
}

// onlyKeys rejects what is misspelt.
func onlyKeys(where string, m map[string]json.RawMessage, known ...string) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(known, key) {
			hint := didYouMean(key, known)
			if hint == "" {
				hint = "known keys: " + strings.Join(known, ", ")
			}
			return race.Errorf(race.Invalid, hint, "%s: unknown key %q", where, key).At(fieldOf(where))
		}
	}
	return nil
}

// value decodes what is under a key into T and reports whether there was anything.
func value[T any](m map[string]json.RawMessage, where, key, kind string) (T, bool, error) {
	var v T
	if isNull(m[key]) {
		return v, false, nil
	}
	if err := json.Unmarshal(m[key], &v); err != nil {
		return v, false, invalid(where+"."+key, "must be %s, not %s", kind, short(m[key]))
	}
	return v, true, nil
}

func text(m map[string]json.RawMessage, where, key string) (string, error) {
	s, given, err := value[string](m, where, key, "a string")
	if err == nil && given && strings.TrimSpace(s) == "" {
		err = invalid(where+"."+key, "must not be empty")
	}
	return s, err
}

func integer(m map[string]json.RawMessage, where, key string) (*int64, error) {
	f, given, err := value[float64](m, where, key, "a whole number")
	if err != nil || !given {
		return nil, err
	}
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return nil, invalid(where+"."+key, "must be a whole number, not %s", short(m[key]))
	}
	n := int64(f)
	return &n, nil
}

// duration reads k6's durations: a string with units ("10s", "1m30s", "1d") or a number of milliseconds. A string without a unit is none, though k6 takes
// it for milliseconds: who writes "5" means seconds as likely.
func duration(m map[string]json.RawMessage, where, key string) (*time.Duration, error) {
	if isNull(m[key]) {
		return nil, nil
	}
	if key != "" {
		where += "." + key
	}
	var v any
	if err := json.Unmarshal(m[key], &v); err != nil {
		return nil, invalid(where, "is not readable: %v", err)
	}
	if f, isNumber := v.(float64); isNumber && math.Abs(f) > float64(MaxDuration/time.Millisecond) {
		return nil, invalid(where, "is %v ms; at most %v is possible", f, MaxDuration)
	}
	if s, isText := v.(string); isText {
		if n, err := strconv.ParseFloat(s, 64); err == nil && n != 0 {
			return nil, race.Errorf(race.Invalid, "write it like '10s' or '500ms', or as a number of milliseconds without quotes", "%s: %s has no unit", where, short(m[key])).At(fieldOf(where))
		}
	}
	d, err := types.GetDurationValue(v)
	if err != nil {
		return nil, invalid(where, "must be a duration like '10s' or a number of milliseconds, not %s", short(m[key]))
	}
	if d < 0 || d > MaxDuration {
		return nil, invalid(where, "is %v; it must be 0 to %v", d, MaxDuration)
	}
	return &d, nil
}

// memory reads bytes: a number, or a string with a unit of 1024 ("128m", "1g") as Docker takes it.
func memory(m map[string]json.RawMessage, where, key string) (*int64, error) {
	if isNull(m[key]) {
		return nil, nil
	}
	var size int64
	if s, err := strconv.Unquote(string(m[key])); err == nil {
		if size, err = units.RAMInBytes(s); err != nil {
			return nil, invalid(where+"."+key, "must be like '128m', '1g' or a number of bytes, not %s", short(m[key]))
		}
	} else {
		n, err := integer(m, where, key)
		if err != nil {
			return nil, invalid(where+"."+key, "must be like '128m', '1g' or a number of bytes, not %s", short(m[key]))
		}
		size = *n
	}
	if size < leastMemory {
		return nil, invalid(where+"."+key, "is %d bytes; no process lives in less than %d", size, int64(leastMemory))
	}
	return &size, nil
}

// leastMemory is what Docker also asks for at least.
const leastMemory = 6 << 20

func oneOf[T ~string](what string, got T, known ...T) (T, error) {
	if slices.Contains(known, got) {
		return got, nil
	}
	var names []string
	for _, k := range known {
		names = append(names, string(k))
	}
	return got, race.Errorf(race.Invalid, didYouMean(string(got), names), "%s %q is unknown; choose %s", what, got, strings.Join(names, ", ")).At(what)
}

// short quotes a bad value without flooding the terminal.
func short(raw json.RawMessage) string {
	const most = 40
	s := []rune(string(raw))
	if len(s) > most {
		return string(s[:most]) + "…"
	}
	return string(s)
}
