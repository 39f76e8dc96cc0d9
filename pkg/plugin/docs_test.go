package plugin

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
)

func TestTheQueriesOfTheDocumentationAreAnswered(t *testing.T) {
	page, err := os.ReadFile("../../docs/datasource.md")
	require.NoError(t, err)
	r := fourApps()
	named := fourApps()
	r.ID, named.ID, named.Name = "ab2", "nightly-1", "nightly"
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r, named))
	shown := map[string]bool{}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)\n```").FindAllSubmatch(page, -1) {
		var typed struct{ QueryType string }
		require.NoError(t, json.Unmarshal(block[1], &typed))
		shown[typed.QueryType] = true
		response := askAt(t, d, string(block[1]), r.StartedAt.AddDate(0, 0, -1), r.FinishedAt.AddDate(0, 0, 1))
		require.NoError(t, response.Error, "%s", block[1])
		require.NotEmpty(t, response.Frames[0].Fields, "%s", block[1])
		require.Equal(t, backend.StatusOK, response.Status)
	}
	for _, kind := range queryTypes() {
		require.True(t, shown[kind], "no example of %s", kind)
	}
	for _, label := range compare.DefaultAppLabels() {
		require.Contains(t, string(page), label)
	}
}
