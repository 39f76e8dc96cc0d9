package kubernetes

import (
	"context"
	"encoding/json"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/photofinish/photofinish/pkg/race"
)

// Requests per second, and at once, that the engine allows itself; client-go's own 5 and 10 would make a race of many lanes wait for itself.
const (
	requestsPerSecond = 50
	requestsAtOnce    = 100
)

// connection is how the API server is reached: as it is given, or as kubectl would.
func connection(given *rest.Config) (*rest.Config, error) {
	config := given
	if config == nil {
		var err error
		config, err = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
		if err != nil {
			return nil, race.Errorf(race.Unavailable, "run it in a pod with a service account, or let KUBECONFIG name a file that kubectl can use",
				"no Kubernetes cluster is configured here: %w", err)
		}
	}
	config = rest.CopyConfig(config)
	config.QPS, config.Burst, config.UserAgent = requestsPerSecond, requestsAtOnce, "photofinish"
	return config, nil
}

// version asks the API server which it is.
func (e *Engine) version(ctx context.Context) (string, error) {
	said, err := e.client.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return "", e.explain(ctx, err, "reach the cluster")
	}
	var v struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(said, &v); err != nil {
		return "", race.Errorf(race.Unavailable, "check the address in the file that KUBECONFIG names", "what answers at %s is no Kubernetes API server: %w", e.config.Host, err)
	}
	return v.GitVersion, nil
}
