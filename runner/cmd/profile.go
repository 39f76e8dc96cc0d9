package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/store"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

func profileCommand(c console, o *outcome) *cobra.Command {
	var file, app, kind, out string
	cmd := &cobra.Command{
		Use:   "profile RACE --app APP",
		Short: "Write a profile that was taken of an app, for go tool pprof",
		Long:  "Write a profile in the format of pprof. RACE is the folder of a race or, with --config, the id of one that a runner keeps.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := keptProfile(cmd.Context(), args[0], file, app, race.ProfileKind(kind))
			switch {
			case err != nil:
			case out == "":
				_, err = c.out.Write(data)
			default:
				err = store.Folder{Path: filepath.Dir(out)}.Write(filepath.Base(out), data)
			}
			*o = outcome{err: err}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration of the runner that keeps the race; without it RACE is a folder")
	cmd.Flags().StringVar(&app, "app", "", "the app")
	cmd.Flags().StringVar(&kind, "kind", string(race.CPUProfile), "cpu or heap")
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write; without it standard output")
	return cmd
}

func keptProfile(ctx context.Context, id, config, app string, kind race.ProfileKind) (data []byte, err error) {
	if config != "" {
		err = withDatabase(ctx, config, func(db *sqlite.DB) error {
			data, err = db.Profile(ctx, id, app, kind)
			return err
		})
		return data, err
	}
	r, err := store.Load(id)
	if err != nil {
		return nil, err
	}
	if filepath.Base(id) == store.RecordFile {
		id = filepath.Dir(id)
	}
	for _, l := range r.Lanes {
		for _, p := range l.Profiles {
			if l.App == app && p.Kind == kind { // a plain name, since it is the record's
				return readProfile(id, l.App, p.Kind)
			}
		}
	}
	return nil, race.Errorf(race.NotFound, "choose one of the profiles that its record names", "race %s has no %s profile of an app %q", r.ID, kind, app)
}

func readProfile(folder, app string, kind race.ProfileKind) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(folder, store.ProfileFile(app, kind)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, race.Errorf(race.NotFound, "", "the %s profile of %s is no longer in %s", kind, app, folder)
	}
	if err != nil {
		return nil, fmt.Errorf("read the %s profile of %s: %w", kind, app, err)
	}
	return data, nil
}
