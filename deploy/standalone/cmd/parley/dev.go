package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/deploy/standalone/bot"
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
		Long:               devHelp(),
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			started := processStart()
			options, args, err := takeDevFlags(args)
			if err != nil {
				return err
			}
			cfg := standalone.DevDefaults()
			loaded, err := load(cmd, cfg.Sections(), args)
			if err != nil || loaded == nil {
				return err
			}
			d := &development{options: options, cfg: cfg, started: started, out: cmd.OutOrStdout(), logs: cmd.ErrOrStderr()}
			return d.run(cmd.Context())
		},
	}
}

// development is a running `parley dev`.
type development struct {
	options   devOptions
	cfg       standalone.Config
	started   time.Time // of the process
	out, logs io.Writer

	network network // with --lan
	place   standalone.Place
	moved   []string // settings whose port was busy
	health  *lifecycle.Health
}

// run runs everything until ctx ends, and says where it is as soon as it is
// ready.
func (d *development) run(ctx context.Context) (err error) {
	flush, err := telemetry.Setup(ctx, "parley", lifecycle.BuildVersion(), "dev", d.cfg.Log, d.logs)
	if err != nil {
		return err
	}
	defer flush(context.WithoutCancel(ctx)) //nolint:errcheck // the process ends
	if d.options.lan {
		if err := d.findNetwork(); err != nil {
			return err
		}
	}
	if err := d.cfg.Develop(d.network.hosts()...); err != nil {
		return err
	}
	if err := d.listen(ctx); err != nil {
		return err
	}
	d.health = lifecycle.NewHealth()
	d.health.Set(standalone.CheckFront, lifecycle.ErrStarting) // which Run takes over
	ctx = lifecycle.WithHealth(ctx, d.health)
	group := lifecycle.NewGroup(ctx)
	group.Go("admin", func(ctx context.Context) error { return lifecycle.ServeAdmin(ctx, d.cfg.Admin, d.health) })
	group.Go("parley", func(ctx context.Context) error { return standalone.Run(ctx, d.cfg) })
	group.Go("dev", d.attend)
	return group.Wait()
}

// attend does what is to be done once everything is ready, and waits for the
// end.
func (d *development) attend(ctx context.Context) (err error) {
	if !d.waitReady(ctx) {
		return nil
	}
	if d.options.readyTime {
		return d.measure(ctx)
	}
	remove, err := standalone.Files{Dir: d.cfg.Standalone.StoreDir}.LeavePlace(d.place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if err := d.greet(ctx); err != nil {
		return err
	}
	if err := d.runBots(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// runBots runs them until ctx ends.
func (d *development) runBots(ctx context.Context) error {
	if d.options.bots == 0 {
		return nil
	}
	return bot.Run(ctx, bot.Options{
		URL: d.place.WebSocket, Room: d.options.botsRoom, Count: d.options.bots,
		Token: func(ctx context.Context, room, identity string) (string, error) {
			return askDevToken(ctx, d.place.URL, room, identity)
		},
	})
}

// readyPoll is how often dev looks whether all is ready.
const readyPoll = 2 * time.Millisecond

// waitReady waits until every part is, and reports false if ctx ended before.
func (d *development) waitReady(ctx context.Context) bool {
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for {
		if ready, _ := d.health.Ready(); ready {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
}

// checkName says what keeps a text from being a room's or an identity's name.
func checkName(text string) error {
	_, err := contract.ParseID(text)
	return err
}
