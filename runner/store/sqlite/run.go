package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// Waiting is a race that is next to be run.
type Waiting struct {
	ID, User, Org string
	Request       json.RawMessage
	Script        string
	ScriptHash    string
	Record        race.Race
}

// Take takes the next race out of the queue; ok is false where none waits. It is preparing from then on.
func (d *DB) Take(ctx context.Context, now time.Time) (w Waiting, ok bool, err error) {
	err = d.transact(ctx, func(tx *sql.Tx) error {
		var seq int64
		var request, record string
		err := tx.QueryRowContext(ctx, `SELECT seq, id, user, org, request, script, script_sha256, record FROM races WHERE status = ? ORDER BY seq LIMIT 1`, race.Queued).
			Scan(&seq, &w.ID, &w.User, &w.Org, &request, &w.Script, &w.ScriptHash, &record)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		w.Request, ok = json.RawMessage(request), true
		if err := json.Unmarshal([]byte(record), &w.Record); err != nil {
			return err
		}
		w.Record.Status = race.Preparing
		return setStatus(ctx, tx, seq, now, race.Preparing, "first in the queue")
	})
	return w, ok && err == nil, failure("take a race from the queue", err)
}

func setStatus(ctx context.Context, tx *sql.Tx, seq int64, at time.Time, status race.Status, cause string) error {
	if _, err := tx.ExecContext(ctx, "UPDATE races SET status = ?1, record = json_set(record, '$.status', ?1) WHERE seq = ?2", status, seq); err != nil {
		return err
	}
	if status == race.Racing { // lists and panels need the start before the first heat's record has it
		started := at.UTC().Format(time.RFC3339Nano)
		if _, err := tx.ExecContext(ctx, "UPDATE races SET record = json_set(record, '$.started_at', ?1) WHERE seq = ?2 AND json_extract(record, '$.started_at') IS NULL", started, seq); err != nil {
			return err
		}
	}
	return change(ctx, tx, seq, at, status, cause)
}

// Changed notes that a race which has not ended moved on.
func (d *DB) Changed(ctx context.Context, id string, at time.Time, status race.Status, cause string) error {
	return failure("note the status of race "+id, d.transact(ctx, func(tx *sql.Tx) error {
		seq, was, err := find(ctx, tx, id)
		if err != nil || was.Ended() {
			return err
		}
		return setStatus(ctx, tx, seq, at, status, cause)
	}))
}

func find(ctx context.Context, tx *sql.Tx, id string) (seq int64, status race.Status, err error) {
	err = tx.QueryRowContext(ctx, "SELECT seq, status FROM races WHERE id = ?", id).Scan(&seq, &status)
	return seq, status, err
}

// Save replaces the record of a race, and with it its status.
func (d *DB) Save(ctx context.Context, r race.Race, at time.Time) error {
	return failure("save race "+r.ID, d.transact(ctx, func(tx *sql.Tx) error {
		seq, was, err := find(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		return save(ctx, tx, seq, was, r, at)
	}))
}

func save(ctx context.Context, tx *sql.Tx, seq int64, was race.Status, r race.Race, at time.Time) error {
	record, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE races SET status = ?, record = ? WHERE seq = ?", r.Status, string(record), seq); err != nil || was == r.Status {
		return err
	}
	cause := ""
	if r.Error != nil {
		cause = *r.Error
	}
	return change(ctx, tx, seq, at, r.Status, cause)
}

// SaveLogs keeps the last output of the apps.
func (d *DB) SaveLogs(ctx context.Context, id string, logs map[string][]string) error {
	return failure("save the logs of race "+id, d.transact(ctx, func(tx *sql.Tx) error {
		seq, _, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		return saveLogs(ctx, tx, seq, logs)
	}))
}

func saveLogs(ctx context.Context, tx *sql.Tx, seq int64, logs map[string][]string) error {
	for app, lines := range logs {
		text, err := json.Marshal(lines)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO logs (race, app, lines) VALUES (?, ?, ?)", seq, app, string(text)); err != nil {
			return err
		}
	}
	return nil
}

// Override lets the verdicts of an unfair race stand; see verdict.Override.
func (d *DB) Override(ctx context.Context, id, by, why string, now time.Time) error {
	err := d.transact(ctx, func(tx *sql.Tx) error {
		var seq int64
		var record string
		if err := tx.QueryRowContext(ctx, "SELECT seq, record FROM races WHERE id = ?", id).Scan(&seq, &record); err != nil {
			return lookup(id, err)
		}
		var r race.Race
		if err := json.Unmarshal([]byte(record), &r); err != nil {
			return err
		}
		r, err := verdict.Override(r, by, why, now)
		if err != nil {
			return err
		}
		if err := save(ctx, tx, seq, r.Status, r, now); err != nil {
			return err
		}
		return change(ctx, tx, seq, now, r.Status, scoreboard.Override(r.Audit))
	})
	if code := race.CodeOf(err); code == race.NotFound || code == race.Conflict || code == race.Invalid {
		return err
	}
	return failure("override race "+id, err)
}

// onlyWaited says whether a race never left the queue but by being cancelled.
func onlyWaited(ctx context.Context, tx *sql.Tx, seq int64) (waited bool, err error) {
	err = tx.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM changes WHERE race = ? AND status NOT IN (?, ?))", seq, race.Queued, race.Cancelled).Scan(&waited)
	return waited, err
}

// Stop notes that somebody wants a race to end, and cancels it at once if it has not left the queue. A race that has ended is
// race.Conflict, but for one that was cancelled while it waited: stopping that again changes nothing.
func (d *DB) Stop(ctx context.Context, id, by string, now time.Time) (status race.Status, err error) {
	err = d.transact(ctx, func(tx *sql.Tx) error {
		var seq int64
		var record string
		if err := tx.QueryRowContext(ctx, "SELECT seq, status, record FROM races WHERE id = ?", id).Scan(&seq, &status, &record); err != nil {
			return lookup(id, err)
		}
		var r race.Race
		if err := json.Unmarshal([]byte(record), &r); err != nil {
			return err
		}
		if waited, err := onlyWaited(ctx, tx, seq); err != nil || waited && status == race.Cancelled {
			return err
		}
		if status.Ended() {
			return race.Errorf(race.Conflict, "there is nothing left to stop; its record says how it ended", "race %s has already ended: it is %s", id, status)
		}
		if _, err := tx.ExecContext(ctx, "UPDATE races SET stop_by = coalesce(stop_by, ?) WHERE seq = ?", by, seq); err != nil {
			return err
		}
		if status != race.Queued {
			return nil
		}
		status = race.Cancelled
		cause, at := stopped(by), now.UTC()
		r.Status, r.Error, r.FinishedAt = race.Cancelled, &cause, &at
		return save(ctx, tx, seq, race.Queued, r, now)
	})
	if race.CodeOf(err) == race.NotFound || race.CodeOf(err) == race.Conflict {
		return status, err
	}
	return status, failure("stop race "+id, err)
}

func stopped(by string) string {
	if by == "" {
		return "the race was stopped"
	}
	return "the race was stopped by " + by
}

// Recover ends the races that a dead runner was at: cancelled if somebody had asked for it, else interrupted, with what was measured.
// Those that wait go on waiting.
func (d *DB) Recover(ctx context.Context, now time.Time) (ended []string, err error) {
	err = d.transact(ctx, func(tx *sql.Tx) error {
		ended = nil
		rows, err := tx.QueryContext(ctx, `SELECT seq, status, stop_by, record FROM races WHERE status IN (?, ?, ?, ?) ORDER BY seq`,
			race.Preparing, race.WarmingUp, race.Racing, race.Collecting)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		type left struct {
			seq    int64
			status race.Status
			by     sql.NullString
			record race.Race
		}
		var all []left
		for rows.Next() {
			var l left
			var record string
			if err := rows.Scan(&l.seq, &l.status, &l.by, &record); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(record), &l.record); err != nil {
				return err
			}
			all = append(all, l)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, l := range all {
			why := "the runner was killed"
			l.record.Interrupt(now, why)
			if l.by.Valid {
				why = stopped(l.by.String)
				l.record.Status, l.record.Error = race.Cancelled, &why
			}
			if err := save(ctx, tx, l.seq, l.status, l.record, now); err != nil {
				return err
			}
			ended = append(ended, l.record.ID)
		}
		return nil
	})
	return ended, failure("end the races of a dead runner", err)
}
