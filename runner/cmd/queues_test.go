package cmd_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/queue/queuetest"
)

// worker is a lane of a test's script: the sample worker with queues of that name.
func worker(queue string, flags ...string) string {
	command := "'sqs-worker'"
	for _, f := range flags {
		command += fmt.Sprintf(", %q", f)
	}
	return fmt.Sprintf("{ command: [%s], queue: %q, cpus: 0.5, memory: '128m' }", command, queue)
}

// writeWorkers writes a script that sends the job, which is JavaScript, 30 times a second to each worker.
func writeWorkers(t *testing.T, job, timeout string, lanes ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.js")
	require.NoError(t, os.WriteFile(path, []byte(workersScript(job, timeout, lanes...)), 0o600))
	return path
}

func workersScript(job, timeout string, lanes ...string) string {
	return `import sqs from 'k6/x/photofinish/sqs';
import exec from 'k6/execution';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 30, timeUnit: '1s', duration: '2s', preAllocatedVUs: 20, gracefulStop: '3s' } },
  ext: { photofinish: { heats: 2, warmup: '300ms', mode: 'together', lanes: { ` + strings.Join(lanes, ", ") + ` } } },
};
const queues = sqs.connect();
export default function () { queues.request(__ENV.QUEUE_URL, __ENV.REPLY_URL, ` + job + `, { timeout: ` + timeout + ` }); }
`
}

const usualJob = "JSON.stringify({ rounds: 200 })"

func TestWorkersRaceByTheirMessages(t *testing.T) {
	s := queuetest.Start(t)
	const secret = "hush-hush-5d1f9c"
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAPHOTOFINISH1")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_SESSION_TOKEN", secret+"-token")
	oneByOne, _ := s.Lane(t, "cmd-one-by-one", nil)
	s.Lane(t, "cmd-batched", nil)
	script := writeWorkers(t, usualJob, "'2s'", "'one-by-one': "+worker("cmd-one-by-one"), "batched: "+worker("cmd-batched", "--batched"))
	f := runRace(t.Context(), t, script)
	require.Equal(t, 0, f.code)
	require.Equal(t, race.Finished, f.record.Status)
	for _, app := range []string{"one-by-one", "batched"} {
		l := f.lane(t, app)
		require.InDelta(t, 120, l.Client.Requests, 6, app)
		require.Zero(t, l.Client.Failed)
		require.InDelta(t, 30, *l.Measures["request_rate"], 2, "messages per second")
		require.Greater(t, *l.Measures["latency_p50"], 1.0, "from a message to its reply")
		require.Greater(t, *l.Measures["cpu_ms_per_request"], 0.05, "of a message")
		require.Less(t, *l.Measures["cpu_ms_per_request"], 20.0)
	}
	require.Equal(t, oneByOne, f.lane(t, "one-by-one").URL)
	for _, kind := range []race.FindingKind{race.SeriesLost, race.Redelivered, race.PoisonMessage, race.QueueLost, race.AppURLAtInit} {
		_, found := f.finding(kind)
		require.False(t, found, "%s: %v", kind, f.record.Audit.Findings)
	}
	nothingLeft(t)

	require.NotContains(t, f.stdout+f.stderr, secret)
	noFileHolds(t, f.dir, secret)
	require.FileExists(t, filepath.Join(f.dir, "race.json"))
	require.FileExists(t, filepath.Join(f.dir, "report.html"))
}

// noFileHolds looks into every file below a folder.
func noFileHolds(t *testing.T, dir, secret string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		require.False(t, bytes.Contains(text, []byte(secret)), path)
		return err
	}))
}

func TestARunnerRacesWorkersWhereItsScriptsMayKnowTheQueues(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	q := queuetest.Start(t)
	const secret = "hush-hush-7e20aa"
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAPHOTOFINISH2")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	q.Lane(t, "cmd-served-a", nil)
	q.Lane(t, "cmd-served-b", nil)
	s := newServed(t, "")
	s.write("runner.yaml", "listen: 127.0.0.1:0\ntoken: {file: token}\nscripts: {folder: scripts, env: [AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]}\nprometheus: {listen: 127.0.0.1:0}\n")
	s.write("scripts/race.js", workersScript(usualJob, "'5s'", "a: "+worker("cmd-served-a"), "b: "+worker("cmd-served-b", "--batched")))
	s.start()
	id := s.submit(`{"script":"race.js","heats":1}`)
	record := s.until(id, "finished", "failed")
	require.Equal(t, "finished", record["status"], "%v", record["error"])
	for _, l := range record["lanes"].([]any) {
		require.InDelta(t, 60, l.(map[string]any)["client"].(map[string]any)["requests"], 5)
	}
	require.NotContains(t, fmt.Sprint(record), secret)
	require.NotContains(t, s.log.String(), secret)
	noFileHolds(t, s.dir, secret)
}

func TestTheSampleWorkersRace(t *testing.T) {
	s := queuetest.Start(t)
	s.Lane(t, "one-by-one", nil)
	s.Lane(t, "batched", nil)
	f := runRace(t.Context(), t, append([]string{"../../tests/sqs-test.js"}, short...)...)
	require.Equal(t, 0, f.code)
	for _, app := range []string{"one-by-one", "batched"} {
		require.InDelta(t, 20, f.lane(t, app).Client.Requests, 3)
		require.Positive(t, f.lane(t, app).Client.Checks.Passed)
		require.Zero(t, f.lane(t, app).Client.Failed+f.lane(t, app).Client.Checks.Failed)
		require.NotNil(t, f.lane(t, app).Measures["sqs_backlog_max"], "how many waited")
	}
}

func TestAWorkerThatTakesLongerThanItsMessageIsHiddenWorksTwice(t *testing.T) {
	s := queuetest.Start(t)
	s.Lane(t, "cmd-quick", nil)
	s.Lane(t, "cmd-slow", map[string]string{"VisibilityTimeout": "1"})
	// One message of a heat takes longer than the queue waits for it.
	script := writeWorkers(t, "JSON.stringify({ wait_ms: __ENV.QUEUE_URL.includes('slow') && exec.scenario.iterationInTest === 30 ? 1300 : 0 })", "'5s'",
		"quick: "+worker("cmd-quick"), "slow: "+worker("cmd-slow"))
	f := runRace(t.Context(), t, script, "--duration", "3s")
	require.Equal(t, 0, f.code)
	again, found := f.finding(race.Redelivered)
	require.True(t, found, "%v", f.record.Audit.Findings)
	require.Equal(t, "slow", again.Lane)
	require.Contains(t, again.Detail, "were delivered more than once")
	require.Zero(t, f.lane(t, "quick").Client.Failed)
	nothingLeft(t)
}

func TestAMessageThatAWorkerCannotFinishIsFound(t *testing.T) {
	s := queuetest.Start(t)
	s.Make(t, "cmd-put-aside-dead", nil)
	s.Lane(t, "cmd-put-aside", map[string]string{"RedrivePolicy": `{"maxReceiveCount":"2","deadLetterTargetArn":"arn:aws:sqs::100010001000:cmd-put-aside-dead"}`})
	s.Lane(t, "cmd-kept", nil)
	// One of them is no job; it is tried again every second.
	script := writeWorkers(t, "__ITER === 1 && __VU % 2 ? 'poison' : '{}'", "'2s'", "'put-aside': "+worker("cmd-put-aside"), "kept: "+worker("cmd-kept"))
	f := runRace(t.Context(), t, script, "--duration", "4s", "--heats", "1")
	require.Equal(t, 0, f.code)
	details := map[string]string{}
	for _, one := range f.record.Audit.Findings {
		if one.Kind == race.PoisonMessage {
			details[one.Lane] = one.Detail
		}
	}
	require.Regexp(t, `could not finish some messages in heat 1, however often it received them: \d+ went to the dead-letter queue`, details["put-aside"])
	require.Regexp(t, `\d+ were still in the queue after the worker had received them up to \d+ times`, details["kept"])
	require.Positive(t, f.lane(t, "kept").Client.Failed)
	nothingLeft(t)
}

func TestAQueueThatGoesHalfWayEndsTheRaceAndIsNamed(t *testing.T) {
	s := queuetest.Start(t)
	gone, _ := s.Lane(t, "cmd-gone", nil)
	s.Lane(t, "cmd-stays", nil)
	script := writeWorkers(t, usualJob, "'2s'", "gone: "+worker("cmd-gone"), "stays: "+worker("cmd-stays"))
	dir := filepath.Join(t.TempDir(), "race")
	removed := make(chan error, 1)
	go func() { // in the middle of the second heat: the record of the first is there
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if text, err := os.ReadFile(filepath.Join(dir, "race.json")); err == nil && strings.Contains(string(text), `"number": 1`) {
				time.Sleep(3500 * time.Millisecond)
				break
			}
		}
		removed <- s.Remove(t.Context(), gone)
	}()
	f := run(t.Context(), t, dir, "race", script, "--duration", "4s", "--heats", "4")
	require.NoError(t, <-removed)
	require.Equal(t, 3, f.code)
	require.Equal(t, race.Failed, f.record.Status)
	require.Contains(t, *f.record.Error, "lane gone: ")
	require.Contains(t, *f.record.Error, "the queue cmd-gone at "+s.URL+": there is no such queue")
	require.Len(t, f.record.Heats, 2, "what was measured is kept")
	lost, found := f.finding(race.QueueLost)
	require.True(t, found)
	require.Equal(t, "gone", lost.Lane)
	require.Equal(t, race.Unfair, lost.Severity)
	require.Contains(t, lost.Detail, "lost its queue in heat 2")
	require.False(t, f.record.Audit.Fair)
	nothingLeft(t)
}

func TestWorkersThatAlreadyRunAreRacedToo(t *testing.T) {
	s := queuetest.Start(t)
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "../../testapps/sqs-worker")
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	for _, name := range []string{"cmd-here", "cmd-there"} {
		requests, replies := s.Lane(t, name, nil)
		running := exec.CommandContext(t.Context(), filepath.Join(dir, "sqs-worker"))
		running.Env = append(os.Environ(), "QUEUE_URL="+requests, "REPLY_URL="+replies)
		require.NoError(t, running.Start())
		t.Cleanup(func() { _ = running.Process.Kill(); _ = running.Wait() })
	}
	// A script that reads the addresses while it is loaded gets a k6 for each lane.
	path := filepath.Join(t.TempDir(), "script.js")
	require.NoError(t, os.WriteFile(path, []byte(`import sqs from 'k6/x/photofinish/sqs';
export const options = {
  scenarios: { load: { executor: 'constant-vus', vus: 2, duration: '2s' } },
  ext: { photofinish: { heats: 1, warmup: '300ms', lanes: { here: { queue: 'cmd-here' }, there: { queue: { requests: 'cmd-there', replies: 'cmd-there-replies' } } } } },
};
const queues = sqs.connect(), queue = __ENV.QUEUE_URL, replies = __ENV.REPLY_URL;
export default function () { queues.request(queue, replies, '{}'); }
`), 0o600))
	f := runRace(t.Context(), t, path)
	require.Equal(t, 0, f.code)
	for _, app := range []string{"here", "there"} {
		require.Greater(t, f.lane(t, app).Client.Requests, int64(10), app)
		require.Zero(t, f.lane(t, app).Client.Failed)
		require.Nil(t, f.lane(t, app).Measures["cpu_ms_per_request"], "what it spends is not known here")
	}
	_, found := f.finding(race.AppURLAtInit)
	require.True(t, found)
	nothingLeft(t)
}

func TestWhatIsWrongWithAWorkerIsSaidBeforeTheRace(t *testing.T) {
	s := queuetest.Start(t)
	s.Lane(t, "cmd-x", nil)
	s.Lane(t, "cmd-y", nil)
	for name, test := range map[string]struct{ job, a, b, says string }{
		"the script asks one for all": {usualJob, worker("cmd-x"), worker("cmd-y"), "but the script asked http://localhost:4100/100010001000/cmd-x"},
		"there is no such queue":      {usualJob, worker("cmd-x"), worker("cmd-none"), "lane b: cannot find the queue cmd-none at " + s.URL + ": there is no such queue"},
		"the worker ends":             {usualJob, worker("cmd-x"), "{ command: ['false'], queue: 'cmd-y' }", "lane b ended with code 1 before it was healthy"},
		"the worker answers nothing":  {usualJob, worker("cmd-x"), "{ command: ['sleep', '60'], queue: 'cmd-y' }", "lane b: no message was answered"},
	} {
		t.Run(name, func(t *testing.T) {
			script := writeWorkers(t, test.job, "'1s'", "a: "+test.a, "b: "+test.b)
			if strings.Contains(test.says, "the script asked") {
				text, err := os.ReadFile(script)
				require.NoError(t, err)
				fixed := strings.NewReplacer("__ENV.QUEUE_URL", "'http://localhost:4100/100010001000/cmd-x'", "__ENV.REPLY_URL", "'http://localhost:4100/100010001000/cmd-x-replies'")
				require.NoError(t, os.WriteFile(script, []byte(fixed.Replace(string(text))), 0o600))
			}
			f := runRace(t.Context(), t, script)
			require.Equal(t, 3, f.code)
			require.Contains(t, f.stderr, test.says)
			nothingLeft(t)
		})
	}
}

func TestAScriptTellsOfTheQueuesOfItsWorkers(t *testing.T) {
	needConfinement(t)
	s := newServed(t, "")
	s.write("scripts/workers.js", `export const options = { ext: { photofinish: { lanes: {
  old: { command: ['worker'], queue: 'jobs-old' }, new: { command: ['worker'], queue: { requests: 'jobs-new', replies: 'answers' } },
} } } };
export default function () {}`)
	s.start()
	queues := map[string]any{}
	for _, l := range s.ask(200, "GET", "/v1/scripts/workers.js", "")["lanes"].([]any) {
		lane := l.(map[string]any)
		queues[lane["app"].(string)] = lane["queue"]
	}
	require.Equal(t, map[string]any{
		"old": map[string]any{"requests": "jobs-old", "replies": "jobs-old-replies"},
		"new": map[string]any{"requests": "jobs-new", "replies": "answers"},
	}, queues)
}
