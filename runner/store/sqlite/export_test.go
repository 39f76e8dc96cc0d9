package sqlite

import (
	"context"
	"fmt"
)

// SetVersion makes the database one of another version.
func (d *DB) SetVersion(ctx context.Context, version int) error {
	_, err := d.write.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version))
	return err
}

// UnpackUnsynced is Unpack without a sync, to fill a database quickly.
func (d *DB) UnpackUnsynced(ctx context.Context, p Parcel) (bool, error) {
	if _, err := d.write.ExecContext(ctx, "PRAGMA synchronous = OFF"); err != nil {
		return false, err
	}
	return d.Unpack(ctx, p)
}
