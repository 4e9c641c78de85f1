package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/telemetry"
)

// demoPage is what `parley demo` reads.
type demoPage struct {
	page  standalone.DemoConfig
	admin lifecycle.AdminConfig
	log   telemetry.Config
}

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use:                "demo [--config file] [--demo.key value]",
		Short:              "Show the demo page, for services that run as processes of their own",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			d := demoPage{page: standalone.DefaultDemoConfig(), admin: standalone.DefaultConfig().Admin, log: telemetry.DefaultConfig()}
			loaded, err := load(cmd, []config.Section{
				{Name: "demo", Value: &d.page}, {Name: "admin", Value: &d.admin}, {Name: "log", Value: &d.log},
			}, args)
			if err != nil || loaded == nil {
				return err
			}
			return d.run(cmd.Context())
		},
	}
}

// run serves until ctx ends.
func (d demoPage) run(ctx context.Context) (err error) {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	flush, err := telemetry.Setup(ctx, "demo", lifecycle.BuildVersion(), host, d.log, os.Stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, flush(context.WithoutCancel(ctx))) }()
	health := lifecycle.NewHealth()
	group := lifecycle.NewGroup(lifecycle.WithHealth(ctx, health))
	group.Go("admin", func(ctx context.Context) error { return lifecycle.ServeAdmin(ctx, d.admin, health) })
	group.Go("demo", func(ctx context.Context) error { return standalone.RunDemo(ctx, d.page) })
	return group.Wait()
}
