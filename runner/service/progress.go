package service

import (
	"encoding/json"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/events"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

// Progress is how far a race that has not ended is, for those who ask now and then instead of reading its events.
type Progress struct {
	Detail      string  `json:"detail"` // what is being done
	Heat        int     `json:"heat"`   // 0 before the first
	Heats       int     `json:"heats"`
	ElapsedMS   float64 `json:"elapsed_ms"`
	RemainingMS float64 `json:"remaining_ms"` // estimated, without the wait for its turn
}

// Progress tells how far a race is, nil once it has ended.
func (s *Service) Progress(k sqlite.Kept) (*Progress, error) {
	if k.Status.Ended() {
		return nil, nil //nolint:nilnil // the API says null of it
	}
	p := &Progress{}
	s.mu.Lock()
	stream := s.streams[k.ID]
	s.mu.Unlock()
	if stream != nil {
		var told StatusEvent
		if _, err := stream.Last(events.Status, &told); err != nil {
			return nil, err
		}
		p.Detail = told.Detail
		var seen race.Progress
		if known, err := stream.Last(events.Progress, &seen); err != nil {
			return nil, err
		} else if known {
			since := ms(time.Since(seen.At))
			p.Heat, p.Heats, p.ElapsedMS, p.RemainingMS = seen.Heat, seen.Heats, seen.ElapsedMS+since, max(0, seen.RemainingMS-since)
			return p, nil
		}
	}
	var r race.Race
	if err := json.Unmarshal(k.Record, &r); err != nil {
		return nil, err
	}
	p.Heats = r.PlannedHeats
	if r.StartedAt != nil {
		p.ElapsedMS = ms(time.Since(*r.StartedAt))
	}
	p.RemainingMS = max(0, ms(plan.EstimateOf(r))-p.ElapsedMS)
	return p, nil
}
