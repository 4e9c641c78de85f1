package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/services/lifecycle"
)

func newRoot() *cobra.Command {
	root := group("parley", "WebRTC signaling that keeps its word")
	root.SilenceUsage, root.SilenceErrors = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(newDev(), newCall(), newToken(), newConfig(), newVersion(), newHealthcheck())
	return root
}

func newVersion() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{
					"version": lifecycle.BuildVersion(), "go": runtime.Version(),
				})
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), lifecycle.BuildVersion())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line")
	return cmd
}

// printJSON prints one line.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
