package promserver

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/photofinish/photofinish/pkg/race"
)

// The database is small and young; Prometheus' own defaults are for millions of series and weeks.
const (
	// outOfOrder is how late a sample may come: two writers and the scraper push independently, and a writer retries after a hiccup.
	outOfOrder = 30 * time.Second
	// retention bounds the database of a long-lived runner.
	retention = 15 * 24 * time.Hour
	// stripes is the size of the series table; 16384 is the default and costs 1.5 MB before the first series.
	stripes = 1024
	// walSegment bounds one file of the write-ahead log in bytes; a ten-minute race writes about 100 MB with four lanes of histograms.
	walSegment = 32 << 20
)

func openDB(dir string, log *slog.Logger, reg prometheus.Registerer, stats *tsdb.DBStats) (*tsdb.DB, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, dirError(dir, err)
	}
	o := tsdb.DefaultOptions()
	o.RetentionDuration = retention.Milliseconds()
	o.OutOfOrderTimeWindow = outOfOrder.Milliseconds()
	o.StripeSize = stripes
	o.WALSegmentSize = walSegment
	o.HeadChunksWriteBufferSize = chunks.MinWriteBufferSize
	db, err := tsdb.Open(dir, log, reg, o, stats)
	if err != nil {
		return nil, dirError(dir, err)
	}
	return db, nil
}

func dirError(dir string, err error) error {
	hint := "Choose another folder."
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = "Choose a folder that you may write to."
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "Make room on the disk, or choose a folder on another one."
	case errors.Is(err, syscall.EAGAIN):
		hint = "Another runner uses this folder: choose another one."
	}
	return race.Errorf(race.Unavailable, hint, "cannot open the metrics database in %s: %w", dir, err)
}

// admin shows the API what it may tell about the database.
type admin struct {
	*tsdb.DB
	stats *tsdb.DBStats
}

func (a admin) Stats(label string, limit int) (*tsdb.Stats, error) {
	return a.Head().Stats(label, limit), nil
}

func (a admin) WALReplayStatus() (tsdb.WALReplayStatus, error) {
	return a.stats.Head.WALReplayStatus.GetWALReplayStatus(), nil
}

func (a admin) BlockMetas() ([]tsdb.BlockMeta, error) { return a.DB.BlockMetas(), nil }
