package compare

import (
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
)

// family is the series of one source that some measures are computed from. Each family is a query of its own: a measure asks for no more
// than it needs, and panels of a dashboard that need the same ask the same, which is then asked once.
type family struct {
	names    []string
	split    []string // labels that tell a family's series apart, besides app and heat
	measures []string
}

// costs are the measures that divide what containers spent by requests.
func costs() []string {
	return []string{"cpu_ms_per_request", "throttled_ms_per_request", "network_bytes_per_request"}
}

// requestFamily are k6's counts of requests. Whatever else it counts needs them too: they tell when a push came, and so do latencies that are rates.
// Our extension's sum of latencies is asked for with them.
func requestFamily(r RaceInfo) family {
	measures := append(costs(), "memory_bytes_per_request", "request_rate", "error_rate", "check_rate", "data_received_rate", "data_sent_rate")
	names := []string{r.requests()}
	if r.Own {
		names, measures = append(names, ownWaited), append(measures, "latency_mean")
		for id := range quantiles() {
			measures = append(measures, id)
		}
	}
	for _, c := range r.Custom {
		if c.Type == race.Rate || c.Type == race.Counter || r.Own && c.Type == race.Trend {
			measures = append(measures, c.ID)
		}
	}
	return family{names, []string{"expected_response"}, measures}
}

// clientFamilies are k6's counters.
func clientFamilies(r RaceInfo) []family {
	var own []family
	if names, ids := r.counted(race.Rate); len(ids) > 0 {
		own = append(own, family{names, []string{metricLabel, "result"}, ids})
	}
	if names, ids := r.counted(race.Counter); len(ids) > 0 {
		own = append(own, family{names, []string{metricLabel}, ids})
	}
	if !r.Own {
		return append(own, []family{
			requestFamily(r),
			{names: []string{stockReceived}, measures: []string{"data_received_rate"}},
			{names: []string{stockSent}, measures: []string{"data_sent_rate"}},
		}...)
	}
	return append(own, []family{
		requestFamily(r),
		{[]string{ownChecks}, []string{"result"}, []string{"check_rate"}},
		{names: []string{ownReceived}, measures: []string{"data_received_rate"}},
		{names: []string{ownSent}, measures: []string{"data_sent_rate"}},
	}...)
}

// containerFamilies are cAdvisor's series.
func containerFamilies() []family {
	return []family{
		{names: []string{containerCPU}, measures: append(costs(), "cpu_cores")},
		{names: []string{containerThrottled, containerPeriods, containerThrottledPeriods}, measures: []string{"cpu_throttled_ratio", "throttled_ms_per_request"}},
		{names: []string{containerMemory}, measures: []string{"memory_working_set", "memory_slope", "memory_bytes_per_request"}},
		networkFamily(),
	}
}

func networkFamily() family {
	return family{
		names:    []string{containerReceived, containerSent},
		measures: []string{"network_receive_rate", "network_transmit_rate", "network_bytes_per_request"},
	}
}

// families are the series that are asked of the containers.
func (c containers) families() []family {
	if c.network {
		return []family{networkFamily()}
	}
	return containerFamilies()
}

// names are those of the series.
func (c containers) names() (names []string) {
	for _, f := range c.families() {
		names = append(names, f.names...)
	}
	return names
}

// of are the measures asked for that need the family.
func (f family) of(need needs) []string {
	var ids []string
	for _, m := range need.measures {
		if slices.Contains(f.measures, m.ID) {
			ids = append(ids, m.ID)
		}
	}
	return ids
}
