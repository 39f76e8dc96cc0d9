package datasource_test

import (
	"os"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// alertValue is what Grafana hands to the annotations of an alert for each query and expression.
type alertValue struct{ Value float64 }

// summaries are the texts of the rules' instances, by rule, as Grafana makes them for every state: a Normal instance has one, too.
func summaries(t *testing.T, labels map[string]string, values map[string]alertValue) map[string]string {
	t.Helper()
	content, err := os.ReadFile("../../provisioning/alerting/photofinish.yaml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Rules []struct {
				UID         string
				Annotations struct{ Summary string }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(content, &file))
	texts := map[string]string{}
	for _, rule := range file.Groups[0].Rules {
		parsed, err := template.New(rule.UID).Parse(`{{ $labels := .Labels }}{{ $values := .Values }}` + rule.Annotations.Summary)
		require.NoError(t, err)
		var text strings.Builder
		require.NoError(t, parsed.Execute(&text, map[string]any{"Labels": labels, "Values": values}))
		texts[rule.UID] = text.String()
	}
	return texts
}

func TestTheSummariesOfTheAlertRulesAreTrueInEveryState(t *testing.T) {
	labels := map[string]string{"app": "new", "race_name": "nightly"}
	measured := map[string]alertValue{"A": {1}, "R": {1.254}, "L": {1.2}, "H": {1.3}, "C": {1}}
	require.Equal(t, map[string]string{
		"photofinish-latency": "new is slower than the baseline in race nightly: p95 × 1.25 [1.20, 1.30].",
		"photofinish-cost":    "new takes more CPU per request than the baseline in race nightly: × 1.25 [1.20, 1.30].",
		"photofinish-memory":  "new keeps more memory the longer it runs than the baseline in race nightly.",
		"photofinish-errors":  "new answers more requests with errors than the baseline in race nightly.",
	}, summaries(t, labels, measured), "alerting")

	measured["A"], measured["C"] = alertValue{0}, alertValue{0}
	normal := map[string]string{
		"photofinish-latency": "new is not judged slower than the baseline in race nightly: p95 × 1.25 [1.20, 1.30].",
		"photofinish-cost":    "new is not judged to take more CPU per request than the baseline in race nightly: × 1.25 [1.20, 1.30].",
		"photofinish-memory":  "new is not judged to keep more memory the longer it runs than the baseline in race nightly.",
		"photofinish-errors":  "new is not judged to answer more requests with errors than the baseline in race nightly.",
	}
	require.Equal(t, normal, summaries(t, labels, measured), "normal")

	delete(measured, "C")
	require.Equal(t, normal, summaries(t, labels, measured), "an app without a verdict")

	for uid, text := range summaries(t, nil, nil) {
		require.Equal(t, "No race was judged within a day.", text, "%s without data", uid)
	}
}
