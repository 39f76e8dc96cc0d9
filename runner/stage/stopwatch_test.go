package stage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
	"github.com/photofinish/photofinish/runner/images"
	"github.com/photofinish/photofinish/runner/stage"
)

func TestAK6RunsWhereItsEngineIs(t *testing.T) {
	none := &images.Allowed{}
	all := stage.Engines{stage.Process(), stage.Docker(nil), stage.Kubernetes(kubernetes.Options{})}
	one, pods := race.K6Spec{Image: "grafana/k6"}, race.K6Spec{Image: "grafana/k6", Pods: 2}
	for name, c := range map[string]struct {
		engines stage.Engines
		spec    race.K6Spec
		kind    string
		says    string
		hint    string
	}{
		"built in":           {all, race.K6Spec{}, "", "", ""},
		"a container":        {all, one, "docker", "", ""},
		"pods":               {all, pods, "kubernetes", "", ""},
		"no Docker":          {all[:1], one, "", "no engine here can run k6 from the image grafana/k6", "docker"},
		"no cluster":         {all[:2], pods, "", "no engine here can run k6 in pods", "kubernetes"},
		"not in a container": {stage.Engines{stage.Docker(none)}, one, "", "k6: the image grafana/k6:latest may not be run here", "docker.images"},
		"not in pods":        {stage.Engines{stage.Kubernetes(kubernetes.Options{Allowed: none})}, pods, "", "k6: the image grafana/k6:latest may not be run here", "kubernetes.images"},
	} {
		t.Run(name, func(t *testing.T) {
			kind, err := c.engines.ForK6(c.spec)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.Contains(t, race.HintOf(err), c.hint)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.kind, kind.Name)
		})
	}
}
