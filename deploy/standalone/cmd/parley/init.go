package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/deploy/standalone/installation"
)

func newInit() *cobra.Command {
	var o installation.Options
	asJSON := false
	cmd := &cobra.Command{
		Use: "init [--dir deploy/compose] [--host name]", Args: noArgs,
		Short: "Make the secrets and settings that docker compose needs; what is there stays",
		RunE: func(cmd *cobra.Command, _ []string) error {
			made, err := installation.Make(o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), initialised{Made: append([]string{}, made...)})
			}
			for _, name := range made {
				fmt.Fprintln(cmd.OutOrStdout(), "made", filepath.Join(o.Dir, name))
			}
			if len(made) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "everything is there already; remove a file to have it made again")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&o.Dir, "dir", ".", "the folder of compose.yaml")
	cmd.Flags().StringVar(&o.Host, "host", "localhost", "the name or address by which clients reach it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line")
	return cmd
}

// initialised is what `parley init --json` prints.
type initialised struct {
	Made []string `json:"made"` // below the folder
}
