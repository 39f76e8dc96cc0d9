package datasource_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/stretchr/testify/require"
)

// temporary are the folders of this run, which mean nothing later.
var temporary = regexp.MustCompile(regexp.QuoteMeta(os.TempDir()) + `/[^"\s]*/`)

// weather is what a race tells only if the machine was busy while it ran.
var weather = regexp.MustCompile(`\.audit\.findings\[\]`)

// answers are those of the data source's resource calls, by situation and call.
type answers map[string]map[string]json.RawMessage

// TestTheRecordedAnswersAreThoseOfARealRunner brings a runner into the situations that pictures of the control panel show, and checks that it still
// tells there what the recorded answers tell. -record records them anew.
func TestTheRecordedAnswersAreThoseOfARealRunner(t *testing.T) {
	runner, prometheus := serveRunner(t)
	s := signIn(t, runner.String(), prometheus)
	mux := http.NewServeMux()
	mux.HandleFunc("/{path...}", s.call)
	ask := func(method, path, body string) json.RawMessage {
		request := httptest.NewRequest(method, "/"+path, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		require.Less(t, answer.Code, 300, answer.Body)
		return answer.Body.Bytes()
	}
	type race struct {
		ID, Status string
		Progress   struct {
			Remaining float64 `json:"remaining_ms"`
		}
	}
	read := func(text json.RawMessage) (r race) {
		require.NoError(t, json.Unmarshal(text, &r))
		return r
	}
	const open = "races?status=queued&status=preparing&status=warming-up&status=racing&status=collecting&limit=50"
	start := func(script string) string {
		return read(ask("POST", "races", `{"script":"`+script+`","name":"nightly"}`)).ID
	}
	ended := func(script, status string) json.RawMessage {
		id := start(script)
		require.Eventually(t, func() bool { return read(ask("GET", "races/"+id, "")).Status == status }, time.Minute, 200*time.Millisecond)
		return ask("GET", "races/"+id, "")
	}
	told := answers{
		"idle": {
			"capabilities": ask("GET", "capabilities", ""), "open": ask("GET", open, ""), "scripts": ask("GET", "scripts", ""),
			"script": ask("GET", "scripts/quick.js", ""), "thirty": ask("GET", "scripts/thirty.js", ""),
		},
		"finished": {"race": ended("quick.js", "finished")},
		"failed":   {"race": ended("broken.js", "failed")},
	}
	id := start("slow.js")
	start("quick.js")
	require.Eventually(t, func() bool {
		r := read(ask("GET", "races/"+id, ""))
		return r.Status == "racing" && r.Progress.Remaining > 0
	}, time.Minute, 50*time.Millisecond)
	told["racing"] = map[string]json.RawMessage{"open": ask("GET", open, "")}
	ask("POST", "races/"+id+"/stop", "")
	s.user = &pluginv2.User{Login: "vi", Role: "Viewer"}
	told["viewer"] = map[string]json.RawMessage{"capabilities": ask("GET", "capabilities", "")}

	path := filepath.Join(root, "src", "panels", "control", "testdata", "answers.json")
	if *record {
		text, err := json.MarshalIndent(told, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, append(temporary.ReplaceAll(text, nil), '\n'), 0o600))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var recorded answers
	require.NoError(t, json.Unmarshal(text, &recorded))
	for situation, calls := range recorded {
		for call, answer := range calls {
			now, then := pathsOf(t, told[situation][call]), pathsOf(t, answer)
			if !slices.ContainsFunc(now, weather.MatchString) {
				then = slices.DeleteFunc(then, weather.MatchString)
			}
			require.Subset(t, now, then, "%s: %s", situation, call)
		}
	}
}

// pathsOf are the keys of a JSON text with their values' kinds, those in lists and in lists' items once: "lanes[].exit.reason string".
func pathsOf(t *testing.T, text json.RawMessage) []string {
	t.Helper()
	var value any
	require.NoError(t, json.NewDecoder(bytes.NewReader(text)).Decode(&value))
	var paths []string
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for key, inner := range v {
				walk(path+"."+key, inner)
			}
		case []any:
			for _, inner := range v {
				walk(path+"[]", inner)
			}
		case string:
			paths = append(paths, path+" string")
		case float64:
			paths = append(paths, path+" number")
		case bool:
			paths = append(paths, path+" boolean")
		}
	}
	walk("", value)
	slices.Sort(paths)
	return slices.Compact(paths)
}
