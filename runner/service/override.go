package service

import (
	"context"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

// Override lets the verdicts of an unfair race stand, for the reason in the body: {"reason": "…"}. Who does it must be known.
func (s *Service) Override(ctx context.Context, who Who, id string, body []byte) (sqlite.Kept, error) {
	var asked struct {
		Reason string `json:"reason"`
	}
	if err := read(body, &asked, "reason"); err != nil {
		return sqlite.Kept{}, err
	}
	if who.User == "" {
		return sqlite.Kept{}, race.Errorf(race.Invalid, "send X-Photofinish-User with the runner's token; a runner without a token believes no name: there use photofinish races override",
			"an override is recorded with who did it, and nobody is named")
	}
	if err := s.DB.Override(ctx, id, who.User, asked.Reason, time.Now()); err != nil {
		return sqlite.Kept{}, err
	}
	s.Log.InfoContext(ctx, "the audit was overridden", "race", id, "user", who.User, "org", who.Org, "reason", asked.Reason)
	return s.DB.Get(ctx, id)
}
