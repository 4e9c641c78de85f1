package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/lifecycle"
)

func newConfig() *cobra.Command {
	cmd := group("config", "Look at the configuration")
	cmd.AddCommand(
		&cobra.Command{
			Use:                "print [--sources] [--config file] [--section.key value]",
			Short:              "Print the configuration of parley dev as YAML, without its secrets",
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				args, sources := takeFlag(args, "--sources")
				cfg := standalone.DevDefaults()
				loaded, err := load(cmd, cfg.Sections(), args)
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
				loaded, err := load(cmd, standalone.ServiceSections(names...), args)
				if err != nil || loaded == nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "the configuration is valid")
				return err
			},
		})
	return cmd
}

// load reads the sections from the file, the environment and the flags. A nil
// Loaded without an error means that help was asked for and printed.
func load(cmd *cobra.Command, sections []config.Section, args []string) (*config.Loaded, error) {
	help := cmd.Short + "\n\n" + config.Usage(cmd.CommandPath(), sections) // with the defaults, which Load overwrites
	loaded, err := config.Load(sections, config.Options{
		Args: args, Environ: environ(), OtherSections: lifecycle.SectionNames(),
	})
	switch {
	case errors.Is(err, pflag.ErrHelp):
		_, err = fmt.Fprintln(cmd.OutOrStdout(), help)
		return nil, err
	case err != nil:
		return nil, usage(fmt.Errorf("the configuration has faults:\n%w", err))
	case len(loaded.Args()) > 0:
		return nil, noArgs(cmd, loaded.Args())
	}
	return loaded, nil
}

// environ is the environment without the tools' own variable, which no section
// knows.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(one string) bool { return strings.HasPrefix(one, apiKeyVariable+"=") })
}

// takeSections takes the names before the first flag.
func takeSections(args []string) (names, rest []string, err error) {
	known := lifecycle.SectionNames()
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		if !slices.Contains(known, args[0]) {
			return nil, nil, usage(fmt.Errorf("there is no section %q, only %s", args[0], strings.Join(known, ", ")))
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
			loaded, err := load(cmd, []config.Section{{Name: "admin", Value: &admin}}, args)
			if err != nil || loaded == nil {
				return err
			}
			return lifecycle.Healthcheck(cmd.Context(), admin)
		},
	}
}
