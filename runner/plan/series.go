package plan

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/photofinish/photofinish/pkg/race"
)

// Series is an estimate of the time series that a race makes. Every heat makes new ones, since their label heat is another. It is of a script that
// asks one address, with one status and one check; how many more there are, only the race shows.
type Series struct {
	Total int `json:"total"`
	// SamplesPerSecond is how many are written while a heat is raced.
	SamplesPerSecond int `json:"samples_per_second"`
	// Parts are what it is made of.
	Parts []SeriesPart `json:"parts"`
	// PerName is by how many it grows with each further address (the tag name), status, method or group of the script's requests.
	PerName int `json:"per_name"`
}

// SeriesPart is a part of an estimate.
type SeriesPart struct {
	What   string `json:"what"`
	Series int    `json:"series"`
}

// DefaultMaxSeries is the most that a race may be estimated to make, unless somebody says otherwise: 16 lanes with 100 heats stay below it, and a
// Prometheus of its own takes it.
const DefaultMaxSeries = 200_000

// ManySeries is where a race is warned of: what Grafana Cloud's free plan holds at once.
const ManySeries = 10_000

// What writes series. These figures were counted in races.
const (
	seriesOfRequest  = 9  // k6's seven trends of http_req_*, http_reqs and http_req_failed, for each name, status, method and group
	seriesOfMessage  = 8  // the same of the module for queues
	seriesOfScenario = 4  // data_sent, data_received, iterations, iteration_duration
	seriesOfHeat     = 2  // vus, vus_max
	seriesOfLane     = 12 // our output's, for each phase
	ownOfK6          = 1  // of each metric of the script's own
	ownOfOutput      = 2
	seriesOfGroup    = 40 // cAdvisor's of a cgroup
	seriesOfLimits   = 6  // and where it has a quota
	seriesOfNetwork  = 8  // and of a container's interface
	seriesOfUnnamed  = 20 // and of a container that is scraped before it is known whose it is, as half of them are: then all of them twice
	seriesOfScrape   = 7  // up, scrape_* and what cAdvisor tells of itself
)

// SeriesOf estimates the series of a race that is run as planned. containers: its lanes are containers, each heat's anew.
func SeriesOf(def race.Definition, p Plan, containers bool) Series {
	phases := 1
	if def.Warmup > 0 {
		phases = 2
	}
	own := 0
	for _, m := range def.Measures {
		if m.Expr == "" {
			own++
		}
	}
	tags := tagsOf(def.Thresholds)
	names := max(1, len(tags["name"]), len(tags["url"])) * max(1, len(tags["status"])) * max(1, len(tags["method"]))
	checks, groups := max(1, len(tags["check"])), len(tags["group"])
	var client, output, watched, scenarios int // of a phase of a heat, and of a heat's cgroups
	for _, l := range def.Lanes {
		request := seriesOfRequest
		if l.Queue != nil {
			request = seriesOfMessage
		}
		n := 0
		for _, s := range def.Scenarios {
			if s.App == "" || s.App == l.App {
				n++
			}
		}
		scenarios += n
		client += n * (names*request + seriesOfScenario + checks + groups + own*ownOfK6)
		output += seriesOfLane + own*ownOfOutput
		if l.Elsewhere() || l.Remote { // whom the embedded cAdvisor does not see
			continue
		}
		watched += seriesOfGroup
		if l.CPUs != nil {
			watched += seriesOfLimits
		}
		if containers {
			watched += seriesOfNetwork + seriesOfUnnamed
		}
	}
	if !def.K6.BuiltIn() {
		output = 0
	}
	instances := max(1, def.K6.Pods) // each writes series of its own
	heats := len(p.Heats)
	client *= instances
	clients := heats * (phases*client + instances*seriesOfHeat)
	outputs := heats * phases * output
	groupsOf := 1
	if containers { // a container of another heat is another container
		groupsOf = heats
	}
	around := groupsOf*watched + seriesOfGroup + seriesOfScrape
	racing := 1.0
	if p.Mode == race.Turns {
		racing = 1 / float64(max(1, len(def.Lanes)))
	}
	return Series{
		Total:            clients + outputs + around,
		SamplesPerSecond: int(math.Ceil(float64(client)*racing)) + instances*seriesOfHeat + output + watched + seriesOfGroup + seriesOfScrape,
		PerName:          heats * phases * scenarios * seriesOfRequest,
		Parts: []SeriesPart{
			{"k6's output", clients},
			{"photofinish's output", outputs},
			{"cAdvisor, of the apps and k6", around},
		},
	}
}

var selector = regexp.MustCompile(`\{(.*)\}`)

// tagsOf are the values of tags that thresholds ask for, which a script that is written with care has: {name:login}.
func tagsOf(thresholds map[string]json.RawMessage) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for expr := range thresholds {
		found := selector.FindStringSubmatch(expr)
		if found == nil {
			continue
		}
		for one := range strings.SplitSeq(found[1], ",") {
			name, value, ok := strings.Cut(strings.TrimSpace(one), ":")
			if !ok {
				continue
			}
			if all[name] == nil {
				all[name] = map[string]bool{}
			}
			all[name][value] = true
		}
	}
	return all
}

// Check refuses a race that would make more series than somebody wants; 0 is DefaultMaxSeries.
func (s Series) Check(most int) error {
	if most == 0 {
		most = DefaultMaxSeries
	}
	if s.Total <= most {
		return nil
	}
	return race.Errorf(race.Invalid, "fewer heats or lanes make fewer; or allow more with --max-series, or limits.series of the runner",
		"the race would make about %s time series, and at most %s are allowed: %s", count(s.Total), grouped(most), s.made()).At("heats")
}

// Describe says for a person what the estimate is made of, and warns where it is much.
func (s Series) Describe() string {
	text := fmt.Sprintf("about %s time series: %s; each further address, status or group of the script adds %s", count(s.Total), s.made(), grouped(s.PerName))
	if s.Total > ManySeries {
		text += fmt.Sprintf(". That is more than the %s that small plans of hosted Prometheus hold: fewer heats or lanes make fewer", grouped(ManySeries))
	}
	return text
}

func (s Series) made() string {
	var parts []string
	for _, p := range s.Parts {
		if p.Series > 0 {
			parts = append(parts, count(p.Series)+" of "+p.What)
		}
	}
	return strings.Join(parts, ", ")
}

// words are those of a plan's line.
func (s Series) words() string {
	if s.Total == 0 {
		return ""
	}
	return fmt.Sprintf(", about %s time series (%s samples/s)", count(s.Total), count(s.SamplesPerSecond))
}

// count rounds to two digits, which is as much as an estimate promises.
func count(n int) string {
	step := 1
	for n/step >= 100 {
		step *= 10
	}
	return grouped((n + step/2) / step * step)
}

// grouped writes 12000 as 12,000.
func grouped(n int) string { return message.NewPrinter(language.English).Sprint(number.Decimal(n)) }
