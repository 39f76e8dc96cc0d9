package measure_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

func TestTheMeasuresAreThoseOfTheContractInItsOrder(t *testing.T) {
	const contract = `latency_mean latency_p50 latency_p90 latency_p95 latency_p99 latency_max request_rate error_rate check_rate vus
		data_received_rate data_sent_rate cpu_cores cpu_throttled_ratio memory_working_set memory_slope
		network_receive_rate network_transmit_rate cpu_ms_per_request throttled_ms_per_request memory_bytes_per_request network_bytes_per_request`
	require.Equal(t, strings.Fields(contract), measure.IDs())
}

func TestEveryMeasureIsExplained(t *testing.T) {
	var primary []string
	for _, m := range measure.All() {
		require.NotEmpty(t, m.Name, m.ID)
		require.NotEmpty(t, m.Unit, m.ID)
		require.Regexp(t, `^[A-Z0-9].+\.$`, m.Sentence, m.ID)
		require.Contains(t, []measure.Source{measure.Client, measure.Container, measure.Joined}, m.Source, m.ID)
		if m.Source != measure.Joined || m.ID == "throttled_ms_per_request" {
			require.Regexp(t, `photofinish_|container_`, m.Sentence, "%s: it names its series", m.ID)
		}
		if m.Primary {
			primary = append(primary, m.ID)
			require.NotEqual(t, measure.None, m.Better, m.ID)
		}
	}
	require.Equal(t, []string{"latency_p95", "error_rate", "cpu_ms_per_request"}, primary)
}

func TestAnUnknownMeasureIsAnErrorThatNamesNearOnes(t *testing.T) {
	tests := []struct{ id, hint string }{
		{"latency_p59", "latency_p50"},
		{"latency-p95", "latency_p95"},
		{"LATENCY_P95 ", "latency_p95"},
		{"p99", "latency_p99"},
		{"cpu", "cpu_cores"},
		{"memory", "memory_slope"},
		{"xyzzy", "the measures are latency_mean, latency_p50"},
		{"", "the measures are"},
	}
	for _, tt := range tests {
		_, err := measure.ByID(tt.id)
		require.Equal(t, race.NotFound, race.CodeOf(err), tt.id)
		require.Contains(t, race.HintOf(err), tt.hint, tt.id)
	}
	_, err := measure.ByIDs([]string{"vus", "nope"})
	require.ErrorContains(t, err, `"nope"`)
	all, err := measure.ByIDs(nil)
	require.NoError(t, err)
	require.Len(t, all, 22)
}

func TestNobodyCanChangeTheCatalogueOfAnother(t *testing.T) {
	measure.All()[0].Name = "changed"
	require.Equal(t, "Mean latency", measure.All()[0].Name)
}

func TestValuesAreWrittenWithTheirUnits(t *testing.T) {
	tests := []struct {
		id   string
		v    float64
		want string
	}{
		{"latency_p95", 12.345, "12.3 ms"},
		{"latency_p95", 0.05, "50.0 µs"},
		{"latency_p95", 0.0999999, "0.100 ms"},
		{"latency_p95", 1234.5, "1235 ms"},
		{"latency_p95", 12345, "12.3 s"},
		{"latency_p95", 0, "0 ms"},
		{"request_rate", 999.96, "1000 req/s"},
		{"request_rate", 1.005, "1.00 req/s"},
		{"error_rate", 0.0123, "1.23%"},
		{"error_rate", 0, "0%"},
		{"error_rate", 1, "100%"},
		{"memory_working_set", 1_234_567, "1.23 MB"},
		{"memory_working_set", 999_999, "1.00 MB"},
		{"memory_working_set", 512, "512 B"},
		{"memory_slope", -2500, "-2.50 kB/s"},
		{"memory_bytes_per_request", 50_000, "50.0 kB/req"},
		{"cpu_cores", 0.42, "0.420 cores"},
		{"cpu_cores", 0.0004, "0.000 cores"},
		{"cpu_ms_per_request", 0.4567, "0.457 ms/req"},
		{"vus", 20, "20.0"},
		{"vus", math.NaN(), "-"},
		{"vus", math.Inf(1), "-"},
	}
	for _, tt := range tests {
		m, err := measure.ByID(tt.id)
		require.NoError(t, err)
		require.Equal(t, tt.want, m.Format(tt.v), "%s of %v", tt.id, tt.v)
	}
	m, _ := measure.ByID("vus")
	require.Equal(t, measure.Absent, m.FormatPointer(nil))
}
