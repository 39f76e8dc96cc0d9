package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Parcel is everything that is kept of one race, to be carried to another database.
type Parcel struct {
	Race       json.RawMessage     `json:"race"` // race.json
	CreatedAt  time.Time           `json:"created_at"`
	User       string              `json:"user"`
	Org        string              `json:"org"`
	Request    json.RawMessage     `json:"request,omitempty"`
	ScriptHash string              `json:"script_sha256,omitempty"`
	ScriptText string              `json:"script_text,omitempty"`
	Changes    []Change            `json:"changes"`
	Logs       map[string][]string `json:"logs,omitempty"`
	Profiles   []KeptProfile       `json:"profiles,omitempty"`
}

// IDs are all races, the oldest first.
func (d *DB) IDs(ctx context.Context) ([]string, error) {
	rows, err := d.read.QueryContext(ctx, "SELECT id FROM races ORDER BY created_at, seq")
	if err != nil {
		return nil, failure("list the races", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, failure("list the races", err)
		}
		ids = append(ids, id)
	}
	return ids, failure("list the races", rows.Err())
}

// Pack reads everything that is kept of a race.
func (d *DB) Pack(ctx context.Context, id string) (p Parcel, err error) {
	var at int64
	var record, request, hash, text sql.NullString
	err = d.read.QueryRowContext(ctx, `SELECT created_at, user, org, request, record, script_sha256, text FROM races LEFT JOIN scripts ON sha256 = script_sha256 WHERE id = ?`, id).
		Scan(&at, &p.User, &p.Org, &request, &record, &hash, &text)
	if err != nil {
		return p, lookup(id, err)
	}
	p.CreatedAt, p.Race, p.ScriptHash, p.ScriptText = fromMicros(at), json.RawMessage(record.String), hash.String, text.String
	if request.String != "" {
		p.Request = json.RawMessage(request.String)
	}
	if p.Changes, err = d.Changes(ctx, id); err != nil {
		return p, err
	}
	rows, err := d.read.QueryContext(ctx, "SELECT app, lines FROM logs JOIN races ON seq = race WHERE id = ?", id)
	if err != nil {
		return p, failure("read the logs of race "+id, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var app, lines string
		if err := rows.Scan(&app, &lines); err != nil {
			return p, failure("read the logs of race "+id, err)
		}
		if p.Logs == nil {
			p.Logs = map[string][]string{}
		}
		var list []string
		if err := json.Unmarshal([]byte(lines), &list); err != nil {
			return p, failure("read the logs of race "+id, err)
		}
		p.Logs[app] = list
	}
	if err := rows.Err(); err != nil {
		return p, failure("read the logs of race "+id, err)
	}
	p.Profiles, err = d.profiles(ctx, id)
	return p, err
}

// Exported is what can be unpacked, as a hint.
const Exported = "name a file that photofinish races export wrote, a race.json, or the folder of a race"

// Unpack keeps a race that ended elsewhere. One that is known already stays as it is, and added is false.
func (d *DB) Unpack(ctx context.Context, p Parcel) (added bool, err error) {
	var r race.Race
	if err := json.Unmarshal(p.Race, &r); err != nil {
		return false, race.Errorf(race.Invalid, Exported, "it is no race record: %w", err)
	}
	switch {
	case r.Version != race.RecordVersion || !race.ValidID(r.ID):
		return false, race.Errorf(race.Invalid, Exported, "it is no race record of version %d", race.RecordVersion)
	case !r.Status.Ended():
		return false, race.Errorf(race.Invalid, "export it again when it has ended", "race %s has not ended: it is %s", r.ID, r.Status)
	}
	if p.CreatedAt.IsZero() {
		p.CreatedAt = began(r)
	}
	if p.User == "" && r.RequestedBy != nil {
		p.User = *r.RequestedBy
	}
	err = d.transact(ctx, func(tx *sql.Tx) error {
		added = false
		var hash, request sql.NullString
		if p.ScriptText != "" {
			kept, err := keepScript(ctx, tx, p.ScriptText)
			if err != nil {
				return err
			}
			hash = sql.NullString{String: kept, Valid: true}
		}
		if len(p.Request) > 0 {
			request = sql.NullString{String: string(p.Request), Valid: true}
		}
		done, err := tx.ExecContext(ctx, `INSERT INTO races (id, name, status, created_at, user, org, script, script_sha256, request, record)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			r.ID, r.Name, r.Status, micros(p.CreatedAt), p.User, p.Org, r.Script, hash, request, string(p.Race))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		added = true
		seq, err := done.LastInsertId()
		if err != nil {
			return err
		}
		for _, c := range p.Changes {
			if err := change(ctx, tx, seq, c.At, c.Status, c.Cause); err != nil {
				return err
			}
		}
		for _, one := range p.Profiles {
			if err := saveProfile(ctx, tx, seq, one); err != nil {
				return err
			}
		}
		return saveLogs(ctx, tx, seq, p.Logs)
	})
	return added, failure("keep race "+r.ID, err)
}

func began(r race.Race) time.Time {
	switch {
	case r.StartedAt != nil:
		return *r.StartedAt
	case r.FinishedAt != nil:
		return *r.FinishedAt
	}
	return time.Now()
}

// Prune removes races that have ended and are both older than a moment and not among the newest so many. dry only counts them.
func (d *DB) Prune(ctx context.Context, before time.Time, keep int, dry bool) (n int64, err error) {
	const which = ` FROM races WHERE status IN (?, ?, ?, ?) AND created_at < ? AND seq NOT IN (SELECT seq FROM races ORDER BY created_at DESC, seq DESC LIMIT ?)`
	args := []any{race.Finished, race.Failed, race.Cancelled, race.Interrupted, micros(before), keep}
	if dry {
		err = d.read.QueryRowContext(ctx, "SELECT count(*)"+which, args...).Scan(&n)
		return n, failure("count the races", err)
	}
	err = d.transact(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "DELETE"+which, args...)
		if err != nil {
			return err
		}
		if n, err = done.RowsAffected(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM scripts WHERE sha256 NOT IN (SELECT script_sha256 FROM races WHERE script_sha256 IS NOT NULL)")
		return err
	})
	if err == nil && n > 0 {
		_, err = d.write.ExecContext(ctx, "VACUUM") // the space goes back to the disk
	}
	return n, failure("remove old races", err)
}
