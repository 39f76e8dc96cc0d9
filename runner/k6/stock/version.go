package stock

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// Version is which k6 an image holds.
type Version struct {
	Text  string // "v1.8.0"
	Major int
}

// flags are what k6 of each major version is told beside what all understand. An unknown flag would keep k6 from starting, so a version that is not here is
// refused. --no-summary is gone in v2; --summary-mode is in both, but its mode legacy in v1 only.
var flags = map[int][]string{
	1: {"--summary-mode=compact"},
	2: {"--summary-mode=compact"},
}

// Majors are the major versions whose command line is known.
func Majors() []int { return slices.Sorted(maps.Keys(flags)) }

// Arguments are those of `k6 run` that say how it tells what it does, and what its series are called.
func Arguments(v Version, raceID string, heat int, outputs []string) []string {
	args := append([]string{"--no-color", "--log-output=stderr", "--log-format=json", "--no-usage-report"}, flags[v.Major]...)
	args = append(args, "--tag", "testid="+raceID, "--tag", "heat="+strconv.Itoa(heat))
	for _, out := range outputs {
		args = append(args, "--out", out)
	}
	return args
}

// versionLine is how k6 says it: "k6 v1.8.0 (commit/…, go1.25, linux/amd64)". It calls itself after its file, whatever that is.
var versionLine = regexp.MustCompile(`(?m)^\S+ (v(\d+)\.\d+\.\d+\S*) \(.*go\S+, \w+/\w+\)`)

func parseVersion(said string) (v Version, ok bool) {
	m := versionLine.FindStringSubmatch(said)
	if m == nil {
		return v, false
	}
	major, err := strconv.Atoi(m[2])
	return Version{Text: m[1], Major: major}, err == nil
}

// ReadVersion reads what an image said when it was asked for its version.
func ReadVersion(image, said string) (Version, error) {
	v, ok := parseVersion(said)
	switch {
	case !ok:
		return v, race.Errorf(race.Invalid, NoK6Hint, "the image %s runs no k6: asked for its version it said %s", image, quote(said))
	case flags[v.Major] == nil:
		return v, race.Errorf(race.Invalid, "choose an image of k6 v1 or v2", "the image %s holds k6 %s, whose command line is not known here", image, v.Text)
	}
	return v, nil
}

// NoK6Hint is what to do about an image that runs no k6.
const NoK6Hint = "name an image whose entry point is k6, such as grafana/k6:2.2.0"

// quote is the first line as the end of a sentence.
func quote(said string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	if line == "" {
		return "nothing"
	}
	return strconv.Quote(line[:min(len(line), 200)])
}
