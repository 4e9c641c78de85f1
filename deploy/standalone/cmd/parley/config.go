package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/lifecycle"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look at the configuration"}
	cmd.AddCommand(
		&cobra.Command{
			Use:                "print [--sources] [--config file] [--section.key value]",
			Short:              "Print the configuration of parley dev as YAML, without its secrets",
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				args, sources := takeFlag(args, "--sources")
				_, loaded, err := load(cmd, standalone.DevDefaults(), args)
				if err != nil || loaded == nil {
					return err
				}
				return loaded.Print(cmd.OutOrStdout(), sources)
			},
		},
		&cobra.Command{
			Use:                "check [section ...] [--config file] [--section.key value]",
			Short:              "Check the services' configuration, or some of its sections, and say everything that is wrong",
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				names, args, err := takeSections(args)
				if err != nil {
					return err
				}
				_, loaded, err := load(cmd, standalone.DefaultConfig(), args, names...)
				if err != nil || loaded == nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "the configuration is valid")
				return err
			},
		})
	return cmd
}

// load reads the configuration of all parts. A nil Loaded without an error
// means that help was asked for and printed.
func load(cmd *cobra.Command, cfg standalone.Config, args []string, names ...string) (standalone.Config, *config.Loaded, error) {
	loaded, err := cfg.Load(args, nil, names...)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		_, err = fmt.Fprintln(cmd.OutOrStdout(), cmd.Short+"\n\n"+config.Usage(cmd.CommandPath(), cfg.Sections()))
		return cfg, nil, err
	case err != nil:
		return cfg, nil, errors.Join(errUsage, err)
	case len(loaded.Args()) > 0:
		return cfg, nil, fmt.Errorf("%w: %q is not understood; see %s --help", errUsage, loaded.Args()[0], cmd.CommandPath())
	}
	return cfg, loaded, nil
}

// takeSections takes the names before the first flag.
func takeSections(args []string) (names, rest []string, err error) {
	known := lifecycle.SectionNames()
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		if !slices.Contains(known, args[0]) {
			return nil, nil, fmt.Errorf("%w: there is no section %q, only %s", errUsage, args[0], strings.Join(known, ", "))
		}
		names, args = append(names, args[0]), args[1:]
	}
	return names, args, nil
}

// takeFlag takes a flag without a value out of the arguments.
func takeFlag(args []string, flag string) (rest []string, found bool) {
	for _, arg := range args {
		if arg == flag {
			found = true
			continue
		}
		rest = append(rest, arg)
	}
	return rest, found
}

func newHealthcheck() *cobra.Command {
	return &cobra.Command{
		Use:                "healthcheck [--admin.listen host:port]",
		Short:              "Ask a running parley whether it is ready; exit code 1 if it isn't",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			admin := standalone.DefaultConfig().Admin
			sections := []config.Section{{Name: "admin", Value: &admin}}
			_, err := config.Load(sections, config.Options{Args: args, OtherSections: lifecycle.SectionNames()})
			if errors.Is(err, pflag.ErrHelp) {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), cmd.Short+"\n\n"+config.Usage(cmd.CommandPath(), sections))
				return err
			}
			if err != nil {
				return errors.Join(errUsage, err)
			}
			return lifecycle.Healthcheck(cmd.Context(), admin)
		},
	}
}
