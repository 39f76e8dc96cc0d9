package service

import (
	"context"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/plan"
)

// Description is what a script defines.
type Description struct {
	Name         string        `json:"name"` // of the script
	RaceName     string        `json:"race_name"`
	Baseline     string        `json:"baseline"`
	Lanes        []LaneDefined `json:"lanes"`
	Load         race.Load     `json:"load"`
	Heats        int           `json:"heats"`
	WarmupMS     float64       `json:"warmup_ms"`
	Mode         race.Mode     `json:"mode"`      // as asked for: auto among others
	RacedAs      race.Mode     `json:"raced_as"`  // what that is on this machine
	ReasonOfMode string        `json:"raced_why"` // why
	Arrivals     race.Arrivals `json:"arrivals"`
	UntilDecided bool          `json:"until_decided"`
	Engine       string        `json:"engine"`
	EstimateMS   float64       `json:"estimate_ms"` // from the start to the verdict
}

// LaneDefined is a lane as a script defines it.
type LaneDefined struct {
	App       string         `json:"app"`
	URL       string         `json:"url"`
	Command   []string       `json:"command"`
	Image     string         `json:"image"`
	Build     string         `json:"build"`
	Compose   string         `json:"compose"`
	Port      int            `json:"port"`
	Path      string         `json:"path"`
	Resources race.Resources `json:"resources"`
}

// ScriptNames lists the scripts.
func (s *Service) ScriptNames() ([]string, error) { return s.Scripts.Names() }

// Describe tells what a script defines. The environment of lanes is left out: it may hold secrets.
func (s *Service) Describe(ctx context.Context, name string) (Description, error) {
	script, err := s.Scripts.Get(name)
	if err != nil {
		return Description{}, err
	}
	r := Request{Script: name}
	d, _, err := s.parse(ctx, r, script)
	if err != nil {
		return Description{}, err
	}
	kind, err := s.engine(r, d)
	if err != nil {
		return Description{}, err
	}
	p, err := plan.Make(d, s.CPUs, 0)
	if err != nil {
		return Description{}, err
	}
	told := Description{
		Name: name, RaceName: d.Name, Baseline: d.Baseline, Load: d.Load, Heats: d.Heats, WarmupMS: ms(d.Warmup), Mode: d.Mode, RacedAs: p.Mode, ReasonOfMode: p.Reason,
		Arrivals: d.Arrivals, UntilDecided: d.UntilDecided, Engine: kind, EstimateMS: ms(p.Estimate), Lanes: []LaneDefined{},
	}
	for _, l := range d.Lanes {
		told.Lanes = append(told.Lanes, LaneDefined{
			App: l.App, URL: l.URL, Command: l.Command, Image: l.Image, Build: l.Build, Compose: l.Compose, Port: l.Port, Path: l.Path, Resources: l.Resources,
		})
	}
	return told, nil
}
