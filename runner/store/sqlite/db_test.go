package sqlite_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func open(tb testing.TB, path string) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), path)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func fresh(tb testing.TB) *sqlite.DB {
	tb.Helper()
	return open(tb, filepath.Join(tb.TempDir(), "it's 100% a #1 name?.db"))
}

func waiting(n int) sqlite.New {
	r := race.Race{Version: 1, ID: fmt.Sprintf("r%d", n), Name: "nightly", Script: "a.js", Status: race.Queued, Lanes: []race.Lane{{App: "a"}}}
	return sqlite.New{Record: r, CreatedAt: noon, User: "anna", ScriptText: "export default 1", Request: json.RawMessage(`{"script":"a.js"}`)}
}

func accept(t *testing.T, db *sqlite.DB, n sqlite.New) sqlite.Accepted {
	t.Helper()
	a, _, err := db.Accept(t.Context(), n, 100)
	require.NoError(t, err)
	return a
}

func TestRacesLeaveTheQueueInTheOrderTheyCameWhateverTheClockDid(t *testing.T) {
	db := fresh(t)
	for i := range 3 {
		n := waiting(i)
		n.CreatedAt = noon.Add(-time.Duration(i) * time.Hour) // the clock was put back twice
		require.Equal(t, i+1, accept(t, db, n).Position)
	}
	_, _, err := db.Accept(t.Context(), waiting(9), 3)
	require.ErrorIs(t, err, sqlite.ErrQueueFull)
	for i := range 3 {
		w, ok, err := db.Take(t.Context(), noon)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, fmt.Sprintf("r%d", i), w.ID)
		require.Equal(t, sqlite.Hash("export default 1"), w.ScriptHash)
		places, err := db.Places(t.Context())
		require.NoError(t, err)
		require.Len(t, places, 2-i)
	}
	_, ok, err := db.Take(t.Context(), noon)
	require.NoError(t, err)
	require.False(t, ok)
}

func TestAKeyAnswersOnceForAll(t *testing.T) {
	db := fresh(t)
	n := waiting(1)
	n.Key, n.RequestHash = "k", "h"
	var wait sync.WaitGroup
	answers := make([]sqlite.Accepted, 20)
	for i := range answers {
		wait.Go(func() {
			again := n
			again.Record.ID = fmt.Sprintf("try-%d", i)
			answers[i], _, _ = db.Accept(t.Context(), again, 100)
		})
	}
	wait.Wait()
	for _, a := range answers {
		require.Equal(t, answers[0], a)
	}
	counts, err := db.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[race.Status]int{race.Queued: 1}, counts)
	_, err = db.Stop(t.Context(), answers[0].ID, "", noon)
	require.NoError(t, err)
	require.Equal(t, answers[0], accept(t, db, n), "also when the race is over")
	n.RequestHash = "other"
	_, _, err = db.Accept(t.Context(), n, 100)
	require.Equal(t, race.Conflict, race.CodeOf(err))
}

func TestWhatADeadRunnerWasAtIsEndedWithWhatWasMeasured(t *testing.T) {
	path := filepath.Join(t.TempDir(), "races.db")
	db := open(t, path)
	for i := range 4 {
		accept(t, db, waiting(i))
	}
	for range 2 {
		_, _, err := db.Take(t.Context(), noon)
		require.NoError(t, err)
	}
	measured := racetest.FourApps().Race
	measured.ID, measured.Status, measured.FinishedAt = "r0", race.Racing, nil
	measured.Lanes[0].Exit = &race.Exit{Reason: race.Running}
	require.NoError(t, db.Save(t.Context(), measured, noon))
	status, err := db.Stop(t.Context(), "r1", "bob", noon)
	require.NoError(t, err)
	require.Equal(t, race.Preparing, status, "it is the runner's to end it")

	db = open(t, path) // the first one was killed
	ended, err := db.Recover(t.Context(), noon.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, []string{"r0", "r1"}, ended)
	k, err := db.Get(t.Context(), "r0")
	require.NoError(t, err)
	var r race.Race
	require.NoError(t, json.Unmarshal(k.Record, &r))
	require.Equal(t, race.Interrupted, r.Status)
	require.Len(t, r.Heats, racetest.Heats)
	require.Equal(t, race.Stopped, r.Lanes[0].Exit.Reason)
	k, err = db.Get(t.Context(), "r1")
	require.NoError(t, err)
	require.Equal(t, race.Cancelled, k.Status, "bob had asked for that")
	w, ok, err := db.Take(t.Context(), noon)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "r2", w.ID, "who waited goes on waiting")
	changes, err := db.Changes(t.Context(), "r0")
	require.NoError(t, err)
	require.Equal(t, []race.Status{race.Queued, race.Preparing, race.Racing, race.Interrupted},
		[]race.Status{changes[0].Status, changes[1].Status, changes[2].Status, changes[3].Status})
	require.Equal(t, "asked for by anna", changes[0].Cause)
	require.Equal(t, "the runner was killed", changes[3].Cause)
}

func TestStoppingTwiceIsOneStop(t *testing.T) {
	db := fresh(t)
	accept(t, db, waiting(1))
	for i := range 2 {
		status, err := db.Stop(t.Context(), "r1", "bob", noon.Add(time.Duration(i)*time.Hour))
		require.NoError(t, err)
		require.Equal(t, race.Cancelled, status)
	}
	k, err := db.Get(t.Context(), "r1")
	require.NoError(t, err)
	var r race.Race
	require.NoError(t, json.Unmarshal(k.Record, &r))
	require.Nil(t, r.StartedAt)
	require.Equal(t, noon.UTC(), *r.FinishedAt, "it was over when it was stopped first")
	end := noon
	for i, status := range []race.Status{race.Finished, race.Cancelled} { // this one while it was prepared
		accept(t, db, waiting(2+i))
		w, _, err := db.Take(t.Context(), noon)
		require.NoError(t, err)
		require.NoError(t, db.Save(t.Context(), race.Race{ID: w.ID, Status: status, FinishedAt: &end}, noon))
		_, err = db.Stop(t.Context(), w.ID, "bob", noon)
		require.Equal(t, race.Conflict, race.CodeOf(err), status)
	}
	require.NoError(t, db.Changed(t.Context(), "r2", noon, race.Racing, "late news"))
	k, err = db.Get(t.Context(), "r2")
	require.NoError(t, err)
	require.Equal(t, race.Finished, k.Status, "who has ended stays so")
	_, err = db.Stop(t.Context(), "r9", "bob", noon)
	require.Equal(t, race.NotFound, race.CodeOf(err))
	require.EqualError(t, err, `there is no race "r9"`)
}

func TestARaceHasItsStartBeforeItsFirstHeatIsRecorded(t *testing.T) {
	db := fresh(t)
	accept(t, db, waiting(1))
	_, _, err := db.Take(t.Context(), noon)
	require.NoError(t, err)
	startOf := func() *time.Time {
		k, err := db.Get(t.Context(), "r1")
		require.NoError(t, err)
		var r race.Race
		require.NoError(t, json.Unmarshal(k.Record, &r))
		return r.StartedAt
	}
	require.NoError(t, db.Changed(t.Context(), "r1", noon, race.WarmingUp, "heat 1 of 2"))
	require.Nil(t, startOf())
	for i := range 2 { // heats
		require.NoError(t, db.Changed(t.Context(), "r1", noon.Add(time.Duration(i)*time.Minute), race.Racing, "heat"))
		require.Equal(t, noon.UTC(), startOf().UTC())
	}
}

func TestPagesHoldEveryRaceOnce(t *testing.T) {
	db := fresh(t)
	for i := range 25 {
		n := waiting(i)
		n.CreatedAt = noon.Add(time.Duration(i/3) * time.Second) // some at the same time
		n.Record.Name = []string{"even", "odd"}[i%2]
		accept(t, db, n)
	}
	var got []string
	for cursor := ""; ; {
		page, next, err := db.Page(t.Context(), sqlite.Filter{Name: "even", Limit: 4, Cursor: cursor})
		require.NoError(t, err)
		for _, k := range page {
			got = append(got, k.ID)
		}
		if cursor = next; next == "" {
			break
		}
	}
	require.Equal(t, []string{"r24", "r22", "r20", "r18", "r16", "r14", "r12", "r10", "r8", "r6", "r4", "r2", "r0"}, got)
	for _, bad := range []string{"x", "1", "1.", "1.x", "'; DROP TABLE races; --"} {
		_, _, err := db.Page(t.Context(), sqlite.Filter{Limit: 1, Cursor: bad})
		require.Equal(t, race.Invalid, race.CodeOf(err), bad)
	}
	page, _, err := db.Page(t.Context(), sqlite.Filter{Status: []race.Status{race.Finished}, Limit: 1})
	require.NoError(t, err)
	require.Empty(t, page)
}

func TestARaceIsCarriedFromOneDatabaseToAnother(t *testing.T) {
	from, to := fresh(t), fresh(t)
	accept(t, from, waiting(1))
	_, err := from.Stop(t.Context(), "r1", "bob", noon)
	require.NoError(t, err)
	require.NoError(t, from.SaveLogs(t.Context(), "r1", map[string][]string{"a": {"one", "two"}}))
	require.NoError(t, from.SaveProfile(t.Context(), "r1", "a", race.CPUProfile, []byte("old")))
	require.NoError(t, from.SaveProfile(t.Context(), "r1", "a", race.CPUProfile, []byte{0x1f, 0x8b, 0}))
	require.Error(t, from.SaveProfile(t.Context(), "other", "a", race.CPUProfile, nil))
	p, err := from.Pack(t.Context(), "r1")
	require.NoError(t, err)
	added, err := to.Unpack(t.Context(), p)
	require.NoError(t, err)
	require.True(t, added)
	added, err = to.Unpack(t.Context(), p)
	require.NoError(t, err)
	require.False(t, added)
	again, err := to.Pack(t.Context(), "r1")
	require.NoError(t, err)
	require.Equal(t, p, again)
	lines, err := to.Logs(t.Context(), "r1", "a")
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two"}, lines)
	data, err := to.Profile(t.Context(), "r1", "a", race.CPUProfile)
	require.NoError(t, err)
	require.Equal(t, []byte{0x1f, 0x8b, 0}, data)
	for _, no := range [][3]string{{"other", "a", "cpu"}, {"r1", "b", "cpu"}, {"r1", "a", "heap"}} {
		_, err = to.Profile(t.Context(), no[0], no[1], race.ProfileKind(no[2]))
		require.Equal(t, race.NotFound, race.CodeOf(err), no)
	}

	accept(t, from, waiting(2))
	p, err = from.Pack(t.Context(), "r2")
	require.NoError(t, err)
	_, err = to.Unpack(t.Context(), p)
	require.ErrorContains(t, err, "has not ended")
	n, err := to.Prune(t.Context(), noon.Add(time.Second), 1, false)
	require.NoError(t, err)
	require.Zero(t, n, "the newest is kept")
	n, err = to.Prune(t.Context(), noon.Add(time.Second), 0, false)
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
}

func TestAnOverrideIsRecordedAndNotedOnce(t *testing.T) {
	db := fresh(t)
	unfair := racetest.Unfair()
	text, err := json.Marshal(unfair)
	require.NoError(t, err)
	_, err = db.Unpack(t.Context(), sqlite.Parcel{Race: text})
	require.NoError(t, err)
	require.Equal(t, race.NotFound, race.CodeOf(db.Override(t.Context(), "other", "anna", "why not", noon)))
	require.Equal(t, race.Invalid, race.CodeOf(db.Override(t.Context(), unfair.ID, "anna", "", noon)))
	require.NoError(t, db.Override(t.Context(), unfair.ID, "anna", "it was the backup", noon))
	err = db.Override(t.Context(), unfair.ID, "bob", "no, it was not", noon.Add(time.Hour))
	require.Equal(t, race.Conflict, race.CodeOf(err))
	require.ErrorContains(t, err, "by anna")

	k, err := db.Get(t.Context(), unfair.ID)
	require.NoError(t, err)
	var r race.Race
	require.NoError(t, json.Unmarshal(k.Record, &r))
	require.False(t, r.Audit.Fair)
	require.Equal(t, []any{"anna", noon, "it was the backup"}, []any{*r.Audit.OverriddenBy, *r.Audit.OverriddenAt, r.Audit.OverrideReason})
	slower := func(r race.Race) int {
		n := 0
		for _, v := range r.Verdicts {
			if v.Outcome == race.Slower {
				n++
			}
		}
		return n
	}
	require.Zero(t, slower(unfair))
	require.Equal(t, slower(racetest.FourApps().Race), slower(r))
	changes, err := db.Changes(t.Context(), unfair.ID)
	require.NoError(t, err)
	require.Equal(t, []sqlite.Change{{At: noon, Status: race.Finished, Cause: "the race was not fair; anna let the verdicts stand on 14 Mar 2026 12:00 UTC (“it was the backup”)"}}, changes)
}

func TestADatabaseOfANewerVersionIsNotTouched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "races.db")
	db := open(t, path)
	require.NoError(t, db.SetVersion(t.Context(), 99))
	_, err := sqlite.Open(t.Context(), path)
	require.ErrorContains(t, err, "made by a newer version")
}

// BenchmarkListing10000Races reads one page of 50 whole records out of 10,000 races of four apps and eight heats.
func BenchmarkListing10000Races(b *testing.B) {
	db := fresh(b)
	r := racetest.FourApps().Race
	const races = 10_000
	for i := range races {
		r.ID, r.Name = fmt.Sprintf("r%d", i), fmt.Sprintf("name-%d", i%10)
		record, err := json.Marshal(r)
		require.NoError(b, err)
		_, err = db.UnpackUnsynced(b.Context(), sqlite.Parcel{Race: record, CreatedAt: noon.Add(time.Duration(i) * time.Second)})
		require.NoError(b, err)
	}
	for name, f := range map[string]sqlite.Filter{
		"first": {Limit: 50}, "middle": {Limit: 50, Cursor: fmt.Sprintf("%d.1", noon.Add(races/2*time.Second).UnixMicro())},
		"by-name": {Limit: 50, Name: "name-3"}, "by-status": {Limit: 50, Status: []race.Status{race.Finished}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page, _, err := db.Page(b.Context(), f)
				require.NoError(b, err)
				require.Len(b, page, 50)
			}
		})
	}
}
