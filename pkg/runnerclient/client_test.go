package runnerclient_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

func client(t *testing.T, handler http.HandlerFunc) *runnerclient.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := runnerclient.New(runnerclient.Config{URL: server.URL + "/behind/a/proxy/", Token: "secret"})
	require.NoError(t, err)
	return c
}

func TestRacesAreListedPageByPage(t *testing.T) {
	var asked []string
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
		fmt.Fprint(w, `{"races":[{"id":"r2","status":"queued","position":3,"started_at":null,"lanes":[{"app":"a","client":null}]}],"next":"c/2"}`)
	})
	page, err := c.Races(t.Context(), runnerclient.Filter{Name: "nightly & more", Status: race.Finished, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, "c/2", page.Next)
	require.Equal(t, 3, *page.Races[0].Position)
	require.Nil(t, page.Races[0].StartedAt)
	_, err = c.Races(t.Context(), runnerclient.Filter{Cursor: page.Next})
	require.NoError(t, err)
	require.Equal(t, []string{
		"/behind/a/proxy/v1/races?limit=10&name=nightly+%26+more&status=finished Bearer secret", "/behind/a/proxy/v1/races?cursor=c%2F2 Bearer secret",
	}, asked)
}

func TestARecordComesBackWhole(t *testing.T) {
	want := racetest.FourApps().Race
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/behind/a/proxy/v1/races/"+want.ID, r.URL.Path)
		_ = json.NewEncoder(w).Encode(want)
	})
	got, err := c.Race(t.Context(), want.ID)
	require.NoError(t, err)
	require.Equal(t, want, got.Race)
}

func TestEveryRefusalIsOneSentence(t *testing.T) {
	tests := []struct {
		name       string
		status     int
		body       string
		code       race.Code
		says, hint string
	}{
		{"an unknown race", 404, `{"code":"not_found","message":"no race r1"}`, race.NotFound, "404: no race r1", ""},
		{"another program", 404, "404 page not found", race.Unavailable, "404: Not Found", "address is the runner's own"},
		{"another program's API", 405, `{"status":"error","error":"no"}`, race.Unavailable, "405: Method Not Allowed", "address is the runner's own"},
		{"a wrong token", 401, `{"code":"unauthorized","message":"a token is needed"}`, race.Unavailable, "a token is needed", "token in the data source's settings"},
		{"a proxy's page", 502, "<html>Bad gateway</html>", race.Unavailable, "502: Bad Gateway", "log"},
		{"a login page", 200, "<html>Sign in</html>", race.Unavailable, "not the runner's JSON", "login page"},
		{"a definition's fault", 400, `{"message":"lanes:\n two are needed"}`, race.Invalid, "lanes: two are needed", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			})
			_, err := c.Race(t.Context(), "r1")
			require.ErrorContains(t, err, tt.says)
			require.Equal(t, tt.code, race.CodeOf(err))
			require.Contains(t, race.HintOf(err), tt.hint)
			require.NotContains(t, err.Error(), "\n")
			require.NotErrorIs(t, err, runnerclient.ErrUnreachable)
		})
	}
}

func TestARunnerThatDoesNotAnswerIsUnreachable(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	c, err := runnerclient.New(runnerclient.Config{URL: server.URL})
	require.NoError(t, err)
	_, err = c.Health(t.Context())
	require.ErrorIs(t, err, runnerclient.ErrUnreachable)
	require.ErrorContains(t, err, server.URL+" cannot be reached")
	require.NotContains(t, err.Error(), "\n")
}

func TestNoSegmentCanLeaveItsPlace(t *testing.T) {
	var asked string
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.EscapedPath()
		fmt.Fprint(w, "{}")
	})
	_, err := c.Race(t.Context(), "../../healthz?x=y#z")
	require.NoError(t, err)
	require.Equal(t, "/behind/a/proxy/v1/races/..%2F..%2Fhealthz%3Fx=y%23z", asked)
	for _, id := range []string{"", ".", ".."} {
		_, err := c.Race(t.Context(), id)
		require.Equal(t, race.Invalid, race.CodeOf(err), "%q", id)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, url := range []string{"", "localhost:8737", "ftp://x", "http://", "http://[::1"} {
		_, err := runnerclient.New(runnerclient.Config{URL: url})
		require.Equal(t, race.Invalid, race.CodeOf(err), url)
	}
}
