package measure_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/measure"
)

var update = flag.Bool("update", false, "write the table of docs/measures.md anew")

// mark is the line of the page behind which the table stands.
const mark = "<!-- catalogue -->\n"

func table() string {
	units := map[measure.Unit]string{
		measure.Milliseconds: "ms", measure.PerSecond: "req/s", measure.Ratio: "0-1", measure.BytesPerSecond: "B/s", measure.Bytes: "B",
		measure.Cores: "cores", measure.Count: "count", measure.MSPerRequest: "ms/request", measure.BytesPerRequest: "B/request",
	}
	var b strings.Builder
	b.WriteString("\n| id | name | unit | better | what it is |\n|---|---|---|---|---|\n")
	for _, m := range measure.All() {
		id, better := "`"+m.ID+"`", string(m.Better)
		if m.Primary {
			id = "**" + id + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", id, m.Name, units[m.Unit], better, m.Sentence)
	}
	return b.String()
}

func TestThePageOfMeasuresHoldsTheCatalogue(t *testing.T) {
	const page = "../../docs/measures.md"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	prose, written, ok := strings.Cut(string(text), mark)
	require.True(t, ok, "%s has the line %q", page, mark)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(prose+mark+table()), 0o644))
		written = table()
	}
	require.Equal(t, table(), written, "write it anew: go test ./pkg/measure -update")
	for _, m := range measure.All() {
		require.NotContains(t, m.Sentence, "|", "a bar would end the cell")
	}
}
