package server_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/server"
	"github.com/photofinish/photofinish/runner/service"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

// BenchmarkAPageOf10000Races answers GET /v1/races, a page of 50 whole records of four apps and eight heats (2 MB), out of 10,000 races.
func BenchmarkAPageOf10000Races(b *testing.B) {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "races.db"))
	require.NoError(b, err)
	defer db.Close()
	r := racetest.FourApps().Race
	for i := range 10_000 {
		r.ID = fmt.Sprintf("r%d", i)
		record, err := json.Marshal(r)
		require.NoError(b, err)
		_, err = db.Unpack(b.Context(), sqlite.Parcel{Race: record, CreatedAt: time.Unix(int64(i), 0)})
		require.NoError(b, err)
	}
	c := config.Default()
	log := slog.New(slog.DiscardHandler)
	s, err := service.New(b.Context(), service.Options{DB: db, Limits: c.Limits, Log: log})
	require.NoError(b, err)
	api := server.New(server.Options{Races: s, Limits: c.Limits, Metrics: prometheus.NewRegistry(), Log: log})
	ask := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/v1/races", nil)
	for b.Loop() {
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, ask)
		require.Equal(b, http.StatusOK, answer.Code)
		b.SetBytes(int64(answer.Body.Len()))
	}
}
