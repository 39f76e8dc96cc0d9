package plugin

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
)

func TestWhatIsSetForPrometheusGoesToPrometheusOnly(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]http.Header{}
	methods := map[string]string{}
	keep := func(who string, next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			seen[who], methods[who] = r.Header.Clone(), r.Method
			mu.Unlock()
			next(w, r)
		}
	}
	runner := serve(t, keep("runner", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"races":[],"next":""}`)) }))
	config, err := json.Marshal(map[string]any{"runnerUrl": runner, "httpHeaderName1": "X-Scope-OrgID", "httpMethod": "get", "timeout": 3})
	require.NoError(t, err)
	instance, err := New(t.Context(), backend.DataSourceInstanceSettings{
		Type: ID, URL: serve(t, keep("prometheus", emptyPrometheus)), JSONData: config, BasicAuthEnabled: true, BasicAuthUser: "me",
		DecryptedSecureJSONData: map[string]string{"runnerToken": "secret", "httpHeaderValue1": "tenant", "basicAuthPassword": "pw"},
	})
	require.NoError(t, err)
	require.NoError(t, ask(t, instance.(*Datasource), `{"queryType":"races"}`).Error)

	require.Equal(t, "tenant", seen["prometheus"].Get("X-Scope-OrgID"))
	require.Contains(t, seen["prometheus"].Get("Authorization"), "Basic ")
	require.Equal(t, http.MethodGet, methods["prometheus"])
	require.Empty(t, seen["runner"].Get("X-Scope-OrgID"))
	require.Equal(t, "Bearer secret", seen["runner"].Get("Authorization"))
}

func TestTheTimeOutIsBounded(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`{}`: defaultTimeout, `{"timeout":0}`: defaultTimeout, `{"timeout":-1}`: defaultTimeout, `{"timeout":2}`: 2 * time.Second,
		`{"timeout":"45"}`: 45 * time.Second, `{"timeout":1e12}`: maxTimeout, `{"timeout":null}`: defaultTimeout, `{"timeout":""}`: defaultTimeout,
	} {
		s, err := readSettings(json.RawMessage(text))
		require.NoError(t, err, text)
		require.Equal(t, want, s.timeout(), text)
	}
}

func TestWhereTheUsersOwnIdentityIsSentNothingIsShared(t *testing.T) {
	for text, want := range map[string]bool{`{}`: false, `{"oauthPassThru":true}`: true, `{"keepCookies":["session"]}`: true, `{"keepCookies":[]}`: false} {
		instance, err := New(t.Context(), backend.DataSourceInstanceSettings{Type: ID, URL: "http://127.0.0.1:1", JSONData: json.RawMessage(text)})
		require.NoError(t, err)
		require.Equal(t, want, instance.(*Datasource).prom.(*shared).private, text)
	}
}
