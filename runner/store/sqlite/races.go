package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Kept is a race as it is kept.
type Kept struct {
	ID     string
	Status race.Status
	// Record is race.json.
	Record json.RawMessage
	// Position in the queue, from 1; 0 once the race has left it.
	Position int
}

// Filter narrows a list; its zero value lists all, from the newest.
type Filter struct {
	Name string
	// Status keeps races of any of these; none keeps all.
	Status []race.Status
	Limit  int
	Cursor string
}

// Page lists races, the newest first. next is the cursor of the next page, "" on the last.
func (d *DB) Page(ctx context.Context, f Filter) (page []Kept, next string, err error) {
	where, args := []string{"true"}, []any{}
	if f.Name != "" {
		where, args = append(where, "name = ?"), append(args, f.Name)
	}
	if len(f.Status) > 0 {
		where = append(where, "status IN (?"+strings.Repeat(", ?", len(f.Status)-1)+")")
		for _, status := range f.Status {
			args = append(args, status)
		}
	}
	if f.Cursor != "" {
		at, seq, err := parseCursor(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		where, args = append(where, "(created_at, seq) < (?, ?)"), append(args, at, seq)
	}
	places, err := d.places(ctx)
	if err != nil {
		return nil, "", failure("list the races", err)
	}
	rows, err := d.read.QueryContext(ctx, `SELECT seq, created_at, id, status, record FROM races WHERE `+strings.Join(where, " AND ")+ //nolint:gosec // the parts are constants
		` ORDER BY created_at DESC, seq DESC LIMIT ?`, append(args, f.Limit+1)...)
	if err != nil {
		return nil, "", failure("list the races", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var seq, at int64
	for rows.Next() {
		if len(page) == f.Limit {
			next = fmt.Sprintf("%d.%d", at, seq)
			break
		}
		var k Kept
		var record []byte
		if err := rows.Scan(&seq, &at, &k.ID, &k.Status, &record); err != nil {
			return nil, "", failure("list the races", err)
		}
		k.Record, k.Position = record, places[k.ID]
		page = append(page, k)
	}
	return page, next, failure("list the races", rows.Err())
}

func parseCursor(s string) (at, seq int64, err error) {
	a, b, ok := strings.Cut(s, ".")
	at, errA := strconv.ParseInt(a, 10, 64)
	seq, errB := strconv.ParseInt(b, 10, 64)
	if !ok || errA != nil || errB != nil {
		return 0, 0, race.Errorf(race.Invalid, "use next of the page before as it is", "%q is no cursor of a list", s)
	}
	return at, seq, nil
}

// places are the positions in the queue by race.
func (d *DB) places(ctx context.Context) (map[string]int, error) {
	rows, err := d.read.QueryContext(ctx, "SELECT id FROM races WHERE status = ? ORDER BY seq", race.Queued)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	places := map[string]int{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		places[id] = len(places) + 1
	}
	return places, rows.Err()
}

// Places are the positions in the queue, from 1, by race.
func (d *DB) Places(ctx context.Context) (map[string]int, error) {
	places, err := d.places(ctx)
	return places, failure("read the queue", err)
}

// Get finds one race.
func (d *DB) Get(ctx context.Context, id string) (Kept, error) {
	k := Kept{ID: id}
	var record []byte
	err := d.read.QueryRowContext(ctx, `SELECT status, record, CASE status WHEN ?1 THEN
		(SELECT count(*) FROM races q WHERE q.status = ?1 AND q.seq <= races.seq) ELSE 0 END FROM races WHERE id = ?2`, race.Queued, id).
		Scan(&k.Status, &record, &k.Position)
	k.Record = record
	return k, lookup(id, err)
}

func lookup(id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return race.Errorf(race.NotFound, "use an id from the list of races", "there is no race %q", id)
	}
	return failure("read race "+id, err)
}

// Counts are how many races there are of each status.
func (d *DB) Counts(ctx context.Context) (map[race.Status]int, error) {
	rows, err := d.read.QueryContext(ctx, "SELECT status, count(*) FROM races GROUP BY status")
	if err != nil {
		return nil, failure("count the races", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	counts := map[race.Status]int{}
	for rows.Next() {
		var status race.Status
		var n int
		if err := rows.Scan(&status, &n); err != nil {
			return nil, failure("count the races", err)
		}
		counts[status] = n
	}
	return counts, failure("count the races", rows.Err())
}

// Logs is the last output of a race's app, nil where none was kept.
func (d *DB) Logs(ctx context.Context, id, app string) ([]string, error) {
	var text string
	err := d.read.QueryRowContext(ctx, "SELECT lines FROM logs JOIN races ON seq = race WHERE id = ? AND app = ?", id, app).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, failure("read the logs of race "+id, err)
	}
	var lines []string
	return lines, json.Unmarshal([]byte(text), &lines)
}

// Change is one step in the life of a race.
type Change struct {
	At     time.Time   `json:"at"`
	Status race.Status `json:"status"`
	Cause  string      `json:"cause"`
}

// Changes are the steps in the life of a race.
func (d *DB) Changes(ctx context.Context, id string) ([]Change, error) {
	rows, err := d.read.QueryContext(ctx, "SELECT at, changes.status, cause FROM changes JOIN races ON seq = race WHERE id = ? ORDER BY changes.rowid", id)
	if err != nil {
		return nil, failure("read the changes of race "+id, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []Change
	for rows.Next() {
		var c Change
		var at int64
		if err := rows.Scan(&at, &c.Status, &c.Cause); err != nil {
			return nil, failure("read the changes of race "+id, err)
		}
		c.At = fromMicros(at)
		all = append(all, c)
	}
	return all, failure("read the changes of race "+id, rows.Err())
}
