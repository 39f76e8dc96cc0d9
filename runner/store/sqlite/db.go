// Package sqlite keeps the races of a runner as a service in one SQLite database. A call that has returned without an error is on the disk:
// every transaction is synced (WAL with synchronous=FULL), so that nothing acknowledged is lost, however the process ends.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/photofinish/photofinish/pkg/race"
)

//go:embed migrations/*.sql
var migrations embed.FS

// readers is how many lists and records are read at once; more readers would only take CPU from a race.
const readers = 4

// DB is an open database. It may be used concurrently, also by several processes.
type DB struct {
	write *sql.DB // one connection: SQLite has one writer
	read  *sql.DB
}

// Open opens the database in a file, makes it if it is not there, and brings its tables up to date.
func Open(ctx context.Context, path string) (d *DB, err error) {
	d = &DB{}
	if d.write, err = open(path, 1); err != nil {
		return nil, err
	}
	if d.read, err = open(path, readers, "query_only(1)"); err != nil {
		return nil, errors.Join(err, d.write.Close())
	}
	if err := d.migrate(ctx); err != nil {
		return nil, errors.Join(failure("open the database "+path, err), d.Close())
	}
	return d, nil
}

func open(path string, connections int, pragmas ...string) (*sql.DB, error) {
	query := url.Values{
		"_pragma": slices.Concat([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, pragmas),
		"_txlock": {"immediate"}, // a transaction that began as a reader could fail half way
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close closes the database.
func (d *DB) Close() error { return errors.Join(d.read.Close(), d.write.Close()) }

// migrate runs the migrations that this database has not seen, each in a transaction of its own.
func (d *DB) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	for {
		more := false
		err := d.transact(ctx, func(tx *sql.Tx) error {
			var version int
			if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
				return err
			}
			if version > len(files) {
				return race.Errorf(race.Unavailable, "run that version", "it was made by a newer version of photofinish (its tables are version %d, this program knows %d)", version, len(files))
			}
			if more = version < len(files); !more {
				return nil
			}
			text, err := migrations.ReadFile(files[version])
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("%s: %w", files[version], err)
			}
			_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1))
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// transact runs a transaction of the writer; it is on the disk when transact returns nil.
func (d *DB) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // the first error tells more
		return err
	}
	return tx.Commit()
}

// failure words an error of the database for a person; errors that are worded already stay as they are.
func failure(doing string, err error) error {
	var told *race.Error
	var lite *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told) && doing == "":
		return err
	case errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_FULL:
		return race.Errorf(race.Unavailable, "free some space", "cannot %s: the disk is full: %w", doing, err)
	case errors.As(err, &told):
		return race.Errorf(told.Code, told.Hint, "cannot %s: %w", doing, err)
	}
	return race.Errorf(race.Unavailable, "look at the disk and at the rights of the data folder", "cannot %s: %w", doing, err)
}

func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }
