package definition_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/stretchr/testify/require"
)

// lane is a script with control and a second lane of the given keys.
func lane(keys string) string {
	return `"lanes": {"control": {"command": "control", "port": 4000}, "other": {` + keys + `}}`
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	type bad struct {
		photofinish, options string
		o                    definition.Overrides
		says, hint           string
	}
	for name, c := range map[string]bad{
		"no lanes":                    {says: "the race has no lanes", hint: "--lane NAME=URL"},
		"one lane":                    {photofinish: `"lanes": {"a": {"command": "a", "port": 1}}`, says: "one lane, a"},
		"lanes that are no object":    {photofinish: `"lanes": [1]`, says: "options.ext.photofinish.lanes: must be an object, not [1]"},
		"ext that is no object":       {photofinish: `"lanes": "x"`, says: "must be an object"},
		"a baseline that is no lane":  {photofinish: twoLanes + `, "baseline": "contrl"`, says: `baseline "contrl" is no lane; the lanes are control, slow`, hint: `did you mean "control"?`},
		"a baseline flag":             {photofinish: twoLanes, o: definition.Overrides{Baseline: "x"}, says: `baseline "x" is no lane`},
		"an unknown key":              {photofinish: twoLanes + `, "heat": 8`, says: `options.ext.photofinish: unknown key "heat"`, hint: `did you mean "heats"?`},
		"an unknown key far off":      {photofinish: twoLanes + `, "colour": 8`, says: `unknown key "colour"`, hint: "known keys: name, baseline"},
		"an unknown key of a lane":    {photofinish: lane(`"comand": "x", "port": 1`), says: `options.ext.photofinish.lanes.other: unknown key "comand"`, hint: `did you mean "command"?`},
		"an unknown key of health":    {photofinish: lane(`"command": "x", "port": 1, "health": {"paht": "/"}`), says: `health: unknown key "paht"`, hint: `"path"`},
		"a lane name":                 {photofinish: `"lanes": {"a b": {"command": "a", "port": 1}, "c": {"command": "c", "port": 2}}`, says: `lane name "a b"`},
		"a lane without a start":      {photofinish: lane(`"port": 1`), says: "lanes.other: says no way to start"},
		"a lane without a port":       {photofinish: lane(`"command": "x"`), says: "lanes.other: has no port"},
		"image and build":             {photofinish: lane(`"image": "x", "build": ".", "port": 1`), says: "has image and build; choose one"},
		"url and command":             {photofinish: lane(`"url": "http://x", "command": "x"`), says: "has url and command"},
		"url and limits":              {photofinish: lane(`"url": "http://x", "cpus": 1`), says: "has url and cpus"},
		"a url without a host":        {photofinish: lane(`"url": "localhost:4000"`), says: `other.url: "localhost:4000" is no http address`},
		"a compose without service":   {photofinish: lane(`"compose": "docker-compose.yaml", "port": 1`), says: "must be FILE#SERVICE"},
		"an empty command":            {photofinish: lane(`"command": [], "port": 1`), says: "other.command: must not be empty"},
		"a command of numbers":        {photofinish: lane(`"command": [1], "port": 1`), says: "must be a string or a list of strings"},
		"a port out of range":         {photofinish: lane(`"command": "x", "port": 65536`), says: "other.port: is 65536"},
		"half a port":                 {photofinish: lane(`"command": "x", "port": 1.5`), says: "must be a whole number, not 1.5"},
		"two lanes with one port":     {photofinish: lane(`"command": "x", "port": 4000`), says: "lanes control and other both have port 4000"},
		"no cpus":                     {photofinish: lane(`"command": "x", "port": 1, "cpus": 0`), says: "other.cpus: is 0"},
		"cpus in words":               {photofinish: lane(`"command": "x", "port": 1, "cpus": "half"`), says: "other.cpus: must be a number"},
		"a memory in words":           {photofinish: lane(`"command": "x", "port": 1, "memory": "lots"`), says: "other.memory: must be like '128m'"},
		"a memory of nothing":         {photofinish: lane(`"command": "x", "port": 1, "memory": "128"`), says: "no process lives in less"},
		"a cpuset":                    {photofinish: lane(`"command": "x", "port": 1, "cpuset": "0..3"`), says: "must be a list of CPUs"},
		"a cpuset backwards":          {photofinish: lane(`"command": "x", "port": 1, "cpuset": "0,3-1"`), says: `other.cpuset: invalid range "3-1"`, hint: "lower number first"},
		"a cpuset beyond all":         {photofinish: lane(`"command": "x", "port": 1, "cpuset": "0-9999999999"`), says: "must be a list of CPUs"},
		"an env that is deep":         {photofinish: lane(`"command": "x", "port": 1, "env": {"A": {}}`), says: "other.env.A: must be a string"},
		"an env name":                 {photofinish: lane(`"command": "x", "port": 1, "env": {"A=B": "c"}`), says: "is no name of a variable"},
		"a health path":               {photofinish: lane(`"command": "x", "port": 1, "health": "up"`), says: "must begin with /"},
		"a health timeout":            {photofinish: lane(`"command": "x", "port": 1, "health": {"timeout": 0}`), says: "health.timeout: must be above 0"},
		"a queue and a url":           {photofinish: lane(`"url": "http://x", "queue": "q"`), says: "has url and queue"},
		"a queue and a path":          {photofinish: lane(`"command": "x", "queue": "q", "path": "/x"`), says: "has queue and path"},
		"a queue that is a number":    {photofinish: lane(`"command": "x", "queue": 1`), says: "queue: must be the name or address of a queue or {requests, replies}, not 1"},
		"a queue without messages":    {photofinish: lane(`"command": "x", "queue": {"replies": "q"}`), says: "queue: names no queue for the messages"},
		"a queue with another key":    {photofinish: lane(`"command": "x", "queue": {"request": "q"}`), says: `queue: unknown key "request"`, hint: `"requests"`},
		"one queue for both":          {photofinish: lane(`"command": "x", "queue": {"requests": "q", "replies": "q"}`), says: "one queue for messages and replies"},
		"limits of a running worker":  {photofinish: lane(`"queue": "q", "cpus": 1`), says: "has queue and cpus, and nothing to start"},
		"two workers of one queue":    {photofinish: `"lanes": {"a": {"queue": "q"}, "b": {"queue": "q"}}`, says: "lanes a and b both have the queue q"},
		"workers and another k6":      {photofinish: `"k6": {"image": "k"}, "lanes": {"a": {"queue": "q"}, "b": {"queue": "r"}}`, says: "the k6 of an image cannot race workers"},
		"no heats":                    {photofinish: twoLanes + `, "heats": 0`, says: "heats is 0"},
		"heats flag of 0":             {photofinish: twoLanes, o: definition.Overrides{Heats: ptr(0)}, says: "heats is 0; it must be 1 to 1000"},
		"negative heats":              {photofinish: twoLanes, o: definition.Overrides{Heats: ptr(-1)}, says: "heats is -1"},
		"too many heats":              {photofinish: twoLanes + `, "heats": 1e12`, says: "heats is 1001"},
		"half a heat":                 {photofinish: twoLanes + `, "heats": 1.5`, says: "heats: must be a whole number"},
		"a warm-up":                   {photofinish: twoLanes + `, "warmup": "soon"`, says: "warmup: must be a duration like '10s'"},
		"a warm-up without a unit":    {photofinish: twoLanes + `, "warmup": "5"`, says: `warmup: "5" has no unit`, hint: "like '10s'"},
		"a negative warm-up":          {photofinish: twoLanes + `, "warmup": -1`, says: "warmup: is -1ms"},
		"a mode":                      {photofinish: twoLanes + `, "mode": "turn"`, says: `mode "turn" is unknown`, hint: `"turns"`},
		"arrivals":                    {photofinish: twoLanes, o: definition.Overrides{Arrivals: "random"}, says: `arrivals "random" is unknown; choose uniform, poisson, even`},
		"a k6 by its name":            {photofinish: twoLanes + `, "k6": "grafana/k6"`, says: "options.ext.photofinish.k6: must be an object", hint: "k6: { image:"},
		"a k6 with another key":       {photofinish: twoLanes + `, "k6": {"img": "x"}`, says: `options.ext.photofinish.k6: unknown key "img"`, hint: "image"},
		"a k6 in no pods":             {photofinish: twoLanes + `, "k6": {"image": "x", "pods": 0}`, says: "options.ext.photofinish.k6.pods: is 0; it must be 1 to 1000"},
		"a k6 in half a pod":          {photofinish: twoLanes + `, "k6": {"image": "x", "pods": 1.5}`, says: "options.ext.photofinish.k6.pods: must be a whole number"},
		"limits of a k6 in no pod":    {photofinish: twoLanes + `, "k6": {"image": "x", "cpus": 1}`, says: "options.ext.photofinish.k6.cpus and memory are those of a pod", hint: "pods"},
		"pods without an image":       {photofinish: twoLanes + `, "k6": {"pods": 2}`, says: "options.ext.photofinish.k6.pods: says how many pods of an image", hint: "image"},
		"a k6 without a name":         {photofinish: twoLanes + `, "k6": {"image": " "}`, says: "options.ext.photofinish.k6.image: must not be empty"},
		"a minimum effect":            {photofinish: twoLanes + `, "minimum_effect": 2`, says: "minimum_effect: is 2"},
		"a minimum effect in words":   {photofinish: twoLanes + `, "minimum_effect": "2%"`, says: "minimum_effect: must be a number or an object by measure", hint: "latency_p95: 0.05"},
		"the effect of no measure":    {photofinish: twoLanes + `, "minimum_effect": {"latency_p96": 0.1}`, says: `minimum_effect.latency_p96: there is no measure "latency_p96"`, hint: "latency_p95"},
		"the effect of a count":       {photofinish: twoLanes + `, "minimum_effect": {"vus": 0.1}`, says: "vus is shown and never judged"},
		"the effect of a measure":     {photofinish: twoLanes + `, "minimum_effect": {"latency_p95": 1.5}`, says: "minimum_effect.latency_p95: is 1.5; it must be above 0 and below 1"},
		"the effect of a share":       {photofinish: twoLanes + `, "minimum_effect": {"error_rate": 1.5}`, says: "minimum_effect.error_rate: is 1.5; it must be above 0 and below 1"},
		"the effect of a difference":  {photofinish: twoLanes + `, "minimum_effect": {"memory_slope": 0}`, says: "memory_slope is compared by its difference, so it must be above 0 in Bps"},
		"an effect that is null":      {photofinish: twoLanes + `, "minimum_effect": {"latency_p95": null}`, says: "minimum_effect.latency_p95: is NaN"},
		"an effect flag":              {photofinish: twoLanes, o: definition.Overrides{MinimumEffect: []string{"5%"}}, says: `minimum effect "5%" is neither NUMBER nor MEASURE=NUMBER`},
		"an effect flag of nothing":   {photofinish: twoLanes, o: definition.Overrides{MinimumEffect: []string{"p95=0.1"}}, says: `there is no measure "p95"`, hint: "latency_p95"},
		"an effect flag beyond 1":     {photofinish: twoLanes, o: definition.Overrides{MinimumEffect: []string{"latency_p95=NaN"}}, says: "is NaN; it must be above 0 and below 1"},
		"a primary measure":           {photofinish: twoLanes + `, "primary": ["latency_p95", "p99"]`, says: `options.ext.photofinish.primary: there is no measure "p99"`, hint: "latency_p99"},
		"an exec not exported":        {photofinish: twoLanes, options: `"scenarios": {"s": {"executor": "constant-vus", "exec": "brows"}}`, says: `options.scenarios.s: exec names "brows"`, hint: `"browse"`},
		"an executor":                 {photofinish: twoLanes, options: `"scenarios": {"s": {"executor": "externally-controlled"}}`, says: `executor "externally-controlled" cannot be raced`},
		"an app that is no lane":      {photofinish: twoLanes, options: `"scenarios": {"s": {"executor": "constant-vus", "tags": {"app": "sloww"}}}`, says: `tagged app "sloww"`, hint: `"slow"`},
		"a lane without a scenario":   {photofinish: twoLanes, options: `"scenarios": {"s": {"executor": "constant-vus", "tags": {"app": "slow"}}}`, says: "lane control has no scenario"},
		"a rate of 0":                 {photofinish: twoLanes, options: open(`"rate": 0, "duration": "1s"`), says: "scenarios.s.rate: gives no load"},
		"a duration of 0":             {photofinish: twoLanes, options: open(`"rate": 1, "duration": "0s"`), says: "scenarios.s.duration: must be above 0"},
		"stages of no length":         {photofinish: twoLanes, options: `"stages": [{"duration": "0s", "target": 1}]`, says: "stages: must last above 0"},
		"a short duration":            {photofinish: twoLanes, o: definition.Overrides{Duration: ptr(time.Millisecond)}, says: "it must be 1s to"},
		"a rate that is no number":    {photofinish: twoLanes, o: definition.Overrides{Rate: ptr(math.NaN())}, says: "rate is NaN; it must be above 0 and at most 1000000"},
		"vus of 0":                    {photofinish: twoLanes, o: definition.Overrides{VUs: ptr(int64(0))}, says: "vus is 0"},
		"a rate for two scenarios":    {photofinish: twoLanes, options: `"scenarios": {"a": {"executor": "constant-vus"}, "b": {"executor": "constant-vus"}}`, o: definition.Overrides{Rate: ptr(1.0)}, says: "lane control has 2"},
		"a lane flag without =":       {photofinish: twoLanes, o: definition.Overrides{Lanes: []string{"x"}}, says: `lane "x" is not NAME=URL`},
		"a lane flag twice":           {photofinish: twoLanes, o: definition.Overrides{Lanes: []string{"x=http://a", "x=http://b"}}, says: "lane x is given twice"},
		"a lane flag's address":       {photofinish: twoLanes, o: definition.Overrides{Lanes: []string{"x=ftp://a"}}, says: `"ftp://a" is no http address`},
		"a profile that is no object": {photofinish: lane(`"command": "x", "port": 1, "profile": "/debug/pprof"`), says: "other.profile: must be an object", hint: "profile: { pprof: '/debug/pprof' }"},
		"another profile":             {photofinish: lane(`"command": "x", "port": 1, "profile": {"prof": "/"}`), says: `other.profile: unknown key "prof"`, hint: `"pprof"`},
		"a profile's host":            {photofinish: lane(`"command": "x", "port": 1, "profile": {"pprof": "http://10.0.0.1/debug/pprof"}`), says: "other.profile.pprof:", hint: "at the lane's own address"},
		"a profile's host in a path":  {photofinish: lane(`"command": "x", "port": 1, "profile": {"pprof": "//10.0.0.1/debug/pprof"}`), says: "is no path"},
		"a profile's way out":         {photofinish: lane(`"command": "x", "port": 1, "profile": {"pprof": "/debug/../admin"}`), says: "is no path"},
		"a profile's query":           {photofinish: lane(`"command": "x", "port": 1, "profile": {"pprof": "/debug/pprof?x=1"}`), says: "is no path"},
		"a pyroscope without a host":  {photofinish: lane(`"command": "x", "port": 1, "profile": {"pyroscope": "pyroscope:4040"}`), says: "other.profile.pyroscope:", hint: "http://"},
		"too many profile heats":      {photofinish: twoLanes + `, "profile_heats": 11`, says: "profile_heats is 11; it must be 0 to 10"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := definition.Parse(script(c.photofinish, c.options), "s.js", c.o)
			require.ErrorContains(t, err, c.says)
			require.Contains(t, race.HintOf(err), c.hint)
			require.Equal(t, race.Invalid, race.CodeOf(err))
		})
	}
}

func TestAScriptWithoutADefaultFunctionNeedsExec(t *testing.T) {
	s := script(twoLanes, "")
	s.HasDefault, s.Exports = false, []string{"browse"}
	_, err := definition.Parse(s, "s.js", definition.Overrides{})
	require.ErrorContains(t, err, "the script has no default function")

	s = script(twoLanes, `"scenarios": {"s": {"executor": "constant-vus", "exec": "browse"}}`)
	s.HasDefault, s.Exports = false, []string{"browse"}
	_, err = definition.Parse(s, "s.js", definition.Overrides{})
	require.NoError(t, err)
}

// FuzzParse: whatever the options, Parse answers with a definition that can be raced or with an error of the code Invalid.
func FuzzParse(f *testing.F) {
	f.Add(twoLanes, `"vus": 3, "duration": "20s"`, "x=http://a", 2.0, int64(3))
	f.Add(twoLanes, open(`"rate": 10, "duration": 1e300`), "", 0.0, int64(0))
	f.Add(lane(`"url": "http://x"`), `"stages": [{"duration": "5s", "target": 4}]`, "", 0.0, int64(2))
	f.Add(twoLanes, `"scenarios": {"s": {"executor": "ramping-arrival-rate", "timeUnit": 1e-9, "stages": [{"duration": "300d", "target": 4}]}}`, "", 0.0, int64(0))
	f.Fuzz(func(t *testing.T, photofinish, options, laneFlag string, rate float64, vus int64) {
		s := script(photofinish, options)
		if !json.Valid(s.Options) {
			t.Skip("k6 prints JSON")
		}
		o := definition.Overrides{}
		if laneFlag != "" {
			o.Lanes = strings.Split(laneFlag, " ")
		}
		if rate != 0 {
			o.Rate = &rate
		}
		if vus != 0 {
			o.VUs = &vus
		}
		d, err := definition.Parse(s, "s.js", o)
		if err != nil {
			require.Equal(t, race.Invalid, race.CodeOf(err))
			return
		}
		require.GreaterOrEqual(t, len(d.Lanes), 2)
		_, known := d.Lane(d.Baseline)
		require.True(t, known)
		require.GreaterOrEqual(t, d.Duration, definition.MinDuration)
		require.LessOrEqual(t, d.Duration, definition.MaxDuration)
		for _, l := range d.Lanes {
			require.True(t, race.ValidApp(l.App))
			require.NotEmpty(t, definition.Of(d.Scenarios, l.App))
		}
		for _, s := range d.Scenarios {
			times, err := definition.TimesOf(s)
			require.NoError(t, err)
			require.Positive(t, times.Length)
			require.LessOrEqual(t, times.End(), d.Duration+time.Millisecond)
			r, err := definition.RampOf(s)
			require.NoError(t, err)
			require.Positive(t, r.Peak())
		}
	})
}
