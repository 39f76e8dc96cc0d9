package definition

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
)

// Choice is a lane that a request wants raced, and what it says of it.
type Choice struct {
	App string
	// Keys are those of a lane in the script; null and nothing take the script's word for all.
	Keys json.RawMessage
}

// choose lays what is chosen over the script's lanes. leftOut are those of the script that nobody chose.
func choose(script map[string]json.RawMessage, chosen []Choice) (lanes map[string]json.RawMessage, order, leftOut []string, err error) {
	lanes = map[string]json.RawMessage{}
	for _, c := range chosen {
		where := "lanes." + c.App
		if _, twice := lanes[c.App]; twice {
			return nil, nil, nil, race.Errorf(race.Invalid, "", "lane %s is given twice", c.App).At("lanes")
		}
		own, err := fields(where, c.Keys)
		if err != nil {
			return nil, nil, nil, err
		}
		_, known := script[c.App]
		if !known && len(own) == 0 {
			names := slices.Sorted(maps.Keys(script))
			return nil, nil, nil, race.Errorf(race.Invalid, didYouMean(c.App, names), "%s: the script has no such lane, and the request does not say how to reach it", where).At("lanes")
		}
		base, err := fields(where, script[c.App])
		if err != nil {
			return nil, nil, nil, err
		}
		switch {
		case !isNull(own["url"]):
			maps.DeleteFunc(base, func(key string, _ json.RawMessage) bool { return key != "health" })
		case slices.ContainsFunc(slices.Concat(containers, []string{"command"}), func(key string) bool { return !isNull(own[key]) }):
			delete(base, "url")
		}
		maps.Copy(base, own)
		if lanes[c.App], err = json.Marshal(base); err != nil {
			return nil, nil, nil, invalid(where, "is not readable: %v", err)
		}
		order = append(order, c.App)
	}
	for app := range script {
		if _, races := lanes[app]; !races {
			leftOut = append(leftOut, app)
		}
	}
	return lanes, order, leftOut, nil
}
