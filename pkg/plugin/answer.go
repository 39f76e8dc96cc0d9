package plugin

import (
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/compare"
)

// answer is what a query comes to.
type answer struct {
	frames  data.Frames
	notices notices
	// executed is how every number can be traced, measure by measure.
	executed []compare.ExecutedQuery
}

// finish puts the notices and what was executed where Grafana shows them: on the first frame. Frames that already tell their own queries keep them.
func (a answer) finish() data.Frames {
	if len(a.frames) == 0 {
		a.frames = data.Frames{data.NewFrame("")}
	}
	for i, f := range a.frames {
		if f.Meta == nil {
			f.Meta = &data.FrameMeta{}
		}
		if i == 0 {
			f.AppendNotices(a.notices...)
		}
		if f.Meta.ExecutedQueryString == "" {
			f.Meta.ExecutedQueryString = executed(a.executed)
		}
	}
	return a.frames
}

// executed writes each expression once, under the measures that it is for.
func executed(queries []compare.ExecutedQuery, only ...string) string {
	var exprs []string
	measures := map[string][]string{}
	for _, q := range queries {
		if len(only) > 0 && !slices.Contains(only, q.Measure) {
			continue
		}
		if measures[q.Expr] == nil {
			exprs = append(exprs, q.Expr)
		}
		if !slices.Contains(measures[q.Expr], q.Measure) {
			measures[q.Expr] = append(measures[q.Expr], q.Measure)
		}
	}
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = "# " + strings.Join(measures[e], ", ") + "\n" + e
	}
	return strings.Join(parts, "\n\n")
}

// typed is an empty frame of a type of Grafana's data plane: what "no data" looks like to alert rules.
func typed(t data.FrameType) *data.Frame {
	return data.NewFrame("").SetMeta(&data.FrameMeta{Type: t, TypeVersion: data.FrameTypeVersion{0, 1}})
}

// table is an empty frame that Explore shows as a table.
func table(name string) *data.Frame {
	return data.NewFrame(name).SetMeta(&data.FrameMeta{PreferredVisualization: data.VisTypeTable})
}
