package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/store"
)

// short are the overrides that make an example a matter of seconds.
var short = []string{"--heats", "1", "--duration", "1s", "--warmup", "200ms", "--rate", "20"}

// examples are the command lines that a help text shows, without the program's name.
func examples(t *testing.T, command string) [][]string {
	t.Helper()
	help := run(t.Context(), t, "", command, "--help")
	require.Equal(t, 0, help.code)
	var lines [][]string
	for line := range strings.Lines(help.stdout) {
		args := strings.Fields(line)
		if len(args) < 2 || args[0] != "photofinish" || args[1] != command || strings.Contains(line, "[flags]") {
			continue
		}
		if n := len(args); n > 2 && args[n-2] == ">" { // the shell's
			args = args[:n-2]
		}
		lines = append(lines, args[1:])
	}
	return lines
}

// replace puts what exists in the place of an example's names.
func replace(line []string, names ...string) []string {
	replacer := strings.NewReplacer(names...)
	args := make([]string, len(line))
	for i, arg := range line {
		args[i] = replacer.Replace(arg)
	}
	return args
}

func TestTheExamplesOfTheHelpTextsWork(t *testing.T) {
	t.Chdir("../..")
	old, _ := elsewhere(t, "/api", 0)
	fresh, _ := elsewhere(t, "/api", 0)
	script := writeScript(t, "", "old: { url: '"+old+"' }", "new: { url: '"+fresh+"' }")
	dir := filepath.Join(t.TempDir(), "race")
	lines := examples(t, "race")
	require.Len(t, lines, 8)
	for i, line := range lines {
		t.Run(strings.Join(line, " "), func(t *testing.T) {
			args := replace(line, "script.js", script, "http://127.0.0.1:8080/api", old, "http://127.0.0.1:8081/api", fresh, "race.md", dir+".md", "race.xml", dir+".xml")
			if slices.Contains(args, "docker") { // with images that no registry has to give
				args = replace(args, "tests/ab-test.js", writeScript(t, "", needImages(t).lanes...))
			}
			f := run(t.Context(), t, dir+strconv.Itoa(i), append(args, short...)...)
			require.Equal(t, 0, f.code)
			require.Len(t, f.record.Heats, 1)
			require.FileExists(t, filepath.Join(f.dir, "report.html"))
		})
	}
	for end, says := range map[string]string{".md": "### Race script", ".xml": `<testsuite name="script"`} {
		text, err := os.ReadFile(dir + end)
		require.NoError(t, err)
		require.Contains(t, string(text), says)
	}
	lines = examples(t, "compare")
	require.Len(t, lines, 4)
	stock := runStock(t)
	r, err := store.Load(dir + "0")
	require.NoError(t, err)
	r.Audit.Fair = true // whatever else this machine does; a trend is one of fair races
	fair := saved(t, r)
	r.ID += "-earlier"
	earlier := saved(t, r) // the same race, a week ago
	for _, line := range lines {
		t.Run(strings.Join(line, " "), func(t *testing.T) {
			args := replace(line, "http://127.0.0.1:9090", stock.prometheus.URL())
			for i, arg := range args {
				switch {
				case i > 0 && args[i-1] == "--baseline-race":
					args[i] = earlier
				case strings.HasPrefix(arg, "races/"):
					args[i] = fair
				}
			}
			f := run(t.Context(), t, "", args...)
			require.Equal(t, 0, f.code)
			if slices.Contains(args, "--trend") {
				require.Contains(t, f.stdout, "no change in 1 race")
				return
			}
			require.Contains(t, f.stdout, "Standings")
		})
	}
}

func TestTheCommandOfTheReadmeWorks(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	command := regexp.MustCompile(`(?m)^go (run \./runner race \S+) `).FindSubmatch(readme)
	require.NotNil(t, command)
	dir := filepath.Join(t.TempDir(), "race")
	goRun := exec.Command("go", append(strings.Fields(string(command[1])), "--heats", "1", "--duration", "1s", "--out", dir)...)
	goRun.Dir = "../.."
	said, err := goRun.CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Contains(t, string(said), "Standings")
	require.FileExists(t, filepath.Join(dir, "race.json"))
	require.FileExists(t, filepath.Join(dir, "report.html"))
}
