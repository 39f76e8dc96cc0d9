package kubetest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// Apply makes the objects of a manifest of the repository, as kubectl create does, with strict validation: an unknown field is an error.
func (c *Cluster) Apply(tb testing.TB, name ...string) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{repository(tb)}, name...)...))
	require.NoError(tb, err)
	client, err := dynamic.NewForConfig(c.Admin)
	require.NoError(tb, err)
	groups, err := restmapper.GetAPIGroupResources(c.Client.Discovery())
	require.NoError(tb, err)
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var o unstructured.Unstructured
		err := documents.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(tb, err)
		if o.Object == nil {
			continue
		}
		kind := o.GroupVersionKind()
		of, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		require.NoError(tb, err)
		var to dynamic.ResourceInterface = client.Resource(of.Resource)
		if of.Scope.Name() == meta.RESTScopeNameNamespace {
			to = client.Resource(of.Resource).Namespace(o.GetNamespace())
		}
		_, err = to.Create(tb.Context(), &o, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
		require.NoError(tb, err, "%s %s", kind.Kind, o.GetName())
	}
}
