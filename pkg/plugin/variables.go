package plugin

import (
	"regexp"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// latest stands for the newest finished race (in live for the one that runs); all is what Grafana's "All" would come as.
const (
	latest = "$latest"
	all    = "$__all"
)

// variable is a template variable in each of Grafana's three ways to write it.
var variable = regexp.MustCompile(`\$(\w+)|\$\{(\w+)[^}]*\}|\[\[(\w+)[^\]]*\]\]`)

// values cleans a list of the query: no spaces around, nothing empty, nothing twice. "All" is the empty list.
// A variable that nobody replaced is an error: alert rules and public dashboards replace none.
func values(field string, list []string) ([]string, error) {
	var clean []string
	for _, v := range list {
		v = strings.TrimSpace(v)
		if v == all {
			return nil, nil
		}
		if field != "races" || v != latest {
			if err := noVariable(field, v); err != nil {
				return nil, err
			}
		}
		if v != "" && !slices.Contains(clean, v) {
			clean = append(clean, v)
		}
	}
	return clean, nil
}

func noVariable(field, v string) error {
	if found := variable.FindString(v); found != "" {
		return race.Errorf(race.Invalid, "alert rules and public dashboards know no variables: choose a value"+orLatest(field),
			"the variable %s in %s was not replaced", found, field)
	}
	return nil
}

func orLatest(field string) string {
	if field == "races" {
		return ", or " + latest + " for the newest finished race"
	}
	return ""
}
