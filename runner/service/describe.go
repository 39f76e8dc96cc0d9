package service

import (
	"context"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/plan"
)

// Description is what a script, or a request for a race, comes to.
type Description struct {
	Name          string        `json:"name"` // of the script
	RaceName      string        `json:"race_name"`
	Baseline      string        `json:"baseline"`
	Lanes         []LaneDefined `json:"lanes"`
	Load          race.Load     `json:"load"`
	Heats         int           `json:"heats"`
	ProfileHeats  int           `json:"profile_heats"`  // after them
	FindCapacity  string        `json:"find_capacity"`  // what a rate must keep to be held; "" where no capacity is searched
	CapacityTries int           `json:"capacity_tries"` // about how many heats more for each app
	WarmupMS      float64       `json:"warmup_ms"`
	Mode          race.Mode     `json:"mode"`      // as asked for: auto among others
	RacedAs       race.Mode     `json:"raced_as"`  // what that is on this machine
	ReasonOfMode  string        `json:"raced_why"` // why
	Arrivals      race.Arrivals `json:"arrivals"`
	UntilDecided  bool          `json:"until_decided"`
	Engine        string        `json:"engine"`
	EstimateMS    float64       `json:"estimate_ms"` // from the start to the verdict
	Series        plan.Series   `json:"series"`      // estimated
	// ResourcesAllowed says whether a request may change the lanes' limits here.
	ResourcesAllowed bool `json:"resources_allowed"`
}

// LaneDefined is a lane as it is defined.
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
	Queue     *LaneQueue     `json:"queue,omitempty"`
}

// LaneQueue is where a worker takes its messages from and puts its replies.
type LaneQueue struct {
	Requests string `json:"requests"`
	Replies  string `json:"replies"`
}

// ScriptNames lists the scripts.
func (s *Service) ScriptNames() ([]string, error) { return s.Scripts.Names() }

// Describe tells what a script defines.
func (s *Service) Describe(ctx context.Context, name string) (Description, error) {
	script, err := s.Scripts.Get(name)
	if err != nil {
		return Description{}, err
	}
	c, err := s.consider(ctx, Request{Script: name}, script, whatever)
	if err != nil {
		return Description{}, err
	}
	return s.describe(name, c), nil
}

// Plan tells what a request for a race would come to, and refuses what Submit would refuse. Nothing is queued.
func (s *Service) Plan(ctx context.Context, body []byte) (Description, error) {
	r, err := ParseRequest(body)
	if err != nil {
		return Description{}, err
	}
	c, err := s.check(ctx, r)
	if err != nil {
		return Description{}, err
	}
	return s.describe(r.Script, c), nil
}

// describe leaves the environment of lanes out: it may hold secrets.
func (s *Service) describe(script string, c considered) Description {
	d, p := c.definition, c.plan
	told := Description{
		Name: script, RaceName: d.Name, Baseline: d.Baseline, Load: d.Load, Heats: d.Heats, WarmupMS: ms(d.Warmup), Mode: d.Mode, RacedAs: p.Mode, ReasonOfMode: p.Reason,
		Arrivals: d.Arrivals, ProfileHeats: d.ProfileHeats, FindCapacity: race.Conditions(d.Capacity), CapacityTries: p.CapacityTries, UntilDecided: d.UntilDecided, Engine: c.engine, EstimateMS: ms(p.Estimate), Series: p.Series, ResourcesAllowed: s.Lanes.Resources, Lanes: []LaneDefined{},
	}
	for _, l := range d.Lanes {
		lane := LaneDefined{
			App: l.App, URL: l.URL, Command: l.Command, Image: l.Image, Build: l.Build, Compose: l.Compose, Port: l.Port, Path: l.Path, Resources: l.Resources,
		}
		if q := l.Queue; q != nil {
			lane.Queue = &LaneQueue{Requests: q.Requests, Replies: q.Replies}
		}
		told.Lanes = append(told.Lanes, lane)
	}
	return told
}
