package flame

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/photofinish/photofinish/pkg/race"
)

const (
	// MaxBytes of a profile as it is sent and kept: those of large services are some 100 kB.
	MaxBytes = 8 << 20
	// maxUnpacked bounds what a profile may unpack to; gzip makes a thousandth of what repeats itself.
	maxUnpacked = 64 << 20
)

// The sample types of Go's profiles that flame graphs are made of.
const (
	CPU        = "cpu"         // ns
	AllocSpace = "alloc_space" // bytes
	InuseSpace = "inuse_space" // bytes
)

// Parse reads a profile, packed by gzip or not.
func Parse(data []byte) (*profile.Profile, error) {
	if len(data) > MaxBytes {
		return nil, race.Errorf(race.Invalid, "", "the profile is larger than %d MiB", MaxBytes>>20)
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		var err error
		if data, err = unpack(data); err != nil {
			return nil, err
		}
	}
	p, err := profile.ParseUncompressed(data)
	if err == nil {
		err = p.CheckValid()
	}
	if err != nil {
		return nil, race.Errorf(race.Invalid, "", "it is no profile in the format of pprof: %w", err)
	}
	return p, nil
}

func unpack(data []byte) ([]byte, error) {
	packed, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(packed, maxUnpacked+1))
	}
	switch {
	case err != nil:
		return nil, race.Errorf(race.Invalid, "", "the profile cannot be unpacked: %w", err)
	case len(data) > maxUnpacked:
		return nil, race.Errorf(race.Invalid, "", "the profile unpacks to more than %d MiB", maxUnpacked>>20)
	}
	return data, nil
}

// Encode writes a profile as pprof reads it, packed by gzip.
func Encode(p *profile.Profile) ([]byte, error) {
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		return nil, fmt.Errorf("encode the profile: %w", err)
	}
	if b.Len() > MaxBytes {
		return nil, race.Errorf(race.Invalid, "", "the profile is larger than %d MiB", MaxBytes>>20)
	}
	return b.Bytes(), nil
}

// ofProfiler are Go's own functions that take profiles.
var ofProfiler = regexp.MustCompile(`^(net/http|runtime)/pprof\.`)

// WithoutProfiler leaves out what an app spent to be profiled: without load to speak of that is most of what it allocates.
func WithoutProfiler(p *profile.Profile) *profile.Profile {
	p.FilterSamplesByName(nil, ofProfiler, nil, nil)
	return p.Compact()
}

// Since is what a heap profile allocated after an earlier one of the same process; what is in use is that of the later one.
func Since(before, after *profile.Profile) (*profile.Profile, error) {
	earlier := before.Copy()
	if err := earlier.ScaleN(weights(earlier, -1, 0)); err != nil {
		return nil, fmt.Errorf("take the earlier heap profile off: %w", err)
	}
	return join(after, earlier)
}

// Merge makes one profile of those of several heats: what they counted is summed, what they found in use is their mean.
func Merge(heats ...*profile.Profile) (*profile.Profile, error) {
	if len(heats) == 0 {
		return nil, errors.New("no profile to merge")
	}
	merged, err := join(heats...)
	if err != nil {
		return nil, err
	}
	if err := merged.ScaleN(weights(merged, 1, 1/float64(len(heats)))); err != nil {
		return nil, fmt.Errorf("average the profiles: %w", err)
	}
	return merged, nil
}

func join(profiles ...*profile.Profile) (*profile.Profile, error) {
	p, err := profile.Merge(profiles)
	if err != nil {
		return nil, race.Errorf(race.Invalid, "", "the profiles do not fit together: %w", err)
	}
	return p, nil
}

// weights are counted for what grows and inUse for what is a state.
func weights(p *profile.Profile, counted, inUse float64) []float64 {
	w := make([]float64, len(p.SampleType))
	for i, t := range p.SampleType {
		w[i] = counted
		if strings.HasPrefix(t.Type, "inuse_") {
			w[i] = inUse
		}
	}
	return w
}
