package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// usageError is a mistake on the command line or in the configuration.
type usageError struct{ error }

// Unwrap returns the mistake.
func (e usageError) Unwrap() error { return e.error }

// usage marks err as the user's mistake: exit code 2.
func usage(err error) error { return usageError{err} }

func isUsage(err error) bool {
	var mistake usageError
	return errors.As(err, &mistake)
}

// noArgs refuses arguments that no command asked for.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage(fmt.Errorf("%q is not understood; see %s --help", args[0], cmd.CommandPath()))
}

// group is a command that only has others: alone it shows them.
func group(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, SuggestionsMinimumDistance: 2,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := ""
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = "; did you mean " + near[0] + "?"
			}
			return usage(fmt.Errorf("there is no command %q%s; see %s --help", args[0], hint, cmd.CommandPath()))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}
