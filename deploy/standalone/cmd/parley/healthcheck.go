package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/lifecycle"
)

func newHealthcheck() *cobra.Command {
	return &cobra.Command{
		Use:                "healthcheck [--json] [--admin.listen host:port]",
		Short:              "Ask a running parley whether it is ready; exit code 1 if it isn't",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, asJSON := takeFlag(args, "--json")
			admin := standalone.DefaultConfig().Admin
			loaded, err := load(cmd, []config.Section{{Name: "admin", Value: &admin}}, args)
			if err != nil || loaded == nil {
				return err
			}
			err = lifecycle.Healthcheck(cmd.Context(), admin)
			if !asJSON {
				return err
			}
			state := readiness{Ready: err == nil}
			if err != nil {
				state.Why = err.Error()
			}
			return errors.Join(printJSON(cmd.OutOrStdout(), state), err)
		},
	}
}

// readiness is what `parley healthcheck --json` prints.
type readiness struct {
	Ready bool   `json:"ready"`
	Why   string `json:"why,omitempty"` // with the answer of the process, if there was one
}
