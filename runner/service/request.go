package service

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	strict "sigs.k8s.io/json"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/definition"
)

// Request is what is asked of the runner: a script, and what is to be otherwise than it says. It is the body of POST /v1/races.
type Request struct {
	Script       string          `json:"script"`
	Name         *string         `json:"name"`
	Load         *Load           `json:"load"`
	Heats        *int            `json:"heats"`
	Warmup       json.RawMessage `json:"warmup"`
	Mode         *string         `json:"mode"`
	Arrivals     *string         `json:"arrivals"`
	Baseline     *string         `json:"baseline"`
	Lanes        json.RawMessage `json:"lanes"`
	UntilDecided *bool           `json:"until_decided"`
	FindCapacity *string         `json:"find_capacity"`
	Engine       *string         `json:"engine"`
}

// Load is the load on each lane.
type Load struct {
	VUs      *int64          `json:"vus"`
	Duration json.RawMessage `json:"duration"`
	Rate     *float64        `json:"rate"`
}

// maxName bounds the name of a race, in characters.
const maxName = 200

// ParseRequest reads a request. Keys that are not known are errors that name them.
func ParseRequest(body []byte) (Request, error) {
	var r Request
	if err := read(body, &r, "script, name, load {vus, duration, rate}, heats, warmup, mode, arrivals, baseline, lanes, until_decided, find_capacity, engine"); err != nil {
		return r, err
	}
	switch {
	case r.Script == "":
		return r, race.Errorf(race.Invalid, "name one of GET /v1/scripts", "script: is missing").At("script")
	case r.Name != nil && (strings.TrimSpace(*r.Name) == "" || utf8.RuneCountInString(*r.Name) > maxName):
		return r, race.Errorf(race.Invalid, "leave it out for the script's", "name: must be 1 to %d characters long", maxName).At("name")
	}
	return r, nil
}

// read reads a request into a struct that has all of the known keys. A key in other letters (NAME), which encoding/json would take for ours, and one that is
// given twice, of which it would take the last, are errors that name it.
func read(body []byte, into any, known string) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return race.Errorf(race.Invalid, "send a JSON object with "+known, "the request is empty")
	}
	wrong, err := strict.UnmarshalStrict(body, into)
	if err != nil {
		return badJSON(err, known)
	}
	if len(wrong) == 0 {
		return nil
	}
	refused := race.Errorf(race.Invalid, "known keys: "+known, "%s", strings.Replace(wrong[0].Error(), " field ", " key ", 1))
	var field strict.FieldError
	if errors.As(wrong[0], &field) {
		return refused.At(field.FieldPath())
	}
	return refused
}

// badJSON says why a request cannot be read.
func badJSON(err error, known string) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		where := kind.Field
		if where == "" {
			return race.Errorf(race.Invalid, "send a JSON object with "+known, "the request must be a JSON object, not a %s", kind.Value)
		}
		want := map[string]string{"int": "a whole number", "int64": "a whole number", "float64": "a number", "string": "a string", "bool": "true or false"}[kind.Type.String()]
		if want == "" {
			want = "an object"
		}
		return race.Errorf(race.Invalid, "", "%s: must be %s, not %s", where, want, kind.Value).At(where)
	}
	return race.Errorf(race.Invalid, "send one JSON object with "+known, "the request is no JSON: %w", err)
}

// Hash tells requests apart by what they say, not by how it is written.
func Hash(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) == nil {
		if canonical, err := json.Marshal(v); err == nil { // keys in order
			body = canonical
		}
	}
	return fmt.Sprintf("%x", sha256.Sum256(body))
}

// overrides are what the request says instead of the script, on a runner with limits.
func (r Request) overrides(chosen []definition.Choice, limits config.Limits) (definition.Overrides, error) {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	o := definition.Overrides{
		Name: text(r.Name), Mode: text(r.Mode), Arrivals: text(r.Arrivals), Baseline: text(r.Baseline),
		Heats: r.Heats, UntilDecided: r.UntilDecided, FindCapacity: text(r.FindCapacity), Chosen: chosen,
		Most: race.Bounds{Rate: limits.Rate, VUs: limits.VUs}, MostHeats: limits.Heats, MostDuration: time.Duration(limits.Duration),
	}
	var err error
	if o.Warmup, err = span(r.Warmup, "warmup"); err != nil {
		return o, err
	}
	if r.Load == nil {
		return o, nil
	}
	o.VUs, o.Rate = r.Load.VUs, r.Load.Rate
	o.Duration, err = span(r.Load.Duration, "load.duration")
	return o, err
}

func span(raw json.RawMessage, what string) (*time.Duration, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	d, err := definition.Duration(raw, what)
	if err != nil {
		return nil, race.Errorf(race.Invalid, race.HintOf(err), "%w", err).At(what)
	}
	return &d, nil
}

// chosen are the lanes that the request names, in its order: an object by name, or a list of names and of objects with their name as app.
func (r Request) chosen() ([]definition.Choice, error) {
	raw := bytes.TrimSpace(r.Lanes)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if raw[0] == '[' {
		return listed(raw)
	}
	return byName(raw)
}

const lanesForm = `write {"control": {"url": "http://…"}, …}, or a list like ["control", {"app": "new", "url": "http://…"}]`

func byName(raw []byte) ([]definition.Choice, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, race.Errorf(race.Invalid, lanesForm, "lanes: must be an object or a list").At("lanes")
	}
	choices := []definition.Choice{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, race.Errorf(race.Invalid, lanesForm, "lanes: is not readable: %w", err)
		}
		c := definition.Choice{App: fmt.Sprint(name)}
		if err := decoder.Decode(&c.Keys); err != nil {
			return nil, race.Errorf(race.Invalid, lanesForm, "lanes.%s: is not readable: %w", c.App, err).At("lanes." + c.App)
		}
		choices = append(choices, c)
	}
	return choices, nil
}

func listed(raw []byte) ([]definition.Choice, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, race.Errorf(race.Invalid, lanesForm, "lanes: is not readable: %w", err)
	}
	choices := []definition.Choice{}
	for i, item := range items {
		var c definition.Choice
		if json.Unmarshal(item, &c.App) == nil {
			choices = append(choices, c)
			continue
		}
		keys := map[string]json.RawMessage{}
		if json.Unmarshal(item, &keys) != nil || json.Unmarshal(keys["app"], &c.App) != nil {
			return nil, race.Errorf(race.Invalid, lanesForm, "lanes[%d]: must be a name or an object with app", i).At("lanes")
		}
		delete(keys, "app")
		var err error
		if c.Keys, err = json.Marshal(keys); err != nil {
			return nil, race.Errorf(race.Invalid, lanesForm, "lanes[%d]: is not readable: %w", i, err)
		}
		choices = append(choices, c)
	}
	return choices, nil
}

// asked are the keys that a request gives its lanes, by app.
func asked(chosen []definition.Choice) map[string][]string {
	all := map[string][]string{}
	for _, c := range chosen {
		keys := map[string]json.RawMessage{}
		if json.Unmarshal(c.Keys, &keys) == nil { // what is unreadable is refused by the definition
			maps.DeleteFunc(keys, func(_ string, v json.RawMessage) bool { return string(v) == "null" })
			all[c.App] = slices.Sorted(maps.Keys(keys))
		}
	}
	return all
}

// engine is the name of the engine that was asked for; "" for any.
func (r Request) engine() string {
	if r.Engine == nil {
		return ""
	}
	return *r.Engine
}
