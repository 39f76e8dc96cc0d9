package cmd

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/daemon"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
	"github.com/photofinish/photofinish/runner/images"
)

const serveExamples = `  # a runner for this machine alone, that serves the scripts in ./tests
  echo 'scripts: {folder: tests}' > runner.yaml
  photofinish serve --config runner.yaml

  # ask it for a race
  curl -X POST http://127.0.0.1:8737/v1/races -H 'Content-Type: application/json' -d '{"script": "ab-test.js"}'`

func serveCommand(c console, o *outcome) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "serve --config FILE",
		Short:   "The companion runner: starts races for Grafana and other programs over HTTP",
		Long:    "Serve the runner's HTTP API until Ctrl-C. docs/runner.md describes the configuration, docs/openapi.yaml the API.",
		Example: serveExamples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := config.Load(file)
			if err != nil {
				return err
			}
			*o = serve(cmd.Context(), c, settings)
			return nil
		},
	}
	configFlag(cmd, &file)
	return cmd
}

func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "", "the runner's configuration, a YAML file (docs/runner.md)")
	_ = cmd.MarkFlagRequired("config") // the flag is there
}

func serve(ctx context.Context, c console, settings config.Config) outcome {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	log := logger(c, settings.Log)
	d, err := daemon.New(ctx, settings, engines(&settings.Docker, cluster(settings.Kubernetes)), log) //nolint:contextcheck // how an engine stands is asked later
	if err != nil {
		return outcome{err: err}
	}
	err = d.Run(ctx, func(address string) { log.InfoContext(ctx, "the runner listens", "address", address) })
	err = errors.Join(err, d.Close())
	var asked interrupted
	if errors.As(err, &asked) {
		log.InfoContext(ctx, "the runner ends", "cause", asked.Error())
		return outcome{} // that is how a service ends
	}
	return outcome{err: err}
}

func logger(c console, l config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level)) // the configuration was checked
	options := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(c.err, options))
	}
	return slog.New(slog.NewTextHandler(c.err, options))
}

// cluster is how the engine kubernetes runs lanes for a service.
func cluster(c config.Kubernetes) kubernetes.Options {
	return kubernetes.Options{Allowed: &images.Allowed{Images: c.Images}, Nodes: c.Nodes, K6Nodes: c.K6Nodes, Address: c.Address, KubeletInsecureTLS: c.KubeletInsecureTLS}
}
