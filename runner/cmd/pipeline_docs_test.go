package cmd_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// workflow is what this test reads of a workflow of GitHub Actions.
type workflow struct {
	Jobs map[string]struct {
		Steps []struct {
			Uses, Run string
			With      map[string]any
		}
	}
}

// writes are the flags that name what a race writes.
var writes = regexp.MustCompile(`--(?:out|markdown|junit) "?([^"\s]+)`)

func TestTheExampleOfAPipelineKeepsWhatItsRaceWrites(t *testing.T) {
	text, err := os.ReadFile("../../docs/pipelines.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	require.NotNil(t, block)
	var w workflow
	require.NoError(t, yaml.Unmarshal(block[1], &w))
	var command string
	var kept []string
	for _, job := range w.Jobs {
		for _, step := range job.Steps {
			if strings.HasPrefix(step.Run, "photofinish race ") {
				command = step.Run
			}
			if strings.HasPrefix(step.Uses, "actions/upload-artifact@") {
				kept = append(kept, strings.Fields(step.With["path"].(string))...)
			}
		}
	}
	require.NotEmpty(t, command)
	files := writes.FindAllStringSubmatch(command, -1)
	require.Len(t, files, 3)
	for _, file := range files {
		if file[1] == "$GITHUB_STEP_SUMMARY" { // the job's page, which GitHub keeps itself
			continue
		}
		require.True(t, slices.ContainsFunc(kept, func(path string) bool { return file[1] == path || strings.HasPrefix(file[1], path+"/") }), "%s is not among the uploaded %v", file[1], kept)
	}
}

func TestTheFlagsOfThePipelinesPageExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/pipelines.md")
	require.NoError(t, err)
	help := map[string]string{}
	for _, command := range []string{"race", "compare"} {
		help[command] = run(t.Context(), t, "", command, "--help").stdout
	}
	lines := regexp.MustCompile("photofinish (race|compare) ([^`\n]+)").FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(lines), 4)
	for _, line := range lines {
		for _, flag := range regexp.MustCompile(`--[a-z0-9-]+`).FindAllString(line[2], -1) {
			require.Contains(t, help[line[1]], flag+" ", line[0])
		}
	}
}
