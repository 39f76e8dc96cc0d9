package access_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/access"
)

const address = "https://mimir.example.com/api/v1/push"

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestWhatIsWrongIsNamedAndNoSecretIsShown(t *testing.T) {
	t.Setenv("EMPTY", " ")
	secret := access.Secret{File: file(t, "hush")}
	for says, s := range map[string]access.Server{
		"key.url: \"mimir:9009\" is no http address":                 {URL: "mimir:9009"},
		"key.url: is no address":                                     {URL: "http://me:hush@ho st/"},
		"key.url: holds a name or a password":                        {URL: "https://me:hush@host/"},
		"key.username: comes without key.password":                   {URL: address, Username: "me"},
		"key.token: comes beside key.username":                       {URL: address, Username: "me", Password: secret, Token: secret},
		"key.password: is both":                                      {URL: address, Username: "me", Password: access.Secret{File: "x", Env: "y"}},
		"key.token.file: /there/is/none is not there":                {URL: address, Token: access.Secret{File: "/there/is/none"}},
		"key.token: the environment variable EMPTY is empty":         {URL: address, Token: access.Secret{Env: "EMPTY"}},
		"key.ca: open /there/is/none":                                {URL: address, CA: "/there/is/none"},
		`key.headers: "X Scope" is no header`:                        {URL: address, Headers: map[string]string{"X Scope": "hush"}},
		`key.headers: "X-Scope-OrgID" is no header, or its value`:    {URL: address, Headers: map[string]string{"X-Scope-OrgID": "hush\nX: y"}},
		`key.headers: setting header "Authorization" is not allowed`: {URL: address, Headers: map[string]string{"authorization": "hush"}},
	} {
		_, err := s.HTTP("key")
		require.ErrorContains(t, err, says)
		require.Equal(t, race.Invalid, race.CodeOf(err), says)
		require.NotContains(t, err.Error()+race.HintOf(err), "hush")
	}
	_, err := access.Server{URL: address, Username: "me"}.HTTP("--remote-write")
	require.ErrorContains(t, err, "--remote-write-username: comes without --remote-write-password")
}

func TestASecretOfAFileMayChange(t *testing.T) {
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	defer s.Close()
	path := file(t, "one\n")
	transport, err := access.Server{URL: s.URL, Token: access.Secret{File: path}}.Transport("key")
	require.NoError(t, err)
	for _, token := range []string{"one", "two"} {
		require.NoError(t, os.WriteFile(path, []byte(token), 0o600))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		require.NoError(t, err)
		answer, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, "Bearer "+token, got)
	}
}

func TestASecretOfTheEnvironmentCanBeHidden(t *testing.T) {
	t.Setenv("A_SECRET", "hush\n")
	s := access.Secret{Env: "A_SECRET"}
	text, err := s.Read("key")
	require.NoError(t, err)
	require.Equal(t, "hush", text)
	require.NoError(t, s.Hide())
	_, set := os.LookupEnv("A_SECRET")
	require.False(t, set)
}

func TestHeadersAreReadAsK6ReadsThem(t *testing.T) {
	all, err := access.ParseHeaders("X-Scope-OrgID: team-a,X-Other:b:c")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"X-Scope-OrgID": "team-a", "X-Other": "b:c"}, all)
	_, err = access.ParseHeaders("hush")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hush")
}
