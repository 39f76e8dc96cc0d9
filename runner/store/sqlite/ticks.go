package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// Outcome is what became of a time at which a schedule was due.
type Outcome string

// The outcomes.
const (
	Started Outcome = "started" // a race was accepted
	Skipped Outcome = "skipped" // the race of the time before had not ended
	Refused Outcome = "refused" // the race was asked for, and not accepted
	Missed  Outcome = "missed"  // the runner was not there
)

// Tick is a time at which a schedule was due.
type Tick struct {
	Due     time.Time `json:"due"`
	Outcome Outcome   `json:"outcome"`
	// Race is the id of the race that was started.
	Race *string `json:"race"`
	// Detail says why no race was started; of several missed times one tick tells, the last.
	Detail string `json:"detail"`
}

// keptTicks is how many ticks of a schedule are kept.
const keptTicks = 100

// Tick keeps what became of a time.
func (d *DB) Tick(ctx context.Context, schedule string, t Tick) error {
	return failure("keep what became of schedule "+schedule, d.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO ticks (schedule, due, outcome, race, detail) VALUES (?, ?, ?, ?, ?)",
			schedule, micros(t.Due), t.Outcome, t.Race, t.Detail); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM ticks WHERE schedule = ?1 AND due NOT IN (SELECT due FROM ticks WHERE schedule = ?1 ORDER BY due DESC LIMIT ?2)",
			schedule, keptTicks)
		return err
	}))
}

// Ticks are the last so many of a schedule, the newest first.
func (d *DB) Ticks(ctx context.Context, schedule string, limit int) ([]Tick, error) {
	doing := "read what became of schedule " + schedule
	rows, err := d.read.QueryContext(ctx, "SELECT due, outcome, race, detail FROM ticks WHERE schedule = ? ORDER BY due DESC LIMIT ?", schedule, limit)
	if err != nil {
		return nil, failure(doing, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	ticks := []Tick{}
	for rows.Next() {
		var t Tick
		var due int64
		if err := rows.Scan(&due, &t.Outcome, &t.Race, &t.Detail); err != nil {
			return nil, failure(doing, err)
		}
		t.Due = fromMicros(due)
		ticks = append(ticks, t)
	}
	return ticks, failure(doing, rows.Err())
}
