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

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/stage"
	"github.com/photofinish/photofinish/runner/terminal"
)

// run runs the race, shows it, and writes record and report.
func (f raceFlags) run(ctx context.Context, c console, s *stage.Stage) outcome {
	w := c.out
	if f.json {
		w = c.err
	}
	view := terminal.New(w, terminalOptions(w))
	defer func() { _ = view.Close() }() // whatever happens, the cursor comes back; Finish has told of errors
	view.Plan(s.Race.Plan.Describe())
	if series := s.Race.Plan.Series; s.Hosted() || series.Total > plan.ManySeries {
		view.Log(series.Describe())
	}
	if s.Embedded() {
		view.Log("Prometheus for this race: " + s.PrometheusURL())
	}
	result, err := s.Run(ctx, view)
	// The report is made also of a race that was interrupted: what was measured is worth a look.
	files := []string{filepath.Join(s.Folder.Path, "race.json")}
	if len(result.Record.Heats) > 0 {
		if reportErr := s.WriteReport(context.WithoutCancel(ctx), result); reportErr != nil {
			err = errors.Join(err, reportErr)
		} else {
			files = append(files, filepath.Join(s.Folder.Path, stage.ReportFile))
		}
	}
	if len(result.Record.Heats) > 0 {
		err = errors.Join(err, view.Finish(result.Record, files...))
	} else {
		err = errors.Join(err, view.Close()) // there is nothing to show but the error
	}
	if r := result.Record; err == nil && !r.Audit.Fair && len(r.Verdicts) > 0 {
		c.say("if what the audit found does not bear on the verdicts: photofinish races override %s --because REASON", s.Folder.Path)
	}
	if f.json {
		err = errors.Join(err, writeJSON(c.out, result.Record))
	}
	err = errors.Join(err, f.handouts.write(result.Record))
	if f.keep && err == nil {
		c.say("Prometheus stays up at %s until Ctrl-C", s.PrometheusURL())
		<-ctx.Done()
	}
	return outcome{
		err:        err,
		regression: f.failOn == "regression" && regressed(result.Record),
		thresholds: result.ThresholdsCrossed,
	}
}

// regressed says whether a lane is slower, or worse, than the baseline in a measure of the primary family. As for alert rules and trends, a race that
// did not finish tells nothing; one that is unfair has no such verdict.
func regressed(r race.Race) bool {
	return r.Status == race.Finished && slices.ContainsFunc(r.Verdicts, func(v race.Verdict) bool { return v.Primary && v.Outcome == race.Slower })
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
