package pipeline_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/pipeline"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "go test ./runner/pipeline -update writes it anew")
}

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, pipeline.Markdown(&b, racetest.FourApps().Race))
	golden(t, "four-apps.md", b.Bytes())
	page := render(t, b.Bytes())
	require.Equal(t, 5, strings.Count(page, "<tr>"), "a head and four apps")
	require.Contains(t, page, "high-latency is slower than control: p95")
}

// render shows Markdown as GitHub does: with tables, and HTML in between.
func render(t *testing.T, text []byte) string {
	t.Helper()
	var page bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	require.NoError(t, md.Convert(text, &page))
	return page.String()
}

func TestNoNameLeavesItsPlace(t *testing.T) {
	r := racetest.FourApps().Race
	evil := "<img src=x onerror=alert(1)>|`a`*b*\n# c\x00 [d](javascript:e)"
	r.Name, r.Baseline = evil, evil
	for i := range r.Lanes {
		if r.Lanes[i].App == "control" {
			r.Lanes[i].App = evil
		}
	}
	r.Audit.Findings = append(r.Audit.Findings, race.Finding{Lane: evil, Kind: race.Interference, Severity: race.Unfair, Detail: evil})
	var b bytes.Buffer
	require.NoError(t, pipeline.Markdown(&b, r))
	page := render(t, b.Bytes())
	require.NotContains(t, page, "<img")
	require.NotContains(t, page, "<a ")
	require.NotContains(t, page, "<em>")
	require.NotContains(t, page, "<code>")
	require.Equal(t, 1, strings.Count(page, "<h3"))
	require.NotContains(t, page, "<h1")
	require.Equal(t, 5, strings.Count(page, "<tr>"))

	b.Reset()
	require.NoError(t, pipeline.JUnit(&b, r))
	var any struct {
		XMLName xml.Name
	}
	require.NoError(t, xml.Unmarshal(b.Bytes(), &any))
}

func TestWhatStandsByAnOverrideIsMarked(t *testing.T) {
	r, err := verdict.Override(racetest.Unfair(), "anna", "it was the backup", time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, pipeline.Markdown(&b, r))
	require.Contains(t, b.String(), "high-latency is slower than control: p95")
	require.Contains(t, b.String(), "(not a fair race: anna let its verdicts stand).")
	require.Contains(t, b.String(), "✗ slower\\*", "each word has its mark")
	require.Contains(t, b.String(), "\\* the race was not fair; anna let the verdicts stand on 15 Mar 2026 08:00 UTC (“it was the backup”)")
	b.Reset()
	require.NoError(t, pipeline.JUnit(&b, r))
	require.Contains(t, b.String(), `message="slower* × `)
	require.Contains(t, b.String(), "the verdict stands because it was overridden")
	require.Contains(t, b.String(), "not fair, but anna let the verdicts stand on 15 Mar 2026 08:00 UTC")

	b.Reset()
	require.NoError(t, pipeline.Markdown(&b, racetest.Unfair()))
	require.NotContains(t, b.String(), "slower")
	require.NotContains(t, b.String(), "inconclusive\\*")
}

type suites struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Skipped  int `xml:"skipped,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Name  string `xml:"name,attr"`
		Cases []struct {
			Class   string `xml:"classname,attr"`
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
			Skipped *struct{} `xml:"skipped"`
			Error   *struct {
				Message string `xml:"message,attr"`
			} `xml:"error"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func TestJUnit(t *testing.T) {
	finished, broken := racetest.FourApps().Race, racetest.FourApps().Race
	why := "lane control: exited with code 2"
	broken.Status, broken.Error, broken.Verdicts = race.Failed, &why, nil
	var b bytes.Buffer
	require.NoError(t, pipeline.JUnit(&b, finished, broken))
	golden(t, "two-races.xml", b.Bytes())
	var all suites
	require.NoError(t, xml.Unmarshal(b.Bytes(), &all))
	require.Len(t, all.Suites, 2)
	primary, worse := 0, 0
	for _, v := range finished.Verdicts {
		if v.Primary {
			primary++
			if v.Outcome == race.Slower {
				worse++
			}
		}
	}
	require.Positive(t, worse)
	require.Equal(t, primary+1, all.Tests)
	require.Equal(t, worse, all.Failures)
	require.Equal(t, 1, all.Errors)
	require.Equal(t, "failed: "+why, all.Suites[1].Cases[0].Error.Message)
	for _, c := range all.Suites[0].Cases {
		if c.Class == "ab-test.high-latency" && c.Name == "p95 latency against control" {
			require.Regexp(t, `^slower × \d`, c.Failure.Message)
			return
		}
	}
	t.Fatal("the p95 of high-latency is no test")
}

func TestARaceThatDidNotFinishHasNoRegressions(t *testing.T) {
	r := racetest.FourApps().Race
	r.Status = race.Interrupted
	var b bytes.Buffer
	require.NoError(t, pipeline.JUnit(&b, r))
	var all suites
	require.NoError(t, xml.Unmarshal(b.Bytes(), &all))
	require.Equal(t, 1, all.Errors)
	require.Zero(t, all.Failures)
	require.Positive(t, all.Skipped)
	require.Contains(t, b.String(), `message="slower × `, "what was seen is told all the same")
}

func TestMarkdownTellsOfCapacities(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, pipeline.Markdown(&b, racetest.Capacity()))
	page := render(t, b.Bytes())
	require.Contains(t, page, "<li>control holds 480 req/s [470, 490], found in 11 tries; beyond it latency_p95&lt;60: 198 ms</li>")
	require.Equal(t, 1, strings.Count(page, "A capacity is the highest rate that keeps latency_p95&lt;60"))
	require.Contains(t, page, ">Capacity</th>")
}
