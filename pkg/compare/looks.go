package compare

import (
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
)

// Look is one kind of series that races are made of, for a check of health.
type Look struct {
	Name string
	// Expr counts the series that have a sample in the time before.
	Expr string
	// Missing says what to do where there are none.
	Missing string
	// Follows: where the series of the look before are missing, this one has nothing to add.
	Follows bool
}

// Looks are k6's counts, its histograms, cAdvisor's series, and those of them that name a container, within the last so much time.
func Looks(within time.Duration, j Join) []Look {
	window := "[" + promql.Duration(within) + "]"
	tagged := promql.NotEqual("testid", "")
	mean := func(name string) string { // of what is no native histogram there is none
		return "histogram_avg(last_over_time(" + promql.Selector([]string{name}, tagged) + window + "))"
	}
	var naming []string
	for _, label := range j.labels() {
		naming = append(naming, "last_over_time("+promql.Selector([]string{containerCPU}, promql.NotEqual(label, ""))+window+")")
	}
	return []Look{
		{
			Name: "k6 series", Expr: "count(last_over_time(" + promql.Selector([]string{ownRequests, stockRequests}, tagged) + window + "))",
			Missing: "no k6 series with a testid; run k6 with --out experimental-prometheus-rw --tag testid=NAME, " +
				"and let Prometheus take them in (--web.enable-remote-write-receiver)",
		},
		{
			Name: "native histograms", Expr: "count(" + mean(ownLatency) + " or " + mean(stockLatency) + ")",
			Missing: "no native histograms of latency; run k6 with K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true, " +
				"and let Prometheus take them in (before 3.0: --enable-feature=native-histograms)",
		},
		{
			Name: "cAdvisor series", Expr: "count(last_over_time(" + promql.Selector([]string{containerCPU}) + window + "))",
			Missing: "no cAdvisor series; CPU, memory and network will be empty until a cAdvisor runs beside the apps and Prometheus scrapes it",
		},
		{
			Name: "container names", Follows: true, Expr: "count(" + strings.Join(naming, " or ") + ")",
			Missing: "no cAdvisor series has one of the labels " + strings.Join(j.labels(), ", ") + "; enter the label that names your containers, " +
				"or see whether cAdvisor can reach the container engine",
		},
	}
}
