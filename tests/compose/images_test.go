package compose_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/stretchr/testify/require"
)

// TestImagesBuildFromWhatTheirContextHolds does outside of Docker what each build stage of the Dockerfile does inside: it copies what the
// stage copies, from what .dockerignore leaves, and runs its command. The base images come from a registry, which not every machine
// reaches; TestStack builds the images whole.
func TestImagesBuildFromWhatTheirContextHolds(t *testing.T) {
	t.Run("runner", func(t *testing.T) {
		dir := stage(t, "go", "build-runner")
		require.FileExists(t, filepath.Join(dir, "out/photofinish"))
		said, err := exec.CommandContext(t.Context(), filepath.Join(dir, "out/photofinish"), "--version").CombinedOutput()
		require.NoError(t, err, string(said))
	})
	t.Run("data source", func(t *testing.T) {
		dir := stage(t, "go", "build-backend")
		built, err := filepath.Glob(filepath.Join(dir, "out/gpx_photofinish_linux_*"))
		require.NoError(t, err)
		require.Len(t, built, 1)
	})
	t.Run("frontend", func(t *testing.T) {
		if _, err := os.Stat(filepath.Join(root, "node_modules")); err != nil {
			missing(t, "the frontend's modules are not installed: npm ci")
		}
		dir := stage(t, "build-frontend")
		for _, file := range []string{"plugin.json", "module.js", "datasource/plugin.json", "datasource/module.js", "LICENSE", "README.md"} {
			require.FileExists(t, filepath.Join(dir, "src/dist", file))
		}
	})
}

// missing skips a test, or fails it where nothing may be skipped.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PHOTOFINISH_REQUIRE_ALL") != "" {
		t.Fatal(what)
	}
	t.Skip("NOT TESTED: " + what)
}

var (
	fromLine = regexp.MustCompile(`^FROM \S+ AS (\S+)$`)
	copyLine = regexp.MustCompile(`^COPY ([^-].*) (\S+)$`)
	runLine  = regexp.MustCompile(`^RUN (?:--mount=\S+ )*(.*)$`)
)

// stage does what stages of the Dockerfile say, one after the other, and returns the folder that stood for their root.
func stage(t *testing.T, names ...string) string {
	t.Helper()
	ignored := ignored(t)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "src"), 0o750))
	for _, name := range names {
		lines := linesOf(t, name)
		require.NotEmpty(t, lines, "no stage %s", name)
		for _, line := range lines {
			if copied := copyLine.FindStringSubmatch(line); copied != nil {
				for _, source := range strings.Fields(copied[1]) {
					copyTree(t, ignored, source, filepath.Join(dir, "src"))
				}
			} else if run := runLine.FindStringSubmatch(line); run != nil {
				execute(t, dir, run[1])
			} else {
				require.Regexp(t, `^(ENV CGO_ENABLED=0|WORKDIR /src)$`, line, "this test does not know what to do about it")
			}
		}
	}
	return dir
}

func linesOf(t *testing.T, stage string) (lines []string) {
	t.Helper()
	in := ""
	for line := range strings.Lines(strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", "")) {
		line = strings.TrimSpace(line)
		if from := fromLine.FindStringSubmatch(line); from != nil {
			in = from[1]
		} else if in == stage && line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, regexp.MustCompile(`\s+`).ReplaceAllString(line, " "))
		}
	}
	return lines
}

func ignored(t *testing.T) *patternmatcher.PatternMatcher {
	t.Helper()
	patterns, err := ignorefile.ReadAll(strings.NewReader(read(t, ".dockerignore")))
	require.NoError(t, err)
	matcher, err := patternmatcher.New(patterns)
	require.NoError(t, err)
	return matcher
}

// copyTree copies a file or folder of the repository, without what is ignored.
func copyTree(t *testing.T, ignored *patternmatcher.PatternMatcher, source, to string) {
	t.Helper()
	files := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(root, source), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		if d.IsDir() {
			if d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o750)
		}
		out, err := ignored.MatchesOrParentMatches(name)
		if err != nil || out {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return os.WriteFile(filepath.Join(to, name), text, 0o600)
	}))
	require.NotZero(t, files, ".dockerignore leaves nothing of %s", source)
}

func execute(t *testing.T, dir, command string) {
	t.Helper()
	if command == "npm ci" { // what is installed already is the same
		modules, err := filepath.Abs(filepath.Join(root, "node_modules"))
		require.NoError(t, err)
		require.NoError(t, os.Symlink(modules, filepath.Join(dir, "src/node_modules")))
		return
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", strings.ReplaceAll(command, "/out", filepath.Join(dir, "out")))
	cmd.Dir = filepath.Join(dir, "src")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, string(said))
}
