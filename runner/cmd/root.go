// Package cmd is the command line of the runner. It is the only place that reads flags and signals and knows exit codes.
package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/stage"
)

// console is where a command writes.
type console struct{ out, err io.Writer }

// say tells a person something beside the result. Where standard error is closed, nobody is there to be told.
func (c console) say(format string, args ...any) { _, _ = fmt.Fprintf(c.err, format+"\n", args...) }

// Main runs one command and returns its exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := withSignals(context.Background())
	defer stop()
	return Run(ctx, args, stdout, stderr)
}

// Run is Main without signals: tests call it.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := console{out: stdout, err: stderr}
	var o outcome
	root := &cobra.Command{
		Use:           "photofinish",
		Short:         "Race versions of a service against each other under the same k6 load",
		Version:       stage.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(raceCommand(c, &o), serveCommand(c, &o), racesCommand(c, &o), compareCommand(c, &o), k6Command(), healthcheckCommand(c)) //nolint:contextcheck // cobra hands the context to the commands
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return race.Errorf(race.Invalid, seeHelp(cmd), "%w", err)
	})
	if cmd, err := root.ExecuteContextC(ctx); err != nil {
		o.err = usage(cmd, err)
	}
	complain(stderr, o.err)
	return o.exitCode()
}

// usage gives cobra's own complaints (an unknown command, a missing argument) the code of wrong usage.
func usage(cmd *cobra.Command, err error) error {
	if race.CodeOf(err) == race.Internal {
		return race.Errorf(race.Invalid, seeHelp(cmd), "%w", err)
	}
	return err
}

func seeHelp(cmd *cobra.Command) string { return "see " + cmd.CommandPath() + " --help" }

// k6Command is for the help text only: main hands the arguments over before this package parses any.
func k6Command() *cobra.Command {
	return &cobra.Command{
		Use:                "k6 ARGS…",
		Short:              "The k6 that is built in, as it is",
		DisableFlagParsing: true,
		RunE:               func(*cobra.Command, []string) error { return nil },
	}
}

// withSignals ends the context at the first Ctrl-C or SIGTERM, with the signal as its cause. The second one ends the process at once;
// what it leaves is removed by the next run.
func withSignals(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s, ok := <-signals
		if !ok {
			return
		}
		cancel(interrupted{by: nameOf(s)})
		if _, ok := <-signals; ok {
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, func() { signal.Stop(signals); close(signals); cancel(nil) }
}

// nameOf is a signal as people call it.
func nameOf(s os.Signal) string {
	if s == os.Interrupt {
		return "Ctrl-C"
	}
	return "SIGTERM"
}
