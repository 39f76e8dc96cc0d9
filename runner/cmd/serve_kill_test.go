package cmd_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rounds of a runner that is killed at a random moment.
const rounds = 15

// TestNothingThatWasAcknowledgedIsLostByKill9 kills a runner at random moments while requests come in, and asks the next one for
// everything that any of them has acknowledged.
func TestNothingThatWasAcknowledgedIsLostByKill9(t *testing.T) {
	needConfinement(t)
	temp := ownTemp(t)
	s := newServed(t, "limits: {queue: 1000}\n")
	s.script("race.js", "1s", "")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	k := killed{served: s, random: random, accepted: map[string]string{}, stopped: map[string]bool{}, told: map[string]string{}}
	died := 0
	for range rounds {
		s.fork()
		died += k.round()
	}
	require.Positive(t, died, "no race was under way at any of the moments; the test proves too little")
	t.Logf("%d races accepted, %d stopped, %d ended, %d times a race was under way", len(k.order), len(k.stopped), len(k.told), died)

	s.fork()
	s.listening()
	k.check()
	for _, id := range k.order { // what is left waits still, in its order
		_, _, err := s.send("POST", "/v1/races/"+id+"/stop", "")
		require.NoError(t, err)
	}
	for _, id := range k.order {
		s.until(id, "cancelled", "finished", "failed", "interrupted")
	}
	require.Contains(t, slices.Collect(maps.Values(k.told)), "interrupted")
	s.terminate()
	nothingLeftOf(t, temp, k.order)
}

// TestWhatWasMeasuredOutlivesTheRunner kills a runner after the first of many heats, and shuts the next one down in the same place.
func TestWhatWasMeasuredOutlivesTheRunner(t *testing.T) {
	needConfinement(t)
	temp := ownTemp(t)
	s := newServed(t, "")
	s.script("race.js", "1s", "")
	ids := map[string]string{}
	s.fork()
	s.listening()
	for _, name := range []string{"killed", "terminated", "last"} {
		ids[name] = s.submit(`{"script":"race.js","heats":20}`)
	}
	afterOneHeat := func(name string) {
		t.Helper()
		require.Eventually(t, func() bool {
			heats, _ := s.ask(200, "GET", "/v1/races/"+ids[name], "")["heats"].([]any)
			return len(heats) > 0
		}, patience, 20*time.Millisecond, "race %s does not get on", name)
	}
	afterOneHeat("killed")
	require.NoError(t, s.process.Process.Kill())
	<-s.ended
	s.fork()
	s.listening()
	record := s.ask(200, "GET", "/v1/races/"+ids["killed"], "")
	require.Equal(t, "interrupted", record["status"])
	require.NotEmpty(t, record["heats"])
	require.NotNil(t, record["finished_at"])
	require.Equal(t, "the runner was killed", record["error"])
	require.NotNil(t, record["lanes"].([]any)[0].(map[string]any)["client"])
	events := s.events(ids["killed"], "")
	require.Equal(t, "interrupted", events[len(events)-1].data["status"])

	afterOneHeat("terminated")
	s.terminate()
	s.fork()
	s.listening()
	record = s.ask(200, "GET", "/v1/races/"+ids["terminated"], "")
	require.Equal(t, "interrupted", record["status"])
	require.Contains(t, record["error"], "SIGTERM")
	require.NotEmpty(t, record["heats"])
	s.until(ids["last"], "racing")
	s.ask(202, "POST", "/v1/races/"+ids["last"]+"/stop", "")
	s.until(ids["last"], "cancelled")
	s.terminate()
	nothingLeftOf(t, temp, slices.Collect(maps.Values(ids)))
}

// TestAScriptThatLoopsWhileItIsLoadedDiesWithItsRunner: no look at a script goes on without the runner that wanted to know.
func TestAScriptThatLoopsWhileItIsLoadedDiesWithItsRunner(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	s := newServed(t, "")
	s.write("scripts/endless.js", "export const options = {};\nwhile (true) {}\nexport default function () {}\n")
	s.fork()
	s.listening()
	go func() { _, _, _ = s.send("POST", "/v1/races", `{"script":"endless.js"}`) }() // its runner dies before it answers
	looking := func() bool {
		for _, args := range relatives() {
			if slices.Contains(args, "inspect") {
				return true
			}
		}
		return false
	}
	require.Eventually(t, looking, patience, 20*time.Millisecond)
	require.NoError(t, s.process.Process.Kill())
	<-s.ended
	require.Eventually(t, func() bool { return len(relatives()) == 0 }, 5*time.Second, 20*time.Millisecond, "k6 goes on")
}

func TestWhoReadsEventsIsToldThatTheRunnerEnds(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	s := newServed(t, "")
	s.script("race.js", "20s", "")
	s.fork()
	s.listening()
	id := s.submit(`{"script":"race.js"}`)
	s.until(id, "racing")
	time.AfterFunc(300*time.Millisecond, func() { _ = s.process.Process.Signal(syscall.SIGTERM) })
	events := s.events(id, "")
	require.Greater(t, len(events), 2)
	for i, kind := range []string{"status", "end"} {
		e := events[len(events)-2+i]
		require.Equal(t, kind, e.kind)
		require.Equal(t, "interrupted", e.data["status"])
	}
	<-s.ended
	require.Zero(t, s.process.ProcessState.ExitCode(), "%s", s.log)
}

// terminate asks the runner's process to end, and waits.
func (s *served) terminate() {
	s.t.Helper()
	require.NoError(s.t, s.process.Process.Signal(syscall.SIGTERM))
	<-s.ended
	require.Zero(s.t, s.process.ProcessState.ExitCode(), "%s", s.log)
}

// killed is a runner that is killed, and what it had acknowledged.
type killed struct {
	*served
	random   *rand.Rand
	order    []string          // ids as they were accepted
	accepted map[string]string // id by key
	stopped  map[string]bool
	told     map[string]string // how a race ended, by id
}

// round lets a runner work for a random time, kills it, and says how many races were under way.
func (k *killed) round() (under int) {
	k.t.Helper()
	killAt := time.AfterFunc(time.Duration(k.random.IntN(2500))*time.Millisecond, func() { _ = k.process.Process.Kill() })
	defer killAt.Stop()
	for ready := false; !ready; {
		select {
		case <-k.ended:
			return 0 // before it listened
		default:
			if ready = listens.MatchString(k.log.String()); !ready {
				time.Sleep(2 * time.Millisecond)
			}
		}
	}
	k.listening()
	if !k.checked() {
		return 0
	}
	racing := false
	for n := 0; ; n++ {
		key := fmt.Sprintf("key-%d", len(k.order)+1)
		status, answer, err := k.send("POST", "/v1/races", `{"script":"race.js"}`, "Idempotency-Key", key)
		if err != nil {
			break
		}
		require.Equal(k.t, http.StatusAccepted, status, "%v", answer)
		id := answer["id"].(string)
		k.accepted[key], k.order = id, append(k.order, id)
		if k.random.IntN(4) == 0 { // some are stopped, one of those that wait or the one under way
			victim := k.order[k.random.IntN(len(k.order))]
			status, _, err := k.send("POST", "/v1/races/"+victim+"/stop", "")
			if err != nil {
				break
			}
			if status == http.StatusAccepted {
				k.stopped[victim] = true
			}
		}
		status, answer, err = k.send("GET", "/v1/races/"+k.order[k.random.IntN(len(k.order))], "")
		if err != nil {
			break
		}
		require.Equal(k.t, http.StatusOK, status)
		k.tell(answer)
		racing = racing || strings.Contains(k.log.String(), "race started")
		time.Sleep(time.Duration(k.random.IntN(150)) * time.Millisecond)
	}
	<-k.ended
	if racing {
		return 1
	}
	return 0
}

// tell remembers the end of a race that was told: it must never be told otherwise.
func (k *killed) tell(record map[string]any) {
	id, status := record["id"].(string), record["status"].(string)
	switch status {
	case "finished", "failed", "cancelled", "interrupted":
		if was, told := k.told[id]; told {
			require.Equal(k.t, was, status, "race %s", id)
		}
		k.told[id] = status
	}
}

func (k *killed) check() {
	k.t.Helper()
	require.True(k.t, k.checked(), "the runner died")
}

// checked asks for everything that was acknowledged; false if the runner died over it.
func (k *killed) checked() bool {
	k.t.Helper()
	for key, id := range k.accepted {
		if k.random.IntN(3) > 0 && len(k.accepted) > 20 {
			continue // not every one every time
		}
		status, answer, err := k.send("POST", "/v1/races", `{"script":"race.js"}`, "Idempotency-Key", key)
		if err != nil {
			return false
		}
		require.Equal(k.t, http.StatusAccepted, status)
		require.Equal(k.t, id, answer["id"], "the same key is the same race")
	}
	last, busy := 0.0, 0
	for _, id := range k.order {
		status, record, err := k.send("GET", "/v1/races/"+id, "")
		if err != nil {
			return false
		}
		require.Equal(k.t, http.StatusOK, status, "race %s was acknowledged and is gone", id)
		k.tell(record)
		if was, told := k.told[id]; told {
			require.Equal(k.t, was, record["status"])
			continue
		}
		if record["status"] == "queued" {
			require.False(k.t, k.stopped[id], "race %s was stopped, and waits again", id)
			place := record["position"].(float64)
			require.GreaterOrEqual(k.t, place, last, "the queue keeps its order") // places shrink while we ask
			last = place - 1
			continue
		}
		busy++
		require.LessOrEqual(k.t, busy, 2, "one at a time; a second one may have started while we asked")
	}
	return true
}

// nothingLeftOf proves that no process, cgroup and working folder is left of any of the races.
func nothingLeftOf(t *testing.T, temp string, ids []string) {
	t.Helper()
	require.Empty(t, relatives(), "processes are left")
	for _, id := range ids {
		require.Empty(t, groupsOf(id), "cgroups are left")
	}
	left, err := filepath.Glob(filepath.Join(temp, "photofinish-*", "*"))
	require.NoError(t, err)
	require.Empty(t, left, "working folders or the ledger's entries are left")
}
