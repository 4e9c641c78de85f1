package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

// apiKeyVariable holds the API key for the tools.
const apiKeyVariable = "PARLEY_API_KEY"

// authFlags say where tokens come from.
type authFlags struct {
	url    string
	apiKey string
	store  string
}

func (f *authFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.url, "auth-url", "http://127.0.0.1:7412", "where the authsvc listens")
	cmd.Flags().StringVar(&f.apiKey, "api-key-file", "", "file with the app's API key (default: $"+apiKeyVariable+", then that of parley dev)")
	cmd.Flags().StringVar(&f.store, "store", ".parley", "folder of parley dev, which keeps its API key")
}

// tokens finds the API key: the named file, the environment, parley dev's.
func (f *authFlags) tokens() (standalone.Tokens, error) {
	path := f.apiKey
	if path == "" {
		if key := os.Getenv(apiKeyVariable); key != "" {
			return standalone.Tokens{URL: f.url, APIKey: config.Secret(key)}, nil
		}
		path = filepath.Join(f.store, "api.key")
	}
	text, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return standalone.Tokens{}, fmt.Errorf("read the API key: %w (start parley dev here, or set %s or --api-key-file)", err, apiKeyVariable)
	}
	return standalone.Tokens{URL: f.url, APIKey: config.Secret(strings.TrimSpace(string(text)))}, nil
}

func newToken() *cobra.Command {
	var (
		auth   authFlags
		ask    contract.TokenRequest
		ttl    time.Duration
		stay   time.Duration
		ice    string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "token --room name --id name", Short: "Ask for a room token", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask.TTL, ask.MaxStay, ask.ICE = int64(ttl.Seconds()), int64(stay.Seconds()), contract.Policy(ice)
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

// askToken checks what can be checked here, so that a bad name is told before
// anything is sent, and asks.
func askToken(ctx context.Context, auth authFlags, ask contract.TokenRequest) (contract.TokenReply, error) {
	for flag, name := range map[string]string{"--room": ask.Room, "--id": ask.Identity} {
		if _, err := contract.ParseID(name); err != nil {
			return contract.TokenReply{}, errors.Join(errUsage, fmt.Errorf("%s: %w", flag, err))
		}
	}
	tokens, err := auth.tokens()
	if err != nil {
		return contract.TokenReply{}, err
	}
	return tokens.Token(ctx, ask)
}
