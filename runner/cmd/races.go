package cmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/daemon"
	"github.com/photofinish/photofinish/runner/store"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

const racesExamples = `  # everything that the runner keeps, a race a line
  photofinish races export --config runner.yaml > races.jsonl

  # into another runner; also races of photofinish race, by their folders
  photofinish races import --config other.yaml races.jsonl races/*

  # let the verdicts of an unfair race stand, in its folder or in the runner's database; the record says who, when and why
  photofinish races override races/ab-test-20261123-204412-3f1c --because "the other load was the backup, on CPUs of its own"
  photofinish races override --config runner.yaml ab-test-20261123-204412-3f1c --because "…"

  # what an app spent its CPU on, for go tool pprof
  photofinish races profile races/profile-test-20261123-204412-3f1c --app high-cpu --kind cpu -o high-cpu.pb.gz

  # keep the last 200 races, and every race of the last 90 days
  photofinish races prune --config runner.yaml --keep 200 --older-than 2160h`

func racesCommand(c console, o *outcome) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "races",
		Short:   "Export, import and prune the races that a runner keeps, which may be running; override a race's audit; write its profiles",
		Example: racesExamples,
	}
	var file string
	sub := func(use, short string, args cobra.PositionalArgs, run func(context.Context, *sqlite.DB, []string) error) *cobra.Command {
		one := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
			*o = outcome{err: withDatabase(cmd.Context(), file, func(db *sqlite.DB) error { return run(cmd.Context(), db, args) })}
			return nil
		}}
		configFlag(one, &file)
		cmd.AddCommand(one)
		return one
	}
	sub("export --config FILE [RACE …]", "Write races to standard output, one JSON object a line", cobra.ArbitraryArgs, func(ctx context.Context, db *sqlite.DB, ids []string) error {
		return exportRaces(ctx, c, db, ids)
	})
	sub("import --config FILE PATH [PATH …]", "Keep races of an export (- is standard input), of a race.json or of a race's folder", cobra.MinimumNArgs(1), func(ctx context.Context, db *sqlite.DB, paths []string) error {
		return importRaces(ctx, c, db, paths)
	})
	cmd.AddCommand(overrideCommand(c, o), profileCommand(c, o))
	var keep int
	var older time.Duration
	var dry bool
	prune := sub("prune --config FILE", "Remove races that have ended, are old, and are not among the newest", cobra.NoArgs, func(ctx context.Context, db *sqlite.DB, _ []string) error {
		n, err := db.Prune(ctx, time.Now().Add(-older), keep, dry)
		if err == nil {
			c.say("%s %d races", map[bool]string{true: "would remove", false: "removed"}[dry], n)
		}
		return err
	})
	prune.Flags().IntVar(&keep, "keep", 100, "the newest so many races stay, however old")
	prune.Flags().DurationVar(&older, "older-than", 30*24*time.Hour, "younger races stay, however many")
	prune.Flags().BoolVar(&dry, "dry-run", false, "only say how many would be removed")
	return cmd
}

func withDatabase(ctx context.Context, file string, do func(*sqlite.DB) error) error {
	settings, err := config.Load(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(settings.Data, 0o700); err != nil {
		return race.Errorf(race.Unavailable, "name another folder as data in the configuration", "the data folder cannot be made: %w", err)
	}
	db, err := sqlite.Open(ctx, filepath.Join(settings.Data, daemon.DatabaseFile))
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

func exportRaces(ctx context.Context, c console, db *sqlite.DB, ids []string) (err error) {
	if len(ids) == 0 {
		if ids, err = db.IDs(ctx); err != nil {
			return err
		}
	}
	out := bufio.NewWriter(c.out)
	lines := json.NewEncoder(out)
	for _, id := range ids {
		parcel, err := db.Pack(ctx, id)
		if err != nil {
			return err
		}
		if err := lines.Encode(parcel); err != nil {
			return fmt.Errorf("write race %s: %w", id, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the races: %w", err)
	}
	return nil
}

func importRaces(ctx context.Context, c console, db *sqlite.DB, paths []string) error {
	added, known, waiting := 0, 0, 0
	for _, path := range paths {
		err := eachParcel(path, func(p sqlite.Parcel) error {
			is, err := db.Unpack(ctx, p)
			switch {
			case err != nil && !ended(p): // part of an export of a runner at work
				waiting++
				return nil
			case err != nil:
				return err
			case is:
				added++
			default:
				known++
			}
			return nil
		})
		if err != nil {
			return race.Errorf(race.CodeOf(err), race.HintOf(err), "%s: %w", path, err)
		}
	}
	c.say("added %d races; %d were known already, %d had not ended", added, known, waiting)
	return nil
}

func ended(p sqlite.Parcel) bool {
	var r race.Race
	return json.Unmarshal(p.Race, &r) != nil || r.Status.Ended()
}

// eachParcel reads the races of an export, of a race.json or of a race's folder.
func eachParcel(path string, visit func(sqlite.Parcel) error) error {
	in, folder := io.Reader(os.Stdin), ""
	if path != "-" {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			folder = path
			path = filepath.Join(path, store.RecordFile)
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return race.Errorf(race.NotFound, sqlite.Exported, "there is no such file")
		}
		if err != nil {
			return fmt.Errorf("open it: %w", err)
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	decoder := json.NewDecoder(in)
	for decoder.More() {
		var err error
		var text json.RawMessage
		if err := decoder.Decode(&text); err != nil {
			return race.Errorf(race.Invalid, sqlite.Exported, "it is no JSON: %w", err)
		}
		var p sqlite.Parcel
		if err := json.Unmarshal(text, &p); err != nil {
			return race.Errorf(race.Invalid, sqlite.Exported, "it holds no races: %w", err)
		}
		if p.Race == nil { // a race.json by itself
			p = sqlite.Parcel{Race: text}
		}
		if folder != "" {
			if p.Profiles, err = profilesIn(folder, p.Race); err != nil {
				return err
			}
		}
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

// profilesIn reads the profiles that a race's folder holds of those that its record names.
func profilesIn(folder string, record json.RawMessage) (all []sqlite.KeptProfile, err error) {
	var r race.Race
	if err := json.Unmarshal(record, &r); err != nil {
		return nil, race.Errorf(race.Invalid, sqlite.Exported, "it is no race record: %w", err)
	}
	for _, l := range r.Lanes {
		for _, p := range l.Profiles {
			if !race.ValidApp(l.App) || p.Kind != race.CPUProfile && p.Kind != race.HeapProfile {
				return nil, race.Errorf(race.Invalid, "", "the record names a profile %q of an app %q", p.Kind, l.App)
			}
			data, err := readProfile(folder, l.App, p.Kind)
			if race.CodeOf(err) == race.NotFound { // the record is worth keeping without it
				continue
			}
			if err != nil {
				return nil, err
			}
			all = append(all, sqlite.KeptProfile{App: l.App, Kind: p.Kind, Data: data})
		}
	}
	return all, nil
}
