package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/report"
	"github.com/photofinish/photofinish/runner/stage"
	"github.com/photofinish/photofinish/runner/store"
	"github.com/photofinish/photofinish/runner/store/sqlite"
	"github.com/photofinish/photofinish/runner/terminal"
)

func overrideCommand(c console, o *outcome) *cobra.Command {
	var file, why string
	cmd := &cobra.Command{
		Use:   "override RACE --because REASON",
		Short: "Let the verdicts of a race stand that failed its audit",
		Long: `Judge an unfair race as if it had passed its audit. RACE is the folder of a race or, with --config, the id of one that a runner keeps. The race stays
unfair: its record says who let its verdicts stand, when and why, and everything that shows them says so too.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			*o = outcome{err: override(cmd.Context(), c, args[0], file, why)}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration of the runner that keeps the race; without it RACE is a folder")
	cmd.Flags().StringVar(&why, "because", "", "why what the audit found does not bear on the verdicts")
	return cmd
}

func override(ctx context.Context, c console, id, file, why string) error {
	if why == "" {
		return race.Errorf(race.Invalid, "say it with --because", "an override is recorded with its reason, and none is given")
	}
	if file != "" {
		return withDatabase(ctx, file, func(db *sqlite.DB) error {
			if err := db.Override(ctx, id, login(), why, time.Now()); err != nil {
				return err
			}
			c.say("the verdicts of race %s stand; its record says that it was overridden by %s", id, login())
			return nil
		})
	}
	r, err := overrideFolder(id, why)
	if err != nil {
		return err
	}
	return terminal.New(c.out, terminalOptions(c.out)).Finish(r)
}

// overrideFolder overrides a race that is kept in a folder, and tells its report of it.
func overrideFolder(path, why string) (race.Race, error) {
	folder := store.Folder{Path: path}
	if filepath.Base(path) == store.RecordFile {
		folder.Path = filepath.Dir(path)
	}
	r, err := store.Load(folder.Path)
	if err != nil {
		return r, err
	}
	if r, err = verdict.Override(r, login(), why, time.Now()); err != nil {
		return r, err
	}
	if err := folder.Save(r); err != nil {
		return r, err
	}
	page, err := os.ReadFile(filepath.Join(folder.Path, stage.ReportFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		page, err = report.Amend(page, r)
	}
	if err != nil {
		return r, race.Errorf(race.Unavailable, "race.json has the override; the report does not", "amend %s of race %s: %w", stage.ReportFile, r.ID, err)
	}
	return r, folder.Write(stage.ReportFile, page)
}
