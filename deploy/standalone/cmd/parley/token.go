package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/contract"
)

func newToken() *cobra.Command {
	var (
		auth   apiFlags
		ask    contract.TokenRequest
		ttl    time.Duration
		stay   time.Duration
		ice    string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "token --room name --id name", Short: "Ask for a room token", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask.ICE = contract.Policy(ice)
			var faults [2]error
			ask.TTL, faults[0] = seconds("--ttl", ttl)
			ask.MaxStay, faults[1] = seconds("--max-stay", stay)
			if err := errors.Join(faults[:]...); err != nil {
				return usage(err)
			}
			reply, err := askToken(cmd.Context(), auth, ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), reply)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), reply.Token)
			return err
		},
	}
	auth.add(cmd)
	cmd.Flags().StringVar(&ask.Room, "room", "", "the room")
	cmd.Flags().StringVar(&ask.Identity, "id", "", "the identity")
	cmd.Flags().StringSliceVar(&ask.Grants, "grant", nil, "a grant: "+strings.Join(contract.Grants(), ", "))
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "how long it may be used to join (default: the authsvc's)")
	cmd.Flags().DurationVar(&stay, "max-stay", 0, "how long a membership may last (default: for ever)")
	cmd.Flags().StringVar(&ice, "ice", "", "candidate policy: public, relay or all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line: token, expires (Unix seconds)")
	return cmd
}

// seconds is a duration as tokens say it; 0 means that the authsvc decides.
func seconds(flag string, d time.Duration) (int64, error) {
	if d < 0 || d%time.Second != 0 {
		return 0, fmt.Errorf("%s: %v is no number of whole seconds over 0", flag, d)
	}
	return int64(d / time.Second), nil
}

// askToken checks what can be checked here, so that a bad name is told before
// anything is sent, and asks.
func askToken(ctx context.Context, auth apiFlags, ask contract.TokenRequest) (contract.TokenReply, error) {
	var faults []error
	for _, one := range []struct{ flag, name string }{{"--room", ask.Room}, {"--id", ask.Identity}} {
		if _, err := contract.ParseID(one.name); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", one.flag, err))
		}
	}
	if _, err := auth.address(); err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return contract.TokenReply{}, usage(errors.Join(faults...))
	}
	address, key, err := auth.both()
	if err != nil {
		return contract.TokenReply{}, err
	}
	return standalone.Tokens{URL: address, APIKey: key}.Token(ctx, ask)
}
