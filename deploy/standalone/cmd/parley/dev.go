package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/telemetry"
)

// devRoom and devIdentity are those of the token that dev prints.
const (
	devRoom     = "hello"
	devIdentity = "ada"
)

func newDev() *cobra.Command {
	return &cobra.Command{
		Use:                "dev [--config file] [--section.key value]",
		Short:              "Run all of Parley in this process, for development",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			started := time.Now()
			cfg := standalone.DevDefaults()
			loaded, err := load(cmd, cfg.Sections(), args)
			if err != nil || loaded == nil {
				return err
			}
			return develop(cmd.Context(), cfg, started, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
}

// develop runs everything until ctx ends, and says where it is as soon as it is
// ready.
func develop(ctx context.Context, cfg standalone.Config, started time.Time, out, logs io.Writer) error {
	flush, err := telemetry.Setup(ctx, "parley", lifecycle.BuildVersion(), "dev", cfg.Log, logs)
	if err != nil {
		return err
	}
	defer flush(context.WithoutCancel(ctx)) //nolint:errcheck // the process ends
	if err := cfg.Develop(); err != nil {
		return err
	}
	place := &devPlace{started: started, policy: cfg.Filter.Policy, store: cfg.Standalone.StoreDir}
	if err := place.listen(&cfg); err != nil {
		return err
	}
	health := lifecycle.NewHealth()
	health.Set("start", lifecycle.ErrStarting)
	ctx = lifecycle.WithHealth(ctx, health)
	group := lifecycle.NewGroup(ctx)
	group.Go("admin", func(ctx context.Context) error { return lifecycle.ServeAdmin(ctx, cfg.Admin, health) })
	group.Go("parley", func(ctx context.Context) error { return standalone.Run(ctx, cfg) })
	group.Go("greeting", func(ctx context.Context) error {
		health.Set("start", nil)
		if place.waitReady(ctx, health) {
			if err := place.greet(ctx, out); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return nil
	})
	return group.Wait()
}

// devPlace is where a development stack can be reached.
type devPlace struct {
	started time.Time
	policy  contract.Policy
	store   string
	socket  string
	auth    string
	admin   string
	moved   []string // settings whose port was busy
}

// listen takes the ports, or the next free ones.
func (p *devPlace) listen(cfg *standalone.Config) error {
	for _, one := range []struct {
		key      string
		address  *string
		listener *net.Listener
	}{
		{"edge.listen", &cfg.Edge.Listen, &cfg.Edge.Listener},
		{"authsvc.listen", &cfg.Auth.Listen, &cfg.Auth.Listener},
		{"admin.listen", &cfg.Admin.Listen, &cfg.Admin.Listener},
	} {
		if *one.address == "" {
			continue // no admin listener is wanted
		}
		l, moved, err := standalone.Listen(*one.address)
		if err != nil {
			return fmt.Errorf("%s: %w", one.key, err)
		}
		if moved {
			p.moved = append(p.moved, fmt.Sprintf("%s: %s is busy, %s is used", one.key, *one.address, l.Addr()))
		}
		*one.listener, *one.address = l, l.Addr().String()
	}
	p.socket = "ws://" + cfg.Edge.Listen + "/v1/ws"
	p.auth = "http://" + cfg.Auth.Listen
	if cfg.Admin.Listen != "" {
		p.admin = "http://" + cfg.Admin.Listen
	}
	return nil
}

// waitReady waits until every part is, and reports false if ctx ended before.
func (p *devPlace) waitReady(ctx context.Context, health *lifecycle.Health) bool {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ready, checks := health.Ready(); ready && len(checks) > 1 {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
}

// greeting is what dev prints: text on a terminal, one JSON line elsewhere.
type greeting struct {
	WebSocket string          `json:"websocket"`
	Room      string          `json:"room"`
	Identity  string          `json:"identity"`
	Token     string          `json:"token"`
	Tokens    string          `json:"tokens"`
	Admin     string          `json:"admin,omitempty"`
	Policy    contract.Policy `json:"candidate_policy"`
	ReadyMS   int64           `json:"ready_ms"`
	Moved     []string        `json:"moved,omitempty"`
}

func (p *devPlace) greet(ctx context.Context, out io.Writer) error {
	key, err := standalone.Files{Dir: p.store}.APIKey()
	if err != nil {
		return err
	}
	tokens := standalone.Tokens{URL: p.auth, APIKey: key}
	reply, err := tokens.Token(ctx, contract.TokenRequest{Room: devRoom, Identity: devIdentity})
	if err != nil {
		return err
	}
	g := greeting{
		WebSocket: p.socket, Room: devRoom, Identity: devIdentity, Token: reply.Token, Tokens: p.auth + "/v1/tokens",
		Admin: p.admin, Policy: p.policy, ReadyMS: time.Since(p.started).Milliseconds(), Moved: p.moved,
	}
	if file, ok := out.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return printJSON(out, g)
	}
	_, err = io.WriteString(out, g.text(p.store))
	return err
}

func (g greeting) text(store string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  parley dev %s   ready in %d ms\n\n", lifecycle.BuildVersion(), g.ReadyMS)
	fmt.Fprintf(&b, "  WebSocket   %s\n", g.WebSocket)
	fmt.Fprintf(&b, "  Token       %s\n              (room %s, identity %s; more: parley token --room %s --id bob)\n", g.Token, g.Room, g.Identity, g.Room)
	fmt.Fprintf(&b, "  Tokens      POST %s with the API key in %s/api.key\n", g.Tokens, store)
	if g.Admin != "" {
		fmt.Fprintf(&b, "  Metrics     %s/metrics   health %s/readyz\n", g.Admin, g.Admin)
	}
	fmt.Fprintf(&b, "  Candidates  policy %q: on one machine only private addresses exist (the default elsewhere is %q)\n", g.Policy, contract.PolicyPublic)
	fmt.Fprintf(&b, "  Try it      bin/parley call\n")
	for _, moved := range g.Moved {
		fmt.Fprintf(&b, "  Note        %s\n", moved)
	}
	b.WriteString("\n  Ctrl-C stops it.\n\n")
	return b.String()
}
