package cmd

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"regexp"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/machine"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/store"
)

// stage is everything that one race of the command line needs, set up and ready to start.
type stage struct {
	console console
	flags   raceFlags
	race    coordinator.Race
	folder  store.Folder
	watched watched
	metrics *metrics
	note    func() error   // notes the race, so that the next runner finds what this one leaves if it is killed
	ends    []func() error // what has to be undone, last first
}

// prepare reads the script, plans the race and starts what it needs; the apps and k6 are the coordinator's.
func prepare(ctx context.Context, c console, script string, f raceFlags) (s *stage, err error) {
	s = &stage{console: c, flags: f}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	work, err := os.MkdirTemp("", "photofinish-")
	if err != nil {
		return s, race.Errorf(race.Unavailable, "", "cannot make a working folder: %w", err)
	}
	s.later(func() error { return os.RemoveAll(work) })
	self, err := os.Executable()
	if err != nil {
		return s, race.Errorf(race.Unavailable, "", "cannot find this program, which carries k6: %w", err)
	}
	s.race.K6 = k6.K6{Argv: []string{self, "k6"}, WorkDir: work}
	groups := cgroup.New()
	if err := s.define(ctx, script, groups.Support()); err != nil {
		return s, err
	}
	s.pin()
	if err := s.settle(ctx, groups); err != nil {
		return s, err
	}
	return s, s.measure(ctx)
}

// later remembers what has to be undone.
func (s *stage) later(end func() error) { s.ends = append(s.ends, end) }

func (s *stage) close() {
	for i := len(s.ends) - 1; i >= 0; i-- {
		if err := s.ends[i](); err != nil {
			s.console.say("photofinish: clean-up: %v", err)
		}
	}
	s.ends = nil
}

// define reads the script and plans the race.
func (s *stage) define(ctx context.Context, script string, groups cgroup.Support) error {
	seen, err := s.race.K6.Inspect(ctx, script, nil)
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	d, err := definition.Parse(definition.Script{
		Options: seen.Options, Exports: seen.Exports, HasDefault: seen.HasDefault, LaneOrder: seen.LaneOrder,
	}, script, s.flags.overrides)
	if err != nil {
		return err
	}
	s.race.Definition, s.race.PerLane = d, seen.ReadsURLAtInit()
	s.race.ID, err = newID(d.Name, time.Now())
	if err != nil {
		return err
	}
	s.race.RequestedBy = login()
	s.race.Machine = machine.Facts(ctx, groups.Version)
	s.race.Versions = versions()
	seed, err := randomSeed()
	if err != nil {
		return err
	}
	s.race.Plan, err = plan.Make(d, s.race.Machine.CPUs, seed)
	return err
}

// newID makes a race id of a name and the time: readable, sortable within a name, and unique.
func newID(name string, now time.Time) (string, error) {
	var tail [2]byte
	if _, err := rand.Read(tail[:]); err != nil {
		return "", fmt.Errorf("make a race id: %w", err)
	}
	slug := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-"), "-")
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

// login is who asked for the race; "" where the system does not tell.
func login() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
