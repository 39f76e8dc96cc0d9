package measure

import "slices"

// catalogue is built by a call so that no importer can change another's measures.
func catalogue() []Measure {
	return slices.Concat(latencies(), client(), container(), joined())
}

func latencies() []Measure {
	percentile := func(id, name, share string, primary bool) Measure {
		return Measure{
			ID: id, Name: name, Unit: Milliseconds, Better: Lower, Decimals: 2, Source: Client, Primary: primary,
			Sentence: share + " of the responses took at most this long, all responses counted; from the histogram " +
				"photofinish_http_req_duration_seconds, or from k6_http_req_duration_seconds (9% wide buckets) where a stock k6 ran.",
		}
	}
	return []Measure{
		{
			ID: "latency_mean", Name: "Mean latency", Unit: Milliseconds, Better: Lower, Decimals: 2, Source: Client,
			Sentence: "The mean time of a response, all responses counted; over time photofinish_http_req_duration_seconds_total by " +
				"photofinish_http_reqs_total, for whole heats sum over count of the histogram photofinish_http_req_duration_seconds, " +
				"and always of k6_http_req_duration_seconds where a stock k6 ran.",
		},
		percentile("latency_p50", "p50 latency", "Half", false),
		percentile("latency_p90", "p90 latency", "90%", false),
		percentile("latency_p95", "p95 latency", "95%", true),
		percentile("latency_p99", "p99 latency", "99%", false),
		{
			ID: "latency_max", Name: "Highest latency", Unit: Milliseconds, Better: Lower, Decimals: 2, Source: Client,
			Sentence: "The longest response time, exact; from photofinish_http_req_duration_max_seconds (a stock k6 does not write it).",
		},
	}
}

func client() []Measure {
	return []Measure{
		{
			ID: "request_rate", Name: "Requests", Unit: PerSecond, Better: Higher, Decimals: 1, Source: Client,
			Sentence: "HTTP requests per second that k6 made, failed ones included; from photofinish_http_reqs_total or k6_http_reqs_total.",
		},
		{
			ID: "error_rate", Name: "Errors", Unit: Ratio, Better: Lower, Decimals: 2, Source: Client, Primary: true,
			Sentence: "The share of requests whose response k6 did not expect; from the label expected_response of " +
				"photofinish_http_reqs_total or k6_http_reqs_total.",
		},
		{
			ID: "check_rate", Name: "Checks passed", Unit: Ratio, Better: Higher, Decimals: 2, Source: Client,
			Sentence: "The share of k6 checks that passed; from photofinish_checks_total (a stock k6 writes no counts of checks).",
		},
		{
			ID: "vus", Name: "Virtual users", Unit: Count, Better: None, Decimals: 0, Source: Client,
			Sentence: "The most virtual users that were busy with this app at once; from photofinish_vus (a stock k6 does not tell them apart by app).",
		},
		{
			ID: "data_received_rate", Name: "Data received", Unit: BytesPerSecond, Better: None, Decimals: 1, Source: Client,
			Sentence: "Bytes per second that k6 received from the app; from photofinish_data_received_bytes_total or k6_data_received_total.",
		},
		{
			ID: "data_sent_rate", Name: "Data sent", Unit: BytesPerSecond, Better: None, Decimals: 1, Source: Client,
			Sentence: "Bytes per second that k6 sent to the app; from photofinish_data_sent_bytes_total or k6_data_sent_total.",
		},
	}
}

func container() []Measure {
	return []Measure{
		{
			ID: "cpu_cores", Name: "CPU", Unit: Cores, Better: Lower, Decimals: 3, Source: Container,
			Sentence: "CPU seconds that the container used per second; from container_cpu_usage_seconds_total.",
		},
		{
			ID: "cpu_throttled_ratio", Name: "CPU throttled", Unit: Ratio, Better: Lower, Decimals: 2, Source: Container,
			Sentence: "The share of scheduling periods in which the container ran into its CPU quota; " +
				"from container_cpu_cfs_throttled_periods_total over container_cpu_cfs_periods_total, which exist only where a quota is set.",
		},
		{
			ID: "memory_working_set", Name: "Memory", Unit: Bytes, Better: Lower, Decimals: 1, Source: Container,
			Sentence: "Memory in use less inactive file cache, for a whole heat its highest value; from container_memory_working_set_bytes.",
		},
		{
			ID: "memory_slope", Name: "Memory growth", Unit: BytesPerSecond, Better: Lower, Decimals: 1, Source: Container,
			Sentence: "How fast the working set grows, as the median slope between all pairs of samples of a heat (Theil-Sen); " +
				"from container_memory_working_set_bytes.",
		},
		{
			ID: "network_receive_rate", Name: "Network received", Unit: BytesPerSecond, Better: None, Decimals: 1, Source: Container,
			Sentence: "Bytes per second that the container received; from container_network_receive_bytes_total, which local processes do not have.",
		},
		{
			ID: "network_transmit_rate", Name: "Network sent", Unit: BytesPerSecond, Better: None, Decimals: 1, Source: Container,
			Sentence: "Bytes per second that the container sent; from container_network_transmit_bytes_total, which local processes do not have.",
		},
	}
}

func joined() []Measure {
	return []Measure{
		{
			ID: "cpu_ms_per_request", Name: "CPU per request", Unit: MSPerRequest, Better: Lower, Decimals: 3, Source: Joined, Primary: true,
			Sentence: "CPU milliseconds that the container used for each request; cpu_cores over request_rate, each over its own sample span.",
		},
		{
			ID: "throttled_ms_per_request", Name: "Throttled per request", Unit: MSPerRequest, Better: Lower, Decimals: 3, Source: Joined,
			Sentence: "Milliseconds that the container's tasks waited for the CPU quota for each request; " +
				"from container_cpu_cfs_throttled_seconds_total over request_rate.",
		},
		{
			ID: "memory_bytes_per_request", Name: "Memory kept per request", Unit: BytesPerRequest, Better: Lower, Decimals: 1, Source: Joined,
			Sentence: "Bytes by which the working set grows for each request; memory_slope over request_rate.",
		},
		{
			ID: "network_bytes_per_request", Name: "Network per request", Unit: BytesPerRequest, Better: Lower, Decimals: 1, Source: Joined,
			Sentence: "Bytes that the container received and sent for each request; network_receive_rate and network_transmit_rate over request_rate.",
		},
	}
}
