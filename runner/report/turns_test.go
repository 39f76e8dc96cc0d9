package report_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/report"
)

// plots reads what the page gives its script to draw: by title, the values of the apps.
func plots(t *testing.T, page string) map[string][][]*float64 {
	t.Helper()
	for _, n := range nodes(t, page, "script") {
		if attribute(n, "id") != "plot-data" {
			continue
		}
		var data struct {
			Plots []struct {
				Title string
				Tabs  []struct{ V [][]*float64 }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(text(n)), &data))
		out := map[string][][]*float64{}
		for _, p := range data.Plots {
			out[p.Title] = p.Tabs[0].V
		}
		return out
	}
	require.Fail(t, "no data in the page")
	return nil
}

const absent = -1

func values(v ...float64) []*float64 {
	out := make([]*float64, len(v))
	for i := range v {
		if v[i] != absent {
			out[i] = &v[i]
		}
	}
	return out
}

func seconds(n int) (t []float64) {
	for i := range n {
		t = append(t, float64(i))
	}
	return t
}

func TestALaneWithoutTheTurnHasNoRate(t *testing.T) {
	d := plausible()
	rate := values(0, 0, 29, 51, 50, 20, 0, 0, 8, 40, 0, 7, absent)
	d.Series = []report.PlotSeries{
		{App: "control", Measure: "request_rate", T: seconds(13), V: rate},
		{App: "control", Measure: "cpu_cores", T: seconds(13), V: values(0, 0, .1, .2, .2, 0, 0, 0, 0, .1, 0, .1, 0)},
	}
	d.Race.Mode = race.Turns
	page := plots(t, render(t, d))
	require.Equal(t, values(absent, absent, absent, 51, 50, absent, absent, absent, absent, 40, absent, absent, absent), page["Requests"][0],
		"whole seconds of a turn, and the fullest of a turn that has none, unless the heat's end cut it short")
	require.Equal(t, values(0, 0, .1, .2, .2, 0, 0, 0, 0, .1, 0, .1, 0), page["CPU"][0], "what an app spends while it waits is real")
	require.Equal(t, 29.0, *rate[2], "the caller's values stay as they are")

	d.Race.Mode = race.Together
	require.Equal(t, rate, plots(t, render(t, d))["Requests"][0], "together, a second without requests is a stall and must be seen")
}

func TestALineEndsWhereItsLaneLeft(t *testing.T) {
	d := plausible()
	at := d.Race.Heats[0].StartedAt.Add(2500 * time.Millisecond)
	d.Race.Lanes[3].Exit = &race.Exit{Reason: race.OOM, At: &at}
	d.Series = nil
	for _, l := range d.Race.Lanes {
		d.Series = append(d.Series, report.PlotSeries{App: l.App, Measure: "memory_working_set", T: seconds(6), V: values(1, 2, 3, 0, 0, 0)})
	}
	memory := plots(t, render(t, d))["Memory"]
	require.Equal(t, values(1, 2, 3, 0, absent, absent), memory[3])
	require.Equal(t, values(1, 2, 3, 0, 0, 0), memory[0], "the others go on")
}

func TestAPlotWithoutDataIsSaidToBeMissing(t *testing.T) {
	d := plausible()
	d.Series = []report.PlotSeries{
		{App: "control", Measure: "request_rate", T: seconds(2), V: values(1, 2)},
		{App: "control", Measure: "cpu_cores", T: seconds(2), V: values(absent, absent)},
		{App: "control", Measure: "memory_working_set", T: seconds(2), V: values(absent, absent)},
	}
	page := render(t, d)
	require.Len(t, plots(t, page), 1)
	require.Contains(t, page, "No data: CPU, Memory. Prometheus holds no samples of them.")

	for i := range d.Race.Lanes {
		d.Race.Lanes[i].Container = nil
	}
	require.Contains(t, render(t, d), "No data: CPU, Memory. The apps were not started by this race, so nobody read their CPU and memory.")

	d.Race.Heats, d.Series = nil, d.Series[1:]
	page = render(t, d)
	require.Contains(t, page, "No data: CPU, Memory. No request of this race counted")
	require.NotContains(t, page, "No time series of this race were at hand")
}

func TestWarningsThatAllVerdictsShareStandOnceInTheReport(t *testing.T) {
	d := plausible()
	for i := range d.Race.Verdicts {
		d.Race.Verdicts[i].Warnings = []string{"the race failed its audit"}
	}
	said := 0
	for _, p := range nodes(t, render(t, d), "p") {
		if text(p) == "All: the race failed its audit." {
			said++
		}
	}
	require.Equal(t, 1, said)
	for _, row := range nodes(t, render(t, d), "tr") {
		require.NotContains(t, text(row), "failed its audit")
	}
}
