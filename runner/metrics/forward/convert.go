package forward

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/prompb"
)

// convert makes remote-write series of what was gathered, by their labels. A sample without a time of its own was taken now.
// Histograms and summaries are left out: cAdvisor has none.
func convert(families []*dto.MetricFamily, prefix string, more map[string]string, now time.Time) map[string]prompb.TimeSeries {
	series := map[string]prompb.TimeSeries{}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), prefix) {
			continue
		}
		for _, m := range family.GetMetric() {
			v, ok := number(m)
			if !ok {
				continue
			}
			at := m.GetTimestampMs()
			if at == 0 {
				at = now.UnixMilli()
			}
			labels := labelsOf(family.GetName(), m.GetLabel(), more)
			series[keyOf(labels)] = prompb.TimeSeries{Labels: labels, Samples: []prompb.Sample{{Timestamp: at, Value: v}}}
		}
	}
	return series
}

func number(m *dto.Metric) (float64, bool) {
	switch {
	case m.Counter != nil:
		return m.GetCounter().GetValue(), true
	case m.Gauge != nil:
		return m.GetGauge().GetValue(), true
	case m.Untyped != nil:
		return m.GetUntyped().GetValue(), true
	}
	return 0, false
}

// labelsOf are sorted, as remote write wants them. An empty label is none.
func labelsOf(name string, pairs []*dto.LabelPair, more map[string]string) []prompb.Label {
	labels := []prompb.Label{{Name: "__name__", Value: name}}
	for _, p := range pairs {
		if _, replaced := more[p.GetName()]; !replaced && p.GetValue() != "" {
			labels = append(labels, prompb.Label{Name: p.GetName(), Value: p.GetValue()})
		}
	}
	for k, v := range more {
		labels = append(labels, prompb.Label{Name: k, Value: v})
	}
	slices.SortFunc(labels, func(a, b prompb.Label) int { return cmp.Compare(a.Name, b.Name) })
	return labels
}

func keyOf(labels []prompb.Label) string {
	var b strings.Builder
	for _, l := range labels {
		b.WriteString(l.Name + "\xff" + l.Value + "\xff")
	}
	return b.String()
}

// cause is a failed request's reason without its URL, which may hold a password.
func cause(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
