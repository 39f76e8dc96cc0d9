package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

func TestARaceIsAcceptedRunAndTold(t *testing.T) {
	r := start(t)
	a := r.ask("POST", "/v1/races", `{"script":"a.js","name":"nightly","heats":3,"load":{"duration":"3s","rate":20},"warmup":500,"mode":"turns"}`,
		"X-Photofinish-User", "anna", "X-Photofinish-Org", "1")
	require.Equal(t, 202, a.status, a.body)
	id := a.json(t)["id"].(string)
	require.Equal(t, map[string]any{"id": id, "status": "queued", "position": 1.0}, a.json(t))
	require.Equal(t, "/v1/races/"+id, a.header.Get("Location"))
	job := <-r.track.started
	require.Equal(t, 3, *job.Overrides.Heats)
	require.Equal(t, 3*time.Second, *job.Overrides.Duration)
	require.Equal(t, 500*time.Millisecond, *job.Overrides.Warmup)
	require.Equal(t, "anna", job.RequestedBy)
	r.until(id, "racing")
	r.track.finish <- struct{}{}
	r.until(id, "finished")
	record := r.ask("GET", "/v1/races/"+id, "").json(t)
	require.Nil(t, record["position"])
	require.Equal(t, "a.js", record["script"], "the path of the script is nobody's business")
	require.Len(t, record["heats"], racetest.Heats)
	require.Contains(t, r.log.String(), `msg="race accepted"`)
	require.Contains(t, r.log.String(), "user=anna org=1")
}

func TestARaceThatWaitsFitsTheSchemaOfRaceJSON(t *testing.T) {
	r := start(t)
	r.submit()
	id := r.submit()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("../../docs/race.schema.json")
	require.NoError(t, err)
	text := r.ask("GET", "/v1/races/"+id, "").body
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(v))
	record := v.(map[string]any)
	require.Equal(t, json.Number("1"), record["position"])
	require.Equal(t, "queued", record["status"])
	require.Equal(t, sqlite.Hash(twoLanes), record["script_sha256"])
	require.Equal(t, "turns", record["mode"], "what auto is on this machine")
	lane := record["lanes"].([]any)[0].(map[string]any)
	require.Equal(t, "control", lane["app"])
	for _, unknown := range []any{record["started_at"], record["finished_at"], lane["client"], lane["container"], lane["joined"], lane["exit"]} {
		require.Nil(t, unknown)
	}
}

func TestTheSameKeyIsTheSameRace(t *testing.T) {
	r := start(t)
	first := r.ask("POST", "/v1/races", `{"script":"a.js","heats":2}`, "Idempotency-Key", "k1")
	require.Equal(t, 202, first.status)
	again := r.ask("POST", "/v1/races", `{ "heats": 2, "script": "a.js" }`, "Idempotency-Key", "k1")
	require.Equal(t, 202, again.status)
	require.Equal(t, first.body, again.body)
	other := r.ask("POST", "/v1/races", `{"script":"a.js","heats":3}`, "Idempotency-Key", "k1")
	require.Equal(t, 409, other.status)
	require.Equal(t, "conflict", other.json(t)["code"])
	broken := r.ask("POST", "/v1/races", `{"script":"gone.js"}`, "Idempotency-Key", "k2")
	require.Equal(t, 400, broken.status)
	require.Equal(t, 202, r.ask("POST", "/v1/races", `{"script":"a.js"}`, "Idempotency-Key", "k2").status, "a request that was refused uses up no key")
	require.Equal(t, 400, r.ask("POST", "/v1/races", `{"script":"a.js"}`, "Idempotency-Key", strings.Repeat("k", 256)).status)
}

func TestRacesWaitInOrderAndTheQueueIsBounded(t *testing.T) {
	r := start(t)
	first := r.submit()
	<-r.track.started
	ids := []string{r.submit(), r.submit(), r.submit()}
	full := r.ask("POST", "/v1/races", `{"script":"a.js"}`)
	require.Equal(t, 429, full.status)
	require.Equal(t, "queue_full", full.json(t)["code"])
	require.NotEmpty(t, full.header.Get("Retry-After"))
	for i, id := range ids {
		require.Equal(t, float64(i+1), r.ask("GET", "/v1/races/"+id, "").json(t)["position"])
	}
	require.Equal(t, 202, r.ask("POST", "/v1/races/"+ids[0]+"/stop", "").status)
	require.Equal(t, 1.0, r.ask("GET", "/v1/races/"+ids[1], "").json(t)["position"])
	waiting := r.events(ids[1], "", func([]event) bool { return true })
	require.Contains(t, waiting[0].data, `"position":1`)
	r.track.finish <- struct{}{}
	require.Equal(t, ids[1], (<-r.track.started).ID, "one at a time, and the next in order")
	require.Equal(t, "finished", r.status(first))
	require.Equal(t, "cancelled", r.status(ids[0]))
}

func TestStopping(t *testing.T) {
	r := start(t)
	running := r.submit()
	<-r.track.started
	waiting := r.submit()
	for range 2 {
		a := r.ask("POST", "/v1/races/"+waiting+"/stop", "")
		require.Equal(t, 202, a.status, "a race that waits; again")
		require.Equal(t, "cancelled", a.json(t)["status"])
	}
	a := r.ask("POST", "/v1/races/"+running+"/stop", "", "X-Photofinish-User", "bob")
	require.Equal(t, 202, a.status)
	r.until(running, "cancelled")
	require.Contains(t, r.ask("GET", "/v1/races/"+running, "").json(t)["error"], "stopped by bob")
	a = r.ask("POST", "/v1/races/"+running+"/stop", "")
	require.Equal(t, 409, a.status)
	require.Contains(t, a.json(t)["message"], "has already ended")
	require.Equal(t, 404, r.ask("POST", "/v1/races/unknown/stop", "").status)
}

func TestTheEndOfARaceThatWaitedIsToldAsItIsRecorded(t *testing.T) {
	r := start(t)
	r.submit()
	<-r.track.started
	waiting := r.submit()
	for _, who := range []string{"bob", "eve"} { // the second one changes nothing
		require.Equal(t, 202, r.ask("POST", "/v1/races/"+waiting+"/stop", "", "X-Photofinish-User", who).status)
	}
	told := r.events(waiting, "", nil)
	require.Contains(t, told[len(told)-2].data, `"detail":"the race was stopped by bob"`)
	require.Contains(t, told[len(told)-1].data, `"error":"the race was stopped by bob"`)
	require.Equal(t, "the race was stopped by bob", r.ask("GET", "/v1/races/"+waiting, "").json(t)["error"])
}

func TestEventsAreToldToTheEndAndResumed(t *testing.T) {
	r := start(t)
	id := r.submit()
	<-r.track.started
	before := r.events(id, "", func(got []event) bool { return strings.Contains(got[len(got)-1].data, `"racing"`) })
	go func() { r.track.finish <- struct{}{} }()
	rest := r.events(id, before[len(before)-1].id, nil)
	var kinds []string
	for _, e := range rest {
		kinds = append(kinds, e.kind)
	}
	require.Equal(t, []string{"log", "progress", "status", "end"}, kinds)
	require.Contains(t, rest[3].data, `"finished"`)
	again := r.events(id, rest[1].id, nil)
	require.Equal(t, rest[2:], again)
	late := r.events(id, "", nil)
	require.Equal(t, "end", late[len(late)-1].kind)
	require.Equal(t, 404, r.ask("GET", "/v1/races/unknown/events", "").status)
}

func TestAReaderWhoNeverReadsHoldsNobodyUp(t *testing.T) {
	r := start(t, func(c *config.Config) { c.Limits.Streams = 1 })
	id := r.submit()
	job := <-r.track.started
	req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+"/v1/races/"+id+"/events", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	for range 20_000 { // more than all buffers between us hold
		job.View.Log(strings.Repeat("x", 1000))
	}
	full := r.ask("GET", "/v1/races/"+id+"/events", "")
	require.Equal(t, 429, full.status)
	require.Equal(t, "too_many_streams", full.json(t)["code"])
	r.track.finish <- struct{}{}
	r.until(id, "finished")
}

func TestPagesOfRaces(t *testing.T) {
	r := start(t, func(c *config.Config) { c.Limits.Queue = 50 })
	var ids []string
	for range 5 {
		ids = append(ids, r.submit())
	}
	slices.Reverse(ids)
	var got []string
	for path := "/v1/races?limit=2"; path != ""; {
		page := r.ask("GET", path, "").json(t)
		for _, one := range page["races"].([]any) {
			got = append(got, one.(map[string]any)["id"].(string))
		}
		path = ""
		if next, more := page["next"].(string); more {
			path = "/v1/races?limit=2&cursor=" + next
		}
	}
	require.Equal(t, ids, got)
	require.Empty(t, r.ask("GET", "/v1/races?status=finished", "").json(t)["races"])
	require.Len(t, r.ask("GET", "/v1/races?name=a&status=queued", "").json(t)["races"], 4)
	for _, bad := range []string{"limit=0", "limit=x", "status=odd", "cursor=x"} {
		a := r.ask("GET", "/v1/races?"+bad, "")
		require.Equal(t, 400, a.status, bad)
	}
	odd := r.ask("GET", "/v1/races?status=odd", "").json(t)
	require.Equal(t, `status: "odd" is none`, odd["message"])
	require.Equal(t, "choose from queued, preparing, warming-up, racing, collecting, finished, failed, cancelled, interrupted", odd["details"].(map[string]any)["hint"])
}

func TestProfilesAreListedAndSentAsTheyAreKept(t *testing.T) {
	r := start(t)
	id := r.submit()
	job := <-r.track.started
	require.Equal(t, map[string]any{"profiles": []any{}}, r.ask("GET", "/v1/races/"+id+"/profiles", "").json(t))
	record := racetest.FourApps().Race
	record.ID, record.Status = id, race.Collecting
	record.Lanes[0].Profiles = []race.Profile{{Kind: race.CPUProfile, Bytes: 3, Seconds: 10, Requests: 500}}
	app := record.Lanes[0].App
	require.NoError(t, job.Recorder.SaveProfile(id, app, race.CPUProfile, []byte{0x1f, 0x8b, 0}))
	require.NoError(t, job.Recorder.Save(record))
	require.Equal(t, []any{map[string]any{"app": app, "kind": "cpu", "bytes": 3.0, "seconds": 10.0, "requests": 500.0}},
		r.ask("GET", "/v1/races/"+id+"/profiles", "").json(t)["profiles"])
	got := r.ask("GET", "/v1/races/"+id+"/profiles/"+app+"/cpu", "")
	require.Equal(t, 200, got.status)
	require.Equal(t, "\x1f\x8b\x00", got.body)
	require.Equal(t, `attachment; filename="`+id+"-"+app+`-cpu.pb.gz"`, got.header.Get("Content-Disposition"))
	for _, none := range []string{id + "/profiles/" + app + "/heap", id + "/profiles/nobody/cpu", "unknown/profiles", "unknown/profiles/" + app + "/cpu", id + "/profiles/..%2F..%2Fetc/cpu"} {
		require.Equal(t, 404, r.ask("GET", "/v1/races/"+none, "").status, none)
	}
}

func TestScriptsAndLogs(t *testing.T) {
	r := start(t)
	require.Equal(t, []any{"a.js", "dir/b.js"}, r.ask("GET", "/v1/scripts", "").json(t)["scripts"])
	script := r.ask("GET", "/v1/scripts/a.js", "").json(t)
	require.Len(t, script["lanes"], 2)
	require.Equal(t, 50.0, script["load"].(map[string]any)["rate"])
	require.Equal(t, "dir/b.js", r.ask("GET", "/v1/scripts/dir%2Fb.js", "").json(t)["name"])
	require.Equal(t, 404, r.ask("GET", "/v1/scripts/c.js", "").status)
	id := r.submit()
	require.Equal(t, map[string]any{"app": "control", "lines": []any{}}, r.ask("GET", "/v1/races/"+id+"/logs/control", "").json(t))
	require.Equal(t, 404, r.ask("GET", "/v1/races/"+id+"/logs/nobody", "").status)
	require.Equal(t, 404, r.ask("GET", "/v1/races/unknown/logs/control", "").status)
}

func TestAPlanIsWhatTheRaceWouldBeAndQueuesNothing(t *testing.T) {
	r := start(t, func(c *config.Config) { c.Lanes.Resources = true })
	script := r.ask("GET", "/v1/scripts/a.js", "").json(t)
	require.Equal(t, script, r.ask("POST", "/v1/plans", `{"script":"a.js"}`).json(t), "a request that says nothing else is what the script defines")
	require.Equal(t, true, script["resources_allowed"])
	plan := r.ask("POST", "/v1/plans", `{"script":"a.js","heats":4,"warmup":"1s","mode":"turns","load":{"rate":20,"duration":"6s"},"lanes":["new",{"app":"control","cpus":2}],"baseline":"new"}`).json(t)
	require.Equal(t, 4.0, plan["heats"])
	require.Equal(t, "turns", plan["raced_as"])
	require.Equal(t, "new", plan["baseline"])
	require.Equal(t, map[string]any{"executor": "constant-arrival-rate", "vus": nil, "rate": 20.0, "duration_ms": 6000.0}, plan["load"])
	require.Equal(t, 2.0, plan["lanes"].([]any)[1].(map[string]any)["resources"].(map[string]any)["cpus"])
	require.Equal(t, 3000+4*(1200+1000+2*6000+239*10+1000.0), plan["estimate_ms"], "in turns: 240 blocks with 239 pauses")
	plan = r.ask("POST", "/v1/plans", `{"script":"a.js","find_capacity":"latency_p95 < 200","mode":"turns","warmup":"1s","load":{"rate":20,"duration":"6s"}}`).json(t)
	require.Equal(t, "latency_p95<200", plan["find_capacity"])
	require.Equal(t, 16.0, plan["capacity_tries"])
	for body, status := range map[string]int{`{"script":"c.js"}`: 400, `{"script":"a.js","heats":101}`: 400, `{`: 400} {
		asked, planned := r.ask("POST", "/v1/races", body), r.ask("POST", "/v1/plans", body)
		require.Equal(t, status, planned.status, body)
		require.Equal(t, asked.body, planned.body, "a plan refuses what a race refuses, in the same words")
	}
	require.Empty(t, r.ask("GET", "/v1/races", "").json(t)["races"])
}

func TestARefusalNamesTheKeyThatCausedIt(t *testing.T) {
	r := start(t)
	for body, field := range map[string]string{
		`{"heats":101}`:                                       "heats",
		`{"heats":0}`:                                         "heats",
		`{"heats":"many"}`:                                    "heats",
		`{"warmup":"2m"}`:                                     "warmup",
		`{"warmup":"long"}`:                                   "warmup",
		`{"load":{"duration":"11m"}}`:                         "load.duration",
		`{"load":{"duration":"1ms"}}`:                         "load.duration",
		`{"load":{"duration":"long"}}`:                        "load.duration",
		`{"load":{"vus":1001}}`:                               "load.vus",
		`{"load":{"vus":0}}`:                                  "load.vus",
		`{"load":{"rate":10001}}`:                             "load.rate",
		`{"load":{"rate":-1}}`:                                "load.rate",
		`{"mode":"sideways"}`:                                 "mode",
		`{"arrivals":"late"}`:                                 "arrivals",
		`{"baseline":"nobody"}`:                               "baseline",
		`{"engine":"docker"}`:                                 "engine",
		`{"find_capacity":"latency_p96<1"}`:                   "find_capacity",
		`{"find_capacity":"latency_p95<1","load":{"vus":2}}`:  "find_capacity",
		`{"find_capacity":7}`:                                 "find_capacity",
		`{"load":{"VUs":1}}`:                                  "load.VUs",
		`{"name":" "}`:                                        "name",
		`{"lanes":["control"]}`:                               "lanes",
		`{"lanes":["control","stranger"]}`:                    "lanes",
		`{"lanes":["control",{"app":"new","cpus":64}]}`:       "lanes.new.cpus",
		`{"lanes":["control",{"app":"new","cpus":-1}]}`:       "lanes.new.cpus",
		`{"lanes":["control",{"app":"new","memory":"lots"}]}`: "lanes.new.memory",
	} {
		a := r.ask("POST", "/v1/plans", `{"script":"a.js",`+body[1:])
		require.Equal(t, 400, a.status, body)
		require.Equal(t, field, a.json(t)["details"].(map[string]any)["field"], "%s\n%s", body, a.body)
	}
	require.Equal(t, "script", r.ask("POST", "/v1/plans", `{"script":"c.js"}`).json(t)["details"].(map[string]any)["field"])
}

func TestWhoAsksNowAndThenReadsHowFarARaceIs(t *testing.T) {
	r := start(t)
	running, waiting := r.submit(), r.submit()
	job := <-r.track.started
	r.until(running, "racing")
	whole := 3000 + 2*(1200+3000+2*2000+79*10+1000.0)
	progress := func(id string) map[string]any {
		return r.ask("GET", "/v1/races/"+id, "").json(t)["progress"].(map[string]any)
	}
	require.Equal(t, map[string]any{"detail": "", "heat": 0.0, "heats": 2.0, "elapsed_ms": 0.0, "remaining_ms": whole}, progress(waiting))
	job.View.Progress(race.Snapshot{At: time.Now(), Status: race.Racing, Phase: "race", Heat: 2, Heats: 2, Mode: race.Together, Elapsed: 9 * time.Second, Remaining: time.Hour})
	seen := progress(running)
	require.Equal(t, "heat 1 of 8", seen["detail"])
	require.Equal(t, 2.0, seen["heat"])
	require.GreaterOrEqual(t, seen["elapsed_ms"], 9000.0)
	require.InDelta(t, 3_600_000, seen["remaining_ms"], 60_000)
	open := r.ask("GET", "/v1/races?status=queued&status=preparing&status=racing", "").json(t)["races"].([]any)
	require.Len(t, open, 2, "one call shows the track and the queue")
	require.NotNil(t, open[1].(map[string]any)["progress"])
	r.track.finish <- struct{}{}
	r.until(running, "finished")
	require.Nil(t, r.ask("GET", "/v1/races/"+running, "").json(t)["progress"])
}

func TestBadRequestsAreRefusedInASentence(t *testing.T) {
	r := start(t)
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf(`"l%d":{"url":"http://127.0.0.1/"}`, i)
	}
	tests := []struct {
		name, body string
		status     int
		says       string
	}{
		{"no JSON", `{`, 400, "is no JSON"},
		{"nothing", ``, 400, "the request is empty"},
		{"a list", `[]`, 400, "must be a JSON object"},
		{"two requests", `{"script":"a.js"}{"script":"a.js"}`, 400, "is no JSON"},
		{"no script", `{}`, 400, "script: is missing"},
		{"an unknown script", `{"script":"c.js"}`, 400, "there is no script"},
		{"an unknown key", `{"script":"a.js","heat":3}`, 400, `unknown key "heat"`},
		{"an unknown key of the load", `{"script":"a.js","load":{"vu":3}}`, 400, `unknown key "load.vu"`},
		{"a key in other letters", `{"script":"a.js","NAME":"x"}`, 400, `unknown key "NAME"`},
		{"a key of the load in other letters", `{"script":"a.js","load":{"Rate":3}}`, 400, `unknown key "load.Rate"`},
		{"a key twice", `{"script":"a.js","heats":2,"heats":3}`, 400, `duplicate key "heats"`},
		{"a wrong type", `{"script":"a.js","heats":"many"}`, 400, "heats: must be a whole number, not string"},
		{"a wrong type deeper", `{"script":"a.js","load":{"vus":1.5}}`, 400, "load.vus: must be a whole number"},
		{"a bad duration", `{"script":"a.js","load":{"duration":"long"}}`, 400, "load.duration: must be a duration"},
		{"a mode", `{"script":"a.js","mode":"sideways"}`, 400, `mode "sideways" is unknown`},
		{"a baseline", `{"script":"a.js","baseline":"nobody"}`, 400, `baseline "nobody" is no lane`},
		{"an engine", `{"script":"a.js","engine":"docker"}`, 400, `engine "docker" is not known`},
		{"too many heats", `{"script":"a.js","heats":101}`, 400, "number of heats is 101; this runner allows at most 100"},
		{"too long", `{"script":"a.js","load":{"duration":"11m"}}`, 400, "this runner allows at most 10m"},
		{"too many VUs", `{"script":"a.js","load":{"vus":1001}}`, 400, "VUs of lane control is 1001"},
		{"too high a rate", `{"script":"a.js","load":{"rate":10001}}`, 400, "rate per second of lane control is 10001"},
		{"10,000 lanes", `{"script":"a.js","lanes":{` + strings.Join(many, ",") + `}}`, 400, "names 10000 lanes; this runner allows at most 4"},
		{"1 MB of JSON", `{"script":"a.js","name":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "larger than 1048576 bytes"},
		{"a name of 201 characters", `{"script":"a.js","name":"` + strings.Repeat("é", 201) + `"}`, 400, "name: must be 1 to 200 characters long"},
		{"a lane out of a film", `{"script":"a.js","lanes":{"control":{},"\"}; DROP":{"command":"x","port":1}}}`, 400, "is not possible"},
		{"one lane", `{"script":"a.js","lanes":["control"]}`, 400, "it takes two to race"},
		{"a url", `{"script":"a.js","lanes":{"control":{},"new":{"url":"http://169.254.169.254/"}}}`, 400, "lanes.new.url: this runner does not allow that"},
		{"a command", `{"script":"a.js","lanes":["control",{"app":"new","command":["rm","-rf","/"]}]}`, 400, "lanes.new.command: this runner does not allow that"},
		{"a variable", `{"script":"a.js","lanes":["control",{"app":"new","env":{"LD_PRELOAD":"x"}}]}`, 400, "lanes.new.env.LD_PRELOAD: this runner does not allow"},
		{"more CPU", `{"script":"a.js","lanes":["control",{"app":"new","cpus":64}]}`, 400, "lanes.new.cpus: this runner does not allow"},
		{"a build", `{"script":"a.js","lanes":["control",{"app":"new","build":"/","command":null}]}`, 400, "lanes.new.build: a request cannot bring that"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := r.ask("POST", "/v1/races", tt.body)
			require.Equal(t, tt.status, a.status, a.body)
			require.Contains(t, a.json(t)["message"], tt.says)
			require.NotContains(t, a.json(t)["message"], "\n")
		})
	}
	require.Equal(t, 415, r.ask("POST", "/v1/races", `{}`, "Content-Type", "text/plain").status)
	require.Equal(t, 200, r.ask("POST", "/v1/plans", `{"script":"a.js","name":"`+strings.Repeat("é", 200)+`"}`).status, "characters are counted, not bytes")
	require.Empty(t, r.ask("GET", "/v1/races", "").json(t)["races"])
}

func TestABoundThatIsToldIsTheRunnersWhereThatIsLower(t *testing.T) {
	r := start(t)
	for body, says := range map[string]string{
		`"heats":-1`:                "heats is -1; it must be 1 to 100",
		`"heats":1001`:              "heats is 1001; it must be 1 to 100",
		`"load":{"vus":0}`:          "vus is 0; it must be 1 to 1000",
		`"load":{"rate":0}`:         "rate is 0; it must be above 0 and at most 10000",
		`"load":{"duration":"1ms"}`: "the load lasts 1ms in each heat; it must be 1s to 10m0s",
	} {
		a := r.ask("POST", "/v1/races", `{"script":"a.js",`+body+`}`)
		require.Equal(t, 400, a.status, a.body)
		require.Equal(t, says, a.json(t)["message"])
	}
}

func TestContainersAreStartedOfAllowedImagesOnly(t *testing.T) {
	r := start(t, func(c *config.Config) {
		c.Engines = []string{"process", "docker"}
		c.Docker.Images = []string{"acme/*"}
		c.Lanes.Images = []string{"*", "*/*"}
		c.Limits.Queue = 50
	})
	both := func(image string) string {
		return fmt.Sprintf(`{"script":"a.js","engine":"docker","lanes":[{"app":"one","image":"acme/web:1","port":4000},{"app":"two","image":%q,"port":4001}],"baseline":"one"}`, image)
	}
	a := r.ask("POST", "/v1/races", both("acme/web:2"))
	require.Equal(t, 202, a.status, a.body)
	a = r.ask("POST", "/v1/races", both("evil/miner:3"))
	require.Equal(t, 400, a.status, a.body)
	require.Equal(t, "lane two: the image evil/miner:3 may not be run here; those that may are acme/*", a.json(t)["message"])
}

func TestALaneMayHaveCPUsThatAreThereOnly(t *testing.T) {
	r := start(t, func(c *config.Config) { c.Lanes.Resources = true })
	for set, status := range map[string]int{"0-1": 202, "1-0": 400, "0-99": 400} {
		a := r.ask("POST", "/v1/races", `{"script":"a.js","lanes":["control",{"app":"new","cpuset":"`+set+`"}]}`)
		require.Equal(t, status, a.status, "%s\n%s", set, a.body)
		if status == 400 {
			require.Equal(t, "lanes.new.cpuset", a.json(t)["details"].(map[string]any)["field"])
		}
	}
}

func TestAnEngineThatCannotStartTheLanesIsRefused(t *testing.T) {
	r := start(t, func(c *config.Config) {
		c.Engines, c.Docker.Images = []string{"process", "docker"}, []string{"acme/*"}
	})
	for _, path := range []string{"/v1/plans", "/v1/races"} {
		a := r.ask("POST", path, `{"script":"a.js","engine":"docker"}`)
		require.Equal(t, 400, a.status, a.body)
		require.Equal(t, "lane control cannot be started by the engine docker: it has a command, and that engine needs an image, a build folder or a compose service", a.json(t)["message"])
		require.Equal(t, "engine", a.json(t)["details"].(map[string]any)["field"])
	}
}

func TestAProgramThatIsNotThereIsRefusedWhenItsRaceIsAskedFor(t *testing.T) {
	r := start(t, func(c *config.Config) { c.Lanes.Commands = []string{"./gone", "gone"} })
	for command, says := range map[string]string{
		"./gone": "lane new: cannot run /scripts/gone: no such file or directory",
		"gone":   "lane new: there is no program gone in PATH",
	} {
		for _, path := range []string{"/v1/plans", "/v1/races"} {
			a := r.ask("POST", path, `{"script":"a.js","lanes":["control",{"app":"new","command":"`+command+`"}]}`)
			require.Equal(t, 400, a.status, a.body)
			require.Contains(t, a.json(t)["message"], says)
			require.Equal(t, "lanes.new.command", a.json(t)["details"].(map[string]any)["field"])
		}
	}
}

func TestAK6OfAnImageThatMayNotBeRunIsRefusedWhenItsRaceIsAskedFor(t *testing.T) {
	for says, change := range map[string]func(*config.Config){
		"no engine here can run k6 from the image acme/k6:2":       func(*config.Config) {},
		"k6: the image acme/k6:2 may not be run here; none may be": func(c *config.Config) { c.Engines = []string{"process", "docker"} },
		"k6: the image acme/k6:2 may not be run here; those that may are grafana/k6:2.*": func(c *config.Config) {
			c.Engines, c.Docker.Images = []string{"process", "docker"}, []string{"grafana/k6:2.*"}
		},
	} {
		a := start(t, change).ask("POST", "/v1/races", `{"script":"box.js"}`)
		require.Equal(t, 400, a.status, a.body)
		require.Equal(t, says, a.json(t)["message"])
	}
	r := start(t, func(c *config.Config) {
		c.Engines, c.Docker.Images = []string{"process", "docker"}, []string{"acme/k6"}
	})
	a := r.ask("POST", "/v1/races", `{"script":"box.js"}`)
	require.Equal(t, 202, a.status, a.body)
	record := r.ask("GET", "/v1/races/"+a.json(t)["id"].(string), "").json(t)
	require.Equal(t, map[string]any{"image": map[string]any{"name": "acme/k6:2", "id": ""}}, record["k6"], "which one it is is known when it is prepared")
}

func TestWhatTheConfigurationAllowsARequestMaySayOfLanes(t *testing.T) {
	r := start(t, func(c *config.Config) {
		c.Lanes = config.Lanes{URLHosts: []string{"127.0.0.1:4000", "*.example.com"}, Commands: []string{"high-cpu --quick"}, Env: []string{"LEVEL"}, Resources: true}
		c.Limits.Queue = 50
	})
	for body, status := range map[string]int{
		`{"url":"http://127.0.0.1:4000/x"}`:                          202,
		`{"url":"http://127.0.0.1:4001/x"}`:                          400,
		`{"url":"https://a.EXAMPLE.com/"}`:                           202,
		`{"url":"https://example.com/"}`:                             400,
		`{"url":"https://example.com.evil.org/"}`:                    400,
		`{"command":"high-cpu --quick","cpus":2,"memory":"64m"}`:     202,
		`{"command":["high-cpu"]}`:                                   400,
		`{"env":{"LEVEL":"3"},"path":"/y","health":"/up"}`:           202,
		`{"env":{"LEVEL":"3","PATH":"/tmp"}}`:                        400,
		`{}`:                                                         202,
		`null`:                                                       202,
		`{"image":"photofinish/new:2","command":"high-cpu --quick"}`: 400,
	} {
		a := r.ask("POST", "/v1/races", `{"script":"a.js","lanes":{"control":null,"new":`+body+`}}`)
		require.Equal(t, status, a.status, "%s\n%s", body, a.body)
	}
}

func TestOnlyTheTokenOpens(t *testing.T) {
	r := start(t)
	r.submit()
	for _, path := range []string{"/v1/races", "/v1/races/x", "/v1/races/x/events", "/v1/races/x/logs/a", "/v1/races/x/profiles", "/v1/races/x/profiles/a/cpu", "/v1/scripts", "/v1/scripts/a.js", "/metrics"} {
		for _, header := range []string{"", "Bearer wrong", "Bearer", "Basic " + token, "Bearer " + token + "x"} {
			a := r.send(r.http, "GET", path, "", "Authorization", header)
			require.Equal(t, 401, a.status, "%s with %q", path, header)
			require.Equal(t, "unauthorized", a.json(t)["code"])
			require.NotEmpty(t, a.header.Get("WWW-Authenticate"))
		}
	}
	require.Equal(t, 401, r.send(http.DefaultClient, "GET", "/nowhere", "").status)
	health := r.send(r.http, "GET", "/healthz", "").json(t)
	require.Equal(t, "1.2.3", health["version"])
	require.Equal(t, "ok", health["engines"].(map[string]any)["process"].(map[string]any)["state"])
	metrics := r.ask("GET", "/metrics", "").body
	require.Regexp(t, `photofinish_races\{status="(queued|preparing|racing)"\} 1`, metrics)
	require.Contains(t, metrics, "photofinish_queue_length")
	require.Contains(t, metrics, `photofinish_http_request_duration_seconds_count{code="401",method="GET",route="/v1/races"} 5`)
}

func TestWithoutATokenOnlyThisMachineIsAnsweredAndNobodyIsBelieved(t *testing.T) {
	r := start(t, func(c *config.Config) { c.Token.Env = "none" })
	a := r.send(r.http, "POST", "/v1/races", `{"script":"a.js"}`, "X-Photofinish-User", "the boss")
	require.Equal(t, 202, a.status)
	record := r.send(r.http, "GET", "/v1/races/"+a.json(t)["id"].(string), "").json(t)
	require.Nil(t, record["requested_by"])
	require.Equal(t, 403, r.send(r.http, "GET", "/v1/races", "", "Host", "evil.example.com").status, "DNS rebinding")
	require.Equal(t, 403, r.send(r.http, "POST", "/v1/races", `{"script":"a.js"}`, "Origin", "https://evil.example.com").status, "a web page")
}

func TestALongNameOfAUserIsCutBetweenCharacters(t *testing.T) {
	r := start(t)
	a := r.ask("POST", "/v1/races", `{"script":"a.js"}`, "X-Photofinish-User", "x"+strings.Repeat("é", 150))
	require.Equal(t, 202, a.status)
	record := r.ask("GET", "/v1/races/"+a.json(t)["id"].(string), "").json(t)
	require.Equal(t, "x"+strings.Repeat("é", 99), record["requested_by"])
}

func TestWhatIsNotThereIsToldInJSONToo(t *testing.T) {
	r := start(t)
	plain := http.DefaultClient // the document knows nothing of these
	bearer := []string{"Authorization", "Bearer " + token}
	a := r.send(plain, "GET", "/v2/races", "", bearer...)
	require.Equal(t, 404, a.status)
	require.Equal(t, "not_found", a.json(t)["code"])
	a = r.send(plain, "DELETE", "/v1/races", "", bearer...)
	require.Equal(t, 405, a.status)
	require.Equal(t, "POST, GET, HEAD", a.header.Get("Allow"))
	require.Equal(t, "method_not_allowed", a.json(t)["code"])
}

func TestARefusalSaysWhatToDoNext(t *testing.T) {
	r := start(t)
	id := r.submit()
	<-r.track.started
	r.track.finish <- struct{}{}
	r.until(id, "finished")
	for _, c := range []struct {
		method, path, body string
		headers            []string
		status             int
		hint               string
	}{
		{"GET", "/v1/races?limit=x", "", nil, 400, "leave it out for 50, or ask for up to 200"},
		{"GET", "/v1/races?cursor=x", "", nil, 400, "use next of the page before as it is"},
		{"GET", "/v1/races/unknown", "", nil, 404, "use an id from the list of races"},
		{"GET", "/v1/races/" + id + "/logs/nobody", "", nil, 404, "its apps are control, high-latency, high-cpu, memory-leak"},
		{"GET", "/v1/races/" + id + "/profiles/control/cpu", "", nil, 404, "choose one of the profiles that its record names"},
		{"GET", "/v1/nothing", "", nil, 404, "the calls are /healthz, /metrics and those under /v1 that docs/openapi.yaml describes"},
		{"POST", "/v1/races/" + id + "/stop", "", nil, 409, "there is nothing left to stop; its record says how it ended"},
		{"POST", "/v1/races", "", nil, 400, "send a JSON object with script, name, "},
		{"POST", "/v1/races", `[]`, nil, 400, "send a JSON object with script, name, "},
		{"POST", "/v1/races", `{`, nil, 400, "send one JSON object with script, name, "},
		{"POST", "/v1/races", `{"script":"a.js","name":" "}`, nil, 400, "leave it out for the script's"},
		{"POST", "/v1/races", `{"script":"a.js","lanes":["control"]}`, nil, 400, "or as lanes of a request"},
		{"POST", "/v1/races", `{"script":"a.js","lanes":["a","b","c","d","e"]}`, nil, 400, "ask for fewer, or let limits.lanes of the runner's configuration allow more"},
		{"POST", "/v1/races", `{"script":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "say less in it, or let limits.body of the runner's configuration allow more"},
		{"POST", "/v1/races", `{"script":"a.js"}`, []string{"Idempotency-Key", strings.Repeat("x", 256)}, 400, "choose a shorter one, such as a UUID"},
		{"POST", "/v1/races", `{"script":"a.js"}`, []string{"Content-Type", "text/plain"}, 415, "send it with Content-Type: application/json"},
	} {
		a := r.send(http.DefaultClient, c.method, c.path, c.body, append([]string{"Authorization", "Bearer " + token}, c.headers...)...)
		require.Equal(t, c.status, a.status, a.body)
		require.NotNil(t, a.json(t)["details"], a.body)
		require.Contains(t, a.json(t)["details"].(map[string]any)["hint"], c.hint, a.body)
	}
}

func TestAnUnfairRaceIsOverriddenByWhoIsKnownAndSaysWhy(t *testing.T) {
	r := start(t)
	fair, unfair := racetest.FourApps().Race, racetest.Unfair()
	unfair.ID = "unfair"
	for _, one := range []race.Race{fair, unfair} {
		text, err := json.Marshal(one)
		require.NoError(t, err)
		_, err = r.db.Unpack(t.Context(), sqlite.Parcel{Race: text})
		require.NoError(t, err)
	}
	anna := []string{"X-Photofinish-User", "anna"}
	for name, c := range map[string]struct {
		id, body string
		who      []string
		status   int
		says     string
	}{
		"nobody is named":          {"unfair", `{"reason":"it was the backup"}`, nil, 400, "nobody is named"},
		"no reason is given":       {"unfair", `{}`, anna, 400, "reason: must be 1 to 1000 characters long"},
		"a key in other letters":   {"unfair", `{"Reason":"x"}`, anna, 400, `unknown key "Reason"`},
		"another key":              {"unfair", `{"reason":"x","because":"y"}`, anna, 400, `unknown key "because"`},
		"a fair race":              {fair.ID, `{"reason":"x"}`, anna, 409, "passed its audit"},
		"a race that is not there": {"other", `{"reason":"x"}`, anna, 404, "no race"},
		"a race that waits":        {r.submit(), `{"reason":"x"}`, anna, 409, "has not ended"},
	} {
		a := r.ask("POST", "/v1/races/"+c.id+"/override", c.body, c.who...)
		require.Equal(t, c.status, a.status, name)
		require.Contains(t, a.json(t)["message"], c.says, name)
	}
	a := r.ask("POST", "/v1/races/unfair/override", `{"reason":"it was the backup"}`, anna...)
	require.Equal(t, 200, a.status, a.body)
	audit := a.json(t)["audit"].(map[string]any)
	require.Equal(t, []any{false, "anna", "it was the backup"}, []any{audit["fair"], audit["overridden_by"], audit["override_reason"]})
	require.Equal(t, a.body, r.ask("GET", "/v1/races/unfair", "").body)
	require.Contains(t, r.log.String(), "the audit was overridden")
	require.Equal(t, 409, r.ask("POST", "/v1/races/unfair/override", `{"reason":"again"}`, anna...).status)

	open := start(t, func(c *config.Config) { c.Token.Env = "none" })
	require.Equal(t, 400, open.ask("POST", "/v1/races/unfair/override", `{"reason":"x"}`, anna...).status, "without a token nobody's word for who he is counts")
}
