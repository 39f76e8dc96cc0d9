package compare

import (
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
}

// Looks are k6's counts, its histograms and cAdvisor's series within the last so much time.
func Looks(within time.Duration) []Look {
	window := "[" + promql.Duration(within) + "]"
	tagged := promql.NotEqual("testid", "")
	return []Look{
		{
			"k6 series", "count(last_over_time(" + promql.Selector([]string{ownRequests, stockRequests}, tagged) + window + "))",
			"no k6 series with a testid; run k6 with --out experimental-prometheus-rw --tag testid=NAME, " +
				"and let Prometheus take them in (--web.enable-remote-write-receiver)",
		},
		{
			"native histograms", "count(histogram_avg(last_over_time(" + promql.Selector([]string{ownLatency, stockLatency}, tagged) + window + ")))",
			"no native histograms of latency; run k6 with K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true, " +
				"and let Prometheus take them in (before 3.0: --enable-feature=native-histograms)",
		},
		{
			"cAdvisor series", "count(last_over_time(" + promql.Selector([]string{containerCPU}) + window + "))",
			"no cAdvisor series; CPU, memory and network will be empty until a cAdvisor runs beside the apps and Prometheus scrapes it",
		},
	}
}
