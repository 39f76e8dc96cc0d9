package compare_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
)

func TestZZ(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "bench", true)
	for i := range 4 {
		app := "app" + strconv.Itoa(i)
		s.run(load{app: app, heat: "1", median: 0.01, rate: 20}, t0, 600)
	}
	sel := `photofinish_http_req_duration_seconds{testid="bench",phase="race"}`
	for _, e := range []string{
		sel,
		sel + " offset 1s",
		"last_over_time(" + sel + "[1s])",
		sel + " - " + sel + " offset 1s",
		"last_over_time(" + sel + "[1s]) - " + sel + " offset 1s",
		"last_over_time(" + sel + "[1s]) - " + sel + " offset 1s or last_over_time(" + sel + "[1s])",
		"sum by (app) (last_over_time(" + sel + "[1s]) - " + sel + " offset 1s or last_over_time(" + sel + "[1s]))",
		"sum by (app) (" + sel + " - " + sel + " offset 1s or " + sel + ")",
		"histogram_quantile(0.95, sum by (app) (last_over_time(" + sel + "[1s]) - " + sel + " offset 1s or last_over_time(" + sel + "[1s])))",
		"histogram_quantile(0.95, " + sel + " - " + sel + " offset 1s)",
		"histogram_quantile(0.95, sum by (app) (rate(" + sel + "[2s])))",
		"histogram_quantile(0.95, sum by (app) (increase(" + sel + "[2s])))",
		"histogram_quantile(0.95, sum by (app) (irate(" + sel + "[2s])))",
		"histogram_quantile(0.95, sum by (app) (delta(" + sel + "[2s])))",
		"histogram_quantile(0.95, rate(" + sel + "[2s]))",
		"histogram_avg(sum by (app) (last_over_time(" + sel + "[1s]) - " + sel + " offset 1s or last_over_time(" + sel + "[1s])))",
		"sum by (__name__,app,heat) (last_over_time(photofinish_http_reqs_total[600s]))",
		"max by (app,heat) (timestamp(photofinish_http_reqs_total))",
	} {
		best := time.Hour
		for range 5 {
			st := time.Now()
			r, err := w.Query(t.Context(), promql.Query{Expr: e, Start: t0, End: t0.Add(600 * time.Second), Step: time.Second})
			_ = r
			if err != nil {
				t.Log(err)
			}
			best = min(best, time.Since(st))
		}
		fmt.Println(best, e)
	}
}
