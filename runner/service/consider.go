package service

import (
	"context"
	"path/filepath"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/scripts"
)

// considered is what a request comes to.
type considered struct {
	script     scripts.Script
	definition race.Definition
	chosen     []definition.Choice
	engine     string
	plan       plan.Plan
}

// check considers a request and holds it against what is allowed and what is there.
func (s *Service) check(ctx context.Context, r Request) (considered, error) {
	script, err := s.Scripts.Get(r.Script)
	if err != nil { // in a request it is not the address that is wrong
		return considered{}, race.Errorf(race.Invalid, race.HintOf(err), "%w", err).At("script")
	}
	c, err := s.consider(ctx, r, script, s.allows)
	if err != nil {
		return c, err
	}
	return c, s.Engines.Check(c.engine, filepath.Dir(script.Path), c.definition.Lanes)
}

// consider makes of a request what the runner would do, if allowed says nothing against it.
func (s *Service) consider(ctx context.Context, r Request, script scripts.Script, allowed func(race.Definition, []definition.Choice) error) (c considered, err error) {
	c.script = script
	if c.definition, c.chosen, err = s.parse(ctx, r, script); err != nil {
		return c, err
	}
	if kind, err := s.Engines.Choose(r.engine(), c.definition.Lanes); err == nil { // else it is told below
		kind.Place(c.definition.Lanes)
	}
	if err := allowed(c.definition, c.chosen); err != nil {
		return c, err
	}
	if c.engine, err = s.engine(r, c.definition); err != nil {
		return c, err
	}
	if c.plan, err = plan.Make(c.definition, s.CPUs, 0); err != nil {
		return c, err
	}
	c.plan.Series = plan.SeriesOf(c.definition, c.plan, s.Engines.Containers(c.engine))
	return c, c.plan.Series.Check(s.Limits.Series)
}

// whatever allows what a script of the folder says: it needs no permission.
func whatever(race.Definition, []definition.Choice) error { return nil }
