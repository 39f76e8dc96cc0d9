package cmd

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/pipeline"
)

// handouts are the files in which a pipeline finds what it shows.
type handouts struct{ markdown, junit string }

func (h *handouts) flags(flags *pflag.FlagSet) {
	flags.StringVar(&h.markdown, "markdown", "", "write sentences, standings and audit as Markdown to this file, for a pull request")
	flags.StringVar(&h.junit, "junit", "", "write the primary verdicts as JUnit XML to this file, a test for each app and measure")
}

// check makes sure before a race that the files can be written after it.
func (h handouts) check() error {
	for _, path := range []string{h.markdown, h.junit} {
		if path == "" {
			continue
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // others may read it, and the user names it
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return race.Errorf(race.Invalid, "name a file in a folder that is there and can be written to", "the file cannot be written: %w", err)
		}
	}
	return nil
}

func (h handouts) write(races ...race.Race) error {
	return errors.Join(writeFile(h.markdown, pipeline.Markdown, races), writeFile(h.junit, pipeline.JUnit, races))
}

func writeFile(path string, write func(io.Writer, ...race.Race) error, races []race.Race) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(write(f, races...), f.Close())
	}
	if err != nil {
		return race.Errorf(race.Unavailable, "is the disk full?", "write %s: %w", path, err)
	}
	return nil
}
