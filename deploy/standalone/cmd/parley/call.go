package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/deploy/standalone/call"
	"github.com/parley-rtc/parley/services/contract"
)

func newCall() *cobra.Command {
	var (
		auth    apiFlags
		o       call.Options
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use: "call", Short: "Make a real call through a running Parley: two pion peers, a data channel, bytes both ways", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Token = func(ctx context.Context, room, identity string) (string, error) {
				reply, err := askToken(ctx, auth, contract.TokenRequest{Room: room, Identity: identity})
				return reply.Token, err
			}
			if len(o.Edges) == 0 {
				socket, err := auth.socket()
				if err != nil {
					return err
				}
				o.Edges = []string{socket}
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			result, err := call.Run(ctx, o)
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), result)
		},
	}
	auth.add(cmd)
	cmd.Flags().StringSliceVar(&o.Edges, "edge", nil, "WebSocket address, once or twice: one for each peer (default: /v1/ws at --url)")
	cmd.Flags().StringVar(&o.Room, "room", "call", "the room in which they meet")
	cmd.Flags().IntVar(&o.Bytes, "bytes", 1_000_000, "how much each peer sends")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long it may take")
	return cmd
}
