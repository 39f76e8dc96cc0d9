package stage

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
)

var notInSlugs = regexp.MustCompile(`[^a-z0-9]+`)

// NewID makes a race id of a name and the time: readable, sortable within a name, and unique.
func NewID(name string, now time.Time) (string, error) {
	var tail [2]byte
	if _, err := rand.Read(tail[:]); err != nil {
		return "", fmt.Errorf("make a race id: %w", err)
	}
	slug := strings.Trim(notInSlugs.ReplaceAllString(strings.ToLower(name), "-"), "-")
	stamp := now.UTC().Format("20060102-150405") + "-" + hex.EncodeToString(tail[:])
	if room := 63 - len(stamp); len(slug) > room {
		slug = strings.TrimRight(slug[:room], "-")
	}
	if slug == "" {
		return "race-" + stamp, nil
	}
	return slug + "-" + stamp, nil
}

func randomSeed() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("seed the plan: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}
