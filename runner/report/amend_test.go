package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/report"
)

func TestAnOverrideIsToldOnTopOfTheReport(t *testing.T) {
	d := plausible()
	d.Race = racetest.Unfair()
	page := render(t, d)
	at := time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC)
	r, err := verdict.Override(d.Race, "anna", "it was <script>alert(1)</script>", at)
	require.NoError(t, err)
	amended, err := report.Amend([]byte(page), r)
	require.NoError(t, err)
	text := string(amended)
	require.Contains(t, text, "the race was not fair; anna let the verdicts stand on 15 Mar 2026 08:00 UTC (“it was &lt;script&gt;alert(1)&lt;/script&gt;”).")
	require.Less(t, strings.Index(text, "high-latency is slower than control"), strings.Index(text, "high-latency against control is inconclusive"), "what stands comes before what was")
	start, end, _ := strings.Cut(text, `<section class="panel alert" id="override">`)
	_, end, _ = strings.Cut(end, "</section>\n")
	require.Equal(t, page, start+end, "nothing else changed")

	_, err = report.Amend([]byte("<html>"), r)
	require.Error(t, err)
	_, err = report.Amend([]byte(page), d.Race)
	require.Error(t, err, "nobody overrode it")
	d.Race = r
	whole := render(t, d)
	require.Contains(t, whole, "✗ slower*")
	require.Contains(t, whole, "* the race was not fair; anna let the verdicts stand")
}
