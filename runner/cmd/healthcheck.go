package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// wellWithin is how soon a runner that is well has said so.
const wellWithin = 5 * time.Second

// healthcheckCommand is for the health check of a container: the runner's image has nothing else that could ask. It needs no token.
func healthcheckCommand(c console) *cobra.Command {
	return &cobra.Command{
		Use:    "healthcheck URL",
		Short:  "Ask a companion runner whether it is well",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := runnerclient.New(runnerclient.Config{URL: args[0]})
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), wellWithin)
			defer cancel()
			health, err := client.Health(ctx)
			if err != nil {
				return err
			}
			c.say("photofinish %s is well", health.Version)
			return nil
		},
	}
}
