package compare

// The series that k6 writes: our output extension's and a stock k6's.
const (
	ownRequests   = "photofinish_http_reqs_total"
	ownChecks     = "photofinish_checks_total"
	ownReceived   = "photofinish_data_received_bytes_total"
	ownSent       = "photofinish_data_sent_bytes_total"
	ownLatency    = "photofinish_http_req_duration_seconds"
	ownWaited     = "photofinish_http_req_duration_seconds_total" // the sum of the latencies
	ownLatencyMax = "photofinish_http_req_duration_max_seconds"
	ownVUs        = "photofinish_vus"

	stockRequests = "k6_http_reqs_total"
	stockReceived = "k6_data_received_total"
	stockSent     = "k6_data_sent_total"
	stockLatency  = "k6_http_req_duration_seconds"
)

// The series that cAdvisor writes.
const (
	containerCPU              = "container_cpu_usage_seconds_total"
	containerThrottled        = "container_cpu_cfs_throttled_seconds_total"
	containerPeriods          = "container_cpu_cfs_periods_total"
	containerThrottledPeriods = "container_cpu_cfs_throttled_periods_total"
	containerMemory           = "container_memory_working_set_bytes"
	containerReceived         = "container_network_receive_bytes_total"
	containerSent             = "container_network_transmit_bytes_total"
	containerStart            = "container_start_time_seconds"
	containerOOM              = "container_oom_events_total"
)

// The labels that name an app's container.
const (
	labelApp  = "container_label_photofinish_app"
	labelRace = "container_label_photofinish_race"
	// The kubelet's cAdvisor names a pod and its containers by these.
	labelContainer = "container"
	labelPod       = "pod"
)

// StockPercentileEffect is the smallest relative effect on a percentile that a stock k6's histograms can show: one bucket of schema 3.
const StockPercentileEffect = 0.091
