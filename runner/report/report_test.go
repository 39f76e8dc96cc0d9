package report_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/report"
)

// plausible is the report's data of the made-up race, with a point a second for every app, measure and heat.
func plausible() report.Data {
	s := racetest.FourApps()
	d := report.Data{Race: s.Race, Generated: time.Date(2026, 3, 14, 9, 30, 0, 0, time.UTC)}
	random := rand.New(rand.NewPCG(3, 4))
	for _, lane := range s.Race.Lanes {
		var h stream.Histogram
		for _, ms := range s.Latencies[lane.App] {
			h.Observe(ms / 1000)
		}
		d.Distributions = append(d.Distributions, report.DistributionOf(lane.App, h))
		for _, id := range []string{"latency_p50", "latency_p95", "latency_p99", "request_rate", "error_rate", "cpu_cores", "memory_working_set", "cpu_ms_per_request"} {
			for _, heat := range s.Race.Heats {
				d.Series = append(d.Series, line(lane, heat, id, heat.StartedAt.Sub(*s.Race.Heats[0].StartedAt).Seconds(), random))
			}
		}
	}
	return d
}

func line(lane race.Lane, heat race.Heat, id string, start float64, random *rand.Rand) report.PlotSeries {
	out := report.PlotSeries{App: lane.App, Measure: id, Heat: heat.Number}
	for s := range 11 {
		v := *heat.Lanes[lane.App].Measures[id] * math.Exp(.05*random.NormFloat64())
		if id == "memory_working_set" && lane.App == "memory-leak" {
			v = 14.4e6 + float64(s)*200*51200
		}
		out.T = append(out.T, start+float64(s))
		out.V = append(out.V, &v)
	}
	return out
}

func render(t *testing.T, d report.Data) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, d))
	return b.String()
}

// nodes finds the elements of a name.
func nodes(t *testing.T, page, name string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var out []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			out = append(out, n)
		}
	}
	return out
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

const hostile = "</script><img src=x onerror=\"alert(1)\">\u2028'`${1}{{.}}&amp;]]><!--"

func TestHostileTextStaysText(t *testing.T) {
	d := plausible()
	was := d.Race.Lanes[3].App
	rename := func(s *string) {
		if *s == was {
			*s = hostile
		}
	}
	r := &d.Race
	r.Name, r.Script, r.ID, r.Engine, r.RequestedBy = hostile, hostile, hostile, hostile, new(string)
	*r.RequestedBy = hostile
	sentence := hostile
	r.Error = &sentence
	r.Lanes[3].LastLog = []string{hostile, "fine"}
	r.Lanes[3].URL = "javascript:" + hostile
	r.Versions = map[string]string{hostile: hostile}
	r.Machine.CPUModel = hostile
	rename(&r.Lanes[3].App)
	for i := range r.Verdicts {
		rename(&r.Verdicts[i].App)
		r.Verdicts[i].Warnings = []string{hostile}
	}
	for i, h := range r.Heats {
		h.Lanes[hostile] = h.Lanes[was]
		for j := range h.Order {
			rename(&r.Heats[i].Order[j])
		}
	}
	for i := range r.Audit.Findings {
		rename(&r.Audit.Findings[i].Lane)
		r.Audit.Findings[i].Detail = hostile
	}
	for i := range d.Series {
		rename(&d.Series[i].App)
	}
	for i := range d.Distributions {
		rename(&d.Distributions[i].App)
	}
	page := render(t, d)
	require.Empty(t, nodes(t, page, "img"))
	require.Len(t, nodes(t, page, "script"), 4)
	for _, n := range append(nodes(t, page, "a"), nodes(t, page, "body")...) {
		require.NotContains(t, attribute(n, "href"), "javascript")
	}
	require.Contains(t, text(nodes(t, page, "pre")[0]), hostile)
	require.Equal(t, hostile, text(nodes(t, page, "h1")[0]))

	var back race.Race
	for _, n := range nodes(t, page, "script") {
		if attribute(n, "id") == "record" {
			require.NotContains(t, text(n), "\u2028")
			require.NoError(t, json.Unmarshal([]byte(text(n)), &back))
		}
	}
	require.Equal(t, d.Race, back, "the raw numbers come back as they went in")
}

func TestThePolicyAllowsExactlyWhatIsInThePage(t *testing.T) {
	page := render(t, plausible())
	var policy string
	for _, n := range nodes(t, page, "meta") {
		if attribute(n, "http-equiv") == "Content-Security-Policy" {
			policy = attribute(n, "content")
		}
	}
	require.Contains(t, policy, "default-src 'none'")
	require.NotContains(t, policy, "unsafe")
	for _, name := range []string{"style", "script"} {
		for _, n := range nodes(t, page, name) {
			if attribute(n, "type") == "application/json" {
				continue
			}
			sum := sha256.Sum256([]byte(text(n)))
			require.Contains(t, policy, name+"-src", name)
			require.Contains(t, policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", name)
		}
	}
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	for n := range root.Descendants() {
		require.Empty(t, attribute(n, "style"), "the policy forbids style attributes")
		require.Empty(t, attribute(n, "src"), "nothing is loaded")
		require.NotContains(t, attribute(n, "href"), "//", "nothing is linked")
	}
}

func TestANormalRaceMakesASmallPage(t *testing.T) {
	require.Less(t, len(render(t, plausible())), 500_000)
}

func TestALongRaceIsThinnedAndKeepsItsPeaks(t *testing.T) {
	d := plausible()
	d.Series = nil
	for _, lane := range d.Race.Lanes {
		for _, id := range []string{"latency_p50", "latency_p95", "latency_p99", "request_rate", "cpu_cores", "memory_working_set", "cpu_ms_per_request", "error_rate"} {
			s := report.PlotSeries{App: lane.App, Measure: id, Heat: 1}
			for i := range 10_000 {
				v := 1.0
				if i == 7_777 {
					v = 4321
				}
				s.T, s.V = append(s.T, float64(i)), append(s.V, &v)
			}
			d.Series = append(d.Series, s)
		}
	}
	page := render(t, d)
	require.Less(t, len(page), 800_000)
	require.Contains(t, page, "Long lines are thinned")
	require.GreaterOrEqual(t, strings.Count(page, "4321"), len(d.Series), "a peak of a single second is still there in every line")
}

func TestWhatIsMissingIsLeftOut(t *testing.T) {
	for name, r := range map[string]race.Race{
		"nothing at all": {},
		"queued":         {ID: "r", Status: race.Queued, Baseline: "a", Lanes: []race.Lane{{App: "a"}, {App: "b"}}},
		"one heat without numbers": {
			ID: "r", Status: race.Interrupted, Baseline: "a", Lanes: []race.Lane{{App: "a"}, {App: "b"}}, Heats: []race.Heat{{Number: 1}},
			Verdicts: []race.Verdict{{App: "b", Measure: "latency_p95", Outcome: race.Inconclusive}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			page := render(t, report.Data{Race: r})
			require.NotContains(t, page, "NaN")
			require.NotContains(t, page, "ZgotmplZ")
			require.Contains(t, page, "No time series of this race were at hand")
		})
	}
}

func TestSeriesThatCannotBeDrawnDoNoHarm(t *testing.T) {
	d := plausible()
	nan, one := math.NaN(), 1.0
	d.Series = []report.PlotSeries{
		{App: "control", Measure: "latency_p95", Heat: 1, T: []float64{0, 1, 2}, V: []*float64{&one, &nan, nil}},
		{App: "control", Measure: "latency_p95", Heat: 2, T: []float64{0, 1}, V: []*float64{&one, &one}}, // runs backwards
		{App: "control", Measure: "latency_p50", Heat: 1, T: []float64{0, 1}, V: []*float64{&one}},       // of unequal length
		{App: "stranger", Measure: "latency_p95", Heat: 1, T: []float64{0}, V: []*float64{&one}},
	}
	page := render(t, d)
	require.Contains(t, page, `"t":[[0,1,2],[],[],[]],"v":[[1,null,null],[],[],[]]`)
}

func TestAMeasureThatIsNotInTheCatalogueIsDrawnInItsUnit(t *testing.T) {
	d, one := plausible(), 1.0
	d.Series = []report.PlotSeries{{App: "control", Measure: "queue_length", Unit: "jobs", Heat: 1, T: []float64{0}, V: []*float64{&one}}}
	require.Contains(t, render(t, d), `"title":"queue_length","unit":"jobs"`)
}

func TestPercentilesBeyondTheAxisAreNotDrawn(t *testing.T) {
	d := plausible()
	before := render(t, d)
	for i := range d.Distributions {
		d.Distributions[i].Curve = append(d.Distributions[i].Curve, report.Percentile{Percentile: 99.99, MS: 1e6}, report.Percentile{Percentile: 100, MS: 1e9})
	}
	require.Equal(t, before, render(t, d))
}

func TestDistributionOfAHistogram(t *testing.T) {
	require.Empty(t, report.DistributionOf("app", stream.Histogram{}).Curve)
	var h stream.Histogram
	for i := range 1000 {
		h.Observe(float64(i+1) / 1000) // 1 ms to 1 s, evenly
	}
	d := report.DistributionOf("app", h)
	last := d.Curve[len(d.Curve)-1]
	require.InDelta(t, 99.5, last.Percentile, 1e-9, "beyond, fewer than five requests would decide")
	for _, p := range d.Curve {
		require.InEpsilon(t, 10*p.Percentile, p.MS, .06, "p%g", p.Percentile)
	}
	peak := slices.MaxFunc(d.Density, func(a, b report.Density) int { return cmp.Compare(a.Density, b.Density) })
	require.Greater(t, peak.MS, 500.0, "on a logarithmic axis an even spread is densest at its upper end")
}

func TestTheReportTellsHowACapacityWasFound(t *testing.T) {
	r := racetest.Capacity()
	r.Capacity.Lanes[0].Tries[2].Broke = []string{"<script>alert(1)</script>"}
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, report.Data{Race: r}))
	page := b.String()
	require.Contains(t, page, `<section class="panel" id="capacity">`)
	require.Contains(t, page, "control holds 480 req/s [470, 490], found in 11 tries")
	require.Contains(t, page, "heat 2, search")
	require.Contains(t, page, "✗ no: latency_p95&lt;60: ")
	require.NotContains(t, strings.ReplaceAll(page, "\\u003c", "<")[:strings.Index(page, `id="record"`)], "<script>alert")
	b.Reset()
	require.NoError(t, report.Write(&b, report.Data{Race: racetest.FourApps().Race}))
	require.NotContains(t, b.String(), `id="capacity"`)
}
