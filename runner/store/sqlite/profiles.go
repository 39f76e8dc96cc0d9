package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/photofinish/photofinish/pkg/race"
)

// KeptProfile is a profile of an app, in the format of pprof.
type KeptProfile struct {
	App  string           `json:"app"`
	Kind race.ProfileKind `json:"kind"`
	Data []byte           `json:"pprof"`
}

// SaveProfile keeps a profile of an app.
func (d *DB) SaveProfile(ctx context.Context, id, app string, kind race.ProfileKind, pprof []byte) error {
	return failure("save a profile of race "+id, d.transact(ctx, func(tx *sql.Tx) error {
		seq, _, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		return saveProfile(ctx, tx, seq, KeptProfile{App: app, Kind: kind, Data: pprof})
	}))
}

func saveProfile(ctx context.Context, tx *sql.Tx, seq int64, p KeptProfile) error {
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO profiles (race, app, kind, pprof) VALUES (?, ?, ?, ?)", seq, p.App, p.Kind, p.Data)
	return err
}

// Profile is a profile of an app in the format of pprof.
func (d *DB) Profile(ctx context.Context, id, app string, kind race.ProfileKind) ([]byte, error) {
	if _, err := d.Get(ctx, id); err != nil {
		return nil, err
	}
	var data []byte
	err := d.read.QueryRowContext(ctx, "SELECT pprof FROM profiles JOIN races ON seq = race WHERE id = ? AND app = ? AND kind = ?", id, app, kind).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, race.Errorf(race.NotFound, "choose one of the profiles that its record names", "race %s has no %s profile of an app %q", id, kind, app)
	}
	return data, failure("read a profile of race "+id, err)
}

// profiles are all of a race.
func (d *DB) profiles(ctx context.Context, id string) ([]KeptProfile, error) {
	rows, err := d.read.QueryContext(ctx, "SELECT app, kind, pprof FROM profiles JOIN races ON seq = race WHERE id = ? ORDER BY app, kind", id)
	if err != nil {
		return nil, failure("read the profiles of race "+id, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []KeptProfile
	for rows.Next() {
		var p KeptProfile
		if err := rows.Scan(&p.App, &p.Kind, &p.Data); err != nil {
			return nil, failure("read the profiles of race "+id, err)
		}
		all = append(all, p)
	}
	return all, failure("read the profiles of race "+id, rows.Err())
}
