package report_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/report"
)

// browser finds a Chromium, or skips the test loudly; where nothing may be skipped it fails.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const why = "SKIPPED: no chromium, chromium-browser or google-chrome here: report.html was not opened in a browser (Debian: apt-get install chromium)"
	if os.Getenv("PHOTOFINISH_REQUIRE_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// open loads a page and returns the document as it stands after its scripts ran, and what the console said.
func open(t *testing.T, page string) (dom, console string) {
	t.Helper()
	chromium := browser(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "report.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	// Not t.TempDir: a helper process of the browser may outlive it by a moment and write there while the test cleans up.
	profile, err := os.MkdirTemp("", "photofinish-chromium-") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() {
		for range 20 {
			if os.RemoveAll(profile) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
		"--user-data-dir="+profile, "--virtual-time-budget=3000", "--enable-logging=stderr", "--dump-dom", "file://"+file)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	for _, l := range strings.Split(stderr.String(), "\n") {
		if strings.Contains(l, "CONSOLE") {
			console += l + "\n"
		}
	}
	return string(out), console
}

func TestTheReportWorksInABrowser(t *testing.T) {
	dom, console := open(t, render(t, plausible()))
	require.Empty(t, console, "the console of a page without mistakes is empty, the content security policy included")
	require.Len(t, nodes(t, dom, "canvas"), 6, "latency, requests, CPU, memory, CPU per request, errors")
	for _, c := range nodes(t, dom, "canvas") {
		require.Regexp(t, `^[1-9][0-9]{2,}$`, attribute(c, "width"))
	}
	buttons := ""
	for _, b := range nodes(t, dom, "button") {
		buttons += text(b) + " "
	}
	require.Contains(t, buttons, "control high-latency high-cpu memory-leak See all p95 p50 p99")
	require.Regexp(t, regexp.MustCompile(`<a id="download"[^>]*href="blob:`), dom)
}

func TestAReportWithoutSeriesWorksInABrowser(t *testing.T) {
	d := plausible()
	dom, console := open(t, render(t, report.Data{Race: d.Race}))
	require.Empty(t, console)
	require.Empty(t, nodes(t, dom, "canvas"))
}

func TestABrowserRunsNothingThatANameHolds(t *testing.T) {
	d := plausible()
	d.Race.Name = hostile
	d.Race.Lanes[3].LastLog = []string{hostile, "<script>document.title='hit'</script>"}
	dom, console := open(t, render(t, d))
	require.Empty(t, console)
	require.Empty(t, nodes(t, dom, "img"))
	require.NotEqual(t, "hit", text(nodes(t, dom, "title")[0]))
}
