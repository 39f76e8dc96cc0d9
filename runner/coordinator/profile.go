package coordinator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/pprof/profile"

	"github.com/photofinish/photofinish/pkg/flame"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/profiles"
	"github.com/photofinish/photofinish/runner/pyroscope"
)

// profile runs the heats that are set aside for profiles, once all that counts is measured. What happens in them is in no measure, no verdict and no
// exit code; what goes wrong is a finding.
func (u *run) profile(ctx context.Context) {
	if len(u.Plan.ProfileHeats) == 0 {
		return
	}
	measured := time.Now().UTC()
	u.record.FinishedAt = &measured
	u.status(race.Collecting, "")
	if err := u.save(); err != nil { // the end is saved again, and its error counts
		u.View.Log(err.Error())
	}
	p := u.apart("while profiles were taken")
	p.Plan.Heats = u.Plan.ProfileHeats
	for _, l := range p.lanes {
		l.takes = map[int]profiles.Taken{}
	}
	err := p.profileHeats(ctx, u)
	for _, h := range p.heats {
		if rec := p.heatRecord(h); len(rec.Lanes) > 0 {
			u.record.Profiling.Heats = append(u.record.Profiling.Heats, rec)
		}
	}
	for _, l := range p.lanes {
		if l.spec.Profile.Pprof != "" {
			u.keepProfiles(ctx, l, err)
		}
	}
}

// apart is a run of heats of which the race itself learns nothing, with some of its lanes or all. They write no series, so that no query can take them for
// a part of the race, and none is asked for.
func (u *run) apart(when string, apps ...string) *run {
	p := &run{Race: u.Race, record: u.record, requests: u.requests, fewest: u.fewest}
	p.View, p.RemoteWriteURL, p.Ask = aside{u.View, when}, "", nil
	for _, l := range u.lanes {
		if len(apps) == 0 || slices.Contains(apps, l.spec.App) {
			p.lanes = append(p.lanes, &laneState{spec: l.spec, address: l.address, out: l.out, results: newResults(l.spec.App)})
		}
	}
	return p
}

// aside lets heats that are apart from the race tell what goes wrong, and nothing else.
type aside struct {
	View
	when string
}

func (aside) Status(race.Status, string) {}

func (aside) Progress(race.Snapshot) {}

func (a aside) Log(line string) { a.View.Log(a.when + ": " + line) }

// profileHeats runs the heats; its error says why not all of them were.
func (u *run) profileHeats(ctx context.Context, shown *run) error {
	var apps []string
	for _, l := range u.inRace() {
		if l.spec.Profile.Pprof != "" {
			apps = append(apps, l.spec.App)
		}
	}
	for i, h := range u.Plan.Heats {
		switch {
		case ctx.Err() != nil:
			return errors.New("the race was stopped before")
		case len(u.inRace()) < 2:
			return errors.New("fewer than two apps were left")
		}
		shown.status(race.Collecting, fmt.Sprintf("taking profiles of %s, heat %d of %d", strings.Join(apps, ", "), i+1, len(u.Plan.Heats)))
		if err := u.heat(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// takeProfiles takes the profiles of each lane while it has its load. Measured heats take none.
func (h *heatRun) takeProfiles(ctx context.Context) {
	ctx, h.takers.giveUp = context.WithCancelCause(ctx)
	for _, lane := range h.cfg.Lanes {
		l := h.lane(lane.App)
		if l.takes == nil || l.spec.Profile.Pprof == "" {
			continue
		}
		block := lane.Blocks[0]
		h.takers.pending.Go(func() {
			var taken profiles.Taken
			app, err := profiles.Of(lane.URL, l.spec.Profile.Pprof)
			if err != nil {
				taken.Failures = map[race.ProfileKind]error{race.CPUProfile: err}
			} else if sleep(ctx, time.Until(h.began.Add(block.Start))) {
				taken = app.Take(ctx, block.End-block.Start)
			}
			h.takers.mu.Lock()
			defer h.takers.mu.Unlock()
			l.takes[h.plan.Number] = taken
		})
	}
}

// awaitProfiles waits for the profiles of a heat that is over. Those of one that was cut are given up.
func (h *heatRun) awaitProfiles() {
	if h.takers.giveUp == nil {
		return
	}
	if h.cut {
		h.takers.giveUp(errors.New("the heat was cut short"))
	}
	h.takers.pending.Wait()
	h.takers.giveUp(nil)
}

// takers take the profiles of a heat, one for each lane.
type takers struct {
	pending sync.WaitGroup
	mu      sync.Mutex
	giveUp  context.CancelCauseFunc
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// keepProfiles joins the heats' profiles of a lane, stores and sends them, and says what they cost and which are missing.
func (u *run) keepProfiles(ctx context.Context, p *laneState, stopped error) {
	l := u.lane(p.spec.App)
	seen := audit.Profile{App: p.spec.App}
	for _, kind := range []race.ProfileKind{race.CPUProfile, race.HeapProfile} {
		kept, err := u.keepProfile(ctx, p, kind, &seen)
		if err == nil {
			l.profiles, seen.Taken = append(l.profiles, kept), true
			continue
		}
		if stopped != nil && len(p.takes) == 0 {
			err = stopped
		}
		seen.Missing = append(seen.Missing, fmt.Sprintf("there is no %s profile: %v", kind, err))
	}
	cpu := func(l *laneState) *float64 { return l.results.Totals(race.Lane{}).Joined.CPUMSPerRequest }
	seen.CPU, seen.Measured = cpu(p), cpu(l)
	u.profiled = append(u.profiled, seen)
}

// keepProfile joins the profiles of one kind. Its error says why there is none.
func (u *run) keepProfile(ctx context.Context, p *laneState, kind race.ProfileKind, seen *audit.Profile) (race.Profile, error) {
	kept := race.Profile{Kind: kind}
	var heats []*profile.Profile
	err := errors.New("no heat for profiles was run to its end")
	for _, n := range slices.Sorted(maps.Keys(p.takes)) {
		t, heat := p.takes[n], p.results.Heats[n]
		one := map[race.ProfileKind]*profile.Profile{race.CPUProfile: t.CPU, race.HeapProfile: t.Heap}[kind]
		requests := requestsIn(t.To.Sub(t.From), heat.Totals.Requests, heat.Active)
		switch {
		case one == nil && p.exit != nil:
			err = fmt.Errorf("the app left heat %d, which was run for profiles: %s", n, p.out)
		case one == nil && t.Failures[kind] != nil:
			err = t.Failures[kind]
		case one == nil:
		case requests == 0:
			err = fmt.Errorf("the app got no request in heat %d, which was run for profiles", n)
		default:
			heats = append(heats, one)
			kept.Requests += requests
			kept.Seconds += t.To.Sub(t.From).Seconds()
			if err := u.push(ctx, p.spec, n, t, one); err != nil {
				seen.Missing = append(seen.Missing, fmt.Sprintf("the %s profile of heat %d is kept here, but was not sent on: %v", kind, n, err))
			}
		}
	}
	if len(heats) == 0 {
		return kept, err
	}
	merged, err := flame.Merge(heats...)
	if err != nil {
		return kept, err
	}
	data, err := flame.Encode(merged)
	if err != nil {
		return kept, err
	}
	kept.Bytes = int64(len(data))
	return kept, u.Recorder.SaveProfile(u.ID, p.spec.App, kind, data)
}

// requestsIn is how many of a heat's requests fall into a part of its load.
func requestsIn(part time.Duration, requests int64, active time.Duration) int64 {
	if active <= 0 {
		return 0
	}
	return int64(float64(requests)*min(1, part.Seconds()/active.Seconds()) + .5)
}

// server is the Pyroscope to which a lane's profiles go, "" for none.
func (u *run) server(spec race.LaneSpec) pyroscope.Server {
	switch {
	case spec.Profile.Pyroscope != "":
		return pyroscope.Server(spec.Profile.Pyroscope)
	case spec.Profile.Pprof != "":
		return u.Pyroscope
	}
	return ""
}

// push sends a profile of a heat to the lane's Pyroscope, if it has one.
func (u *run) push(ctx context.Context, spec race.LaneSpec, heat int, t profiles.Taken, p *profile.Profile) error {
	server := u.server(spec)
	if server == "" {
		return nil
	}
	data, err := flame.Encode(p)
	if err != nil {
		return err
	}
	return server.Push(ctx, pyroscope.Profile{App: spec.App, Labels: pyroscope.Labels(u.ID, spec.App, heat), From: t.From, To: t.To, Data: data})
}

// profilesURL is where a Pyroscope shows a lane's profiles, "" where it has none or has got none yet.
func (u *run) profilesURL(spec race.LaneSpec) string {
	server := u.server(spec)
	if server == "" || u.record.StartedAt == nil {
		return ""
	}
	return server.Link(u.ID, spec.App, u.record.StartedAt.Add(-u.Definition.Warmup), time.Now())
}
