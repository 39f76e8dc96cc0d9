package server

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/server/servertest"
)

func TestTheDocumentHasTheRoutesOfTheAPIAndNoOthers(t *testing.T) {
	var served, described []string
	for _, r := range (&api{Options: Options{Metrics: prometheus.NewRegistry()}}).routes() {
		served = append(served, r.method+" "+strings.ReplaceAll(r.path, "...", ""))
	}
	for path, item := range servertest.Load(t, "../../docs/openapi.yaml").Model.Paths.PathItems.FromOldest() {
		for method := range item.GetOperations().KeysFromOldest() {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	require.Equal(t, served, described)
}
