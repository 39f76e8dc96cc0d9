package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/terminal"
)

// reportFile is the name of the report in a race's folder.
const reportFile = "report.html"

// run runs the race, shows it, and writes record and report.
func (s *stage) run(ctx context.Context) outcome {
	w := s.console.out
	if s.flags.json {
		w = s.console.err
	}
	view := terminal.New(w, terminalOptions(w))
	defer func() { _ = view.Close() }() // whatever happens, the cursor comes back; Finish has told of errors
	s.race.View = view
	view.Plan(s.race.Plan.Describe())
	if s.metrics.server != nil {
		view.Log("Prometheus for this race: " + s.metrics.url)
	}

	endForward, err := s.metrics.forward(ctx, view.Log)
	if err != nil {
		return outcome{err: err}
	}
	result, err := s.race.Run(ctx)
	// The race has been taken off the ledger, but its series are still in the working folder, with --keep for long.
	err = errors.Join(err, endForward(), s.note())
	// The report is made also of a race that was interrupted: what was measured is worth a look.
	files := []string{filepath.Join(s.folder.Path, "race.json")}
	if len(result.Record.Heats) > 0 {
		if reportErr := s.writeReport(context.WithoutCancel(ctx), result); reportErr != nil {
			err = errors.Join(err, reportErr)
		} else {
			files = append(files, filepath.Join(s.folder.Path, reportFile))
		}
	}
	if len(result.Record.Heats) > 0 {
		err = errors.Join(err, view.Finish(result.Record, files...))
	} else {
		err = errors.Join(err, view.Close()) // there is nothing to show but the error
	}
	if s.flags.json {
		err = errors.Join(err, writeJSON(s.console.out, result.Record))
	}
	if s.flags.keep && err == nil {
		s.console.say("Prometheus stays up at %s until Ctrl-C", s.metrics.url)
		<-ctx.Done()
	}
	return outcome{
		err:        err,
		regression: s.flags.failOn == "regression" && regressed(result.Record),
		thresholds: result.ThresholdsCrossed,
	}
}

// regressed says whether a lane is slower, or worse, than the baseline in a measure of the primary family.
func regressed(r race.Race) bool {
	return slices.ContainsFunc(r.Verdicts, func(v race.Verdict) bool { return v.Primary && v.Outcome == race.Slower })
}

// specs are the measures as this race judges them.
func specs(d race.Definition) []verdict.MeasureSpec {
	var all []verdict.MeasureSpec
	for _, m := range measure.All() {
		spec := verdict.Spec(m.ID, verdict.Better(m.Better))
		if d.MinimumEffect > 0 && !spec.Difference {
			spec.MinimumEffect = d.MinimumEffect
		}
		if len(d.Primary) > 0 {
			spec.Primary = slices.Contains(d.Primary, m.ID)
		}
		all = append(all, spec)
	}
	return all
}

func writeJSON(w io.Writer, r race.Race) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("write race.json to standard output: %w", err)
	}
	return nil
}

// terminalOptions asks the writer what it can show; what is no file is no terminal.
func terminalOptions(w io.Writer) terminal.Options {
	if f, ok := w.(*os.File); ok {
		return terminal.Detect(f, os.Getenv)
	}
	return terminal.Options{}
}

var _ coordinator.View = (*terminal.View)(nil)
