package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/embednats"
	"github.com/parley-rtc/parley/services/lifecycle"
)

func newRoot() *cobra.Command {
	root := group("parley", "WebRTC signaling that keeps its word")
	root.SilenceUsage, root.SilenceErrors = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(newDev(), newDemo(), newInit(), newCall(), newToken(), newRoom(), newTail(), newConfig(), newVersion(), newHealthcheck())
	return root
}

func newVersion() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(cmd.OutOrStdout(), newBuild())
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), lifecycle.BuildVersion())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line")
	return cmd
}

// build is what `parley version --json` prints.
type build struct {
	Version    string `json:"version"`
	Go         string `json:"go"`
	NATSServer string `json:"nats_server"` // the embedded one
	Protocol   string `json:"protocol"`    // the WebSocket subprotocol
	Commit     string `json:"commit,omitempty"`
}

func newBuild() build {
	b := build{Version: lifecycle.BuildVersion(), Go: runtime.Version(), NATSServer: embednats.Version, Protocol: contract.Subprotocol}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				b.Commit = setting.Value
			}
		}
	}
	return b
}

// printJSON prints one line.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
