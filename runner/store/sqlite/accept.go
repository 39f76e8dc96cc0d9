package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// ErrQueueFull is the cause of an error where too many races wait already.
var ErrQueueFull = errors.New("the queue is full")

// New is a race to be accepted.
type New struct {
	Record     race.Race // queued
	CreatedAt  time.Time
	User, Org  string
	ScriptText string
	Request    json.RawMessage
	// Key is the Idempotency-Key, "" for none; RequestHash tells requests apart.
	Key, RequestHash string
}

// Accepted is what is answered to a request for a race, word by word also the second time.
type Accepted struct {
	ID       string      `json:"id"`
	Status   race.Status `json:"status"`
	Position int         `json:"position"` // from 1
}

// Accept puts a race into the queue, which holds at most so many. A key that is known answers as it did the first time, or is race.Conflict
// if its request was another one.
func (d *DB) Accept(ctx context.Context, n New, queue int) (a Accepted, known bool, err error) {
	err = d.transact(ctx, func(tx *sql.Tx) error {
		if a, known, err = answered(ctx, tx, n.Key, n.RequestHash); err != nil || known {
			return err
		}
		var waiting int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM races WHERE status = ?", race.Queued).Scan(&waiting); err != nil {
			return err
		}
		if waiting >= queue {
			return race.Errorf(race.Unavailable, "try again when one has ended", "%d races wait already, and no more may: %w", waiting, ErrQueueFull)
		}
		a = Accepted{ID: n.Record.ID, Status: race.Queued, Position: waiting + 1}
		return insert(ctx, tx, n, a)
	})
	return a, known, failure("accept the race", err)
}

func insert(ctx context.Context, tx *sql.Tx, n New, a Accepted) error {
	record, err := json.Marshal(n.Record)
	if err != nil {
		return err
	}
	answer, err := json.Marshal(a)
	if err != nil {
		return err
	}
	hash, err := keepScript(ctx, tx, n.ScriptText)
	if err != nil {
		return err
	}
	key := sql.NullString{String: n.Key, Valid: n.Key != ""}
	done, err := tx.ExecContext(ctx, `INSERT INTO races (id, name, status, created_at, user, org, script, script_sha256, request, record, idem_key, idem_hash, idem_answer)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, n.Record.ID, n.Record.Name, n.Record.Status, micros(n.CreatedAt), n.User, n.Org,
		n.Record.Script, hash, string(n.Request), string(record), key, n.RequestHash, string(answer))
	if err != nil {
		return err
	}
	seq, err := done.LastInsertId()
	if err != nil {
		return err
	}
	cause := "asked for"
	if n.User != "" {
		cause += " by " + n.User
	}
	return change(ctx, tx, seq, n.CreatedAt, race.Queued, cause)
}

// Hash is how the texts of scripts are told apart.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func keepScript(ctx context.Context, tx *sql.Tx, text string) (string, error) {
	hash := Hash(text)
	_, err := tx.ExecContext(ctx, "INSERT INTO scripts (sha256, text) VALUES (?, ?) ON CONFLICT DO NOTHING", hash, text)
	return hash, err
}

func change(ctx context.Context, tx *sql.Tx, seq int64, at time.Time, status race.Status, cause string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO changes (race, at, status, cause) VALUES (?, ?, ?, ?)", seq, micros(at), status, cause)
	return err
}

// Answered is what was answered to an Idempotency-Key before.
func (d *DB) Answered(ctx context.Context, key, requestHash string) (a Accepted, known bool, err error) {
	a, known, err = answered(ctx, d.read, key, requestHash)
	return a, known, failure("", err)
}

type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func answered(ctx context.Context, q rowQuerier, key, requestHash string) (a Accepted, known bool, err error) {
	if key == "" {
		return a, false, nil
	}
	var hash, answer string
	err = q.QueryRowContext(ctx, "SELECT idem_hash, idem_answer FROM races WHERE idem_key = ?", key).Scan(&hash, &answer)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return a, false, nil
	case err != nil:
		return a, false, err
	case hash != requestHash:
		return a, false, race.Errorf(race.Conflict, "use a new key for another request", "the Idempotency-Key %q was used for another request", key)
	}
	return a, true, json.Unmarshal([]byte(answer), &a)
}
