package main

import (
	"cmp"
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
			Use:                "print [--sources | --json] [--config file] [--section.key value]",
			Short:              "Print the configuration of parley dev as YAML, or one line of JSON, without its secrets",
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				args, sources := takeFlag(args, "--sources")
				args, asJSON := takeFlag(args, "--json")
				if sources && asJSON {
					return usage(errors.New("--sources are comments, which JSON doesn't have: leave --json out"))
				}
				cfg := standalone.DevDefaults()
				loaded, err := load(cmd, cfg.Sections(), args)
				if err != nil || loaded == nil {
					return err
				}
				if !asJSON {
					return loaded.Print(cmd.OutOrStdout(), sources)
				}
				values, err := loaded.Redacted()
				if err != nil {
					return err
				}
				return printJSON(cmd.OutOrStdout(), values)
			},
		},
		&cobra.Command{
			Use:                "check [section ...] [--json] [--config file] [--section.key value]",
			Short:              "Check the services' configuration, or some of its sections, and say everything that is wrong",
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				args, asJSON := takeFlag(args, "--json")
				names, args, err := takeSections(args)
				if err != nil {
					return err
				}
				loaded, err := load(cmd, standalone.ServiceSections(names...), args)
				return printCheck(cmd, loaded, err, asJSON)
			},
		})
	return cmd
}

// validity is what `parley config check --json` prints.
type validity struct {
	Valid  bool     `json:"valid"`
	Faults []string `json:"faults,omitempty"`
}

// printCheck says whether the configuration could be loaded. In JSON the faults
// are printed as well as told by the exit code.
func printCheck(cmd *cobra.Command, loaded *config.Loaded, fault error, asJSON bool) error {
	var faults []string
	switch {
	case fault == nil && loaded == nil:
		return nil // help was asked for
	case fault != nil && !asJSON:
		return fault
	case fault != nil:
		faults = strings.Split(strings.TrimPrefix(fault.Error(), faultyConfiguration+"\n"), "\n")
		return errors.Join(printJSON(cmd.OutOrStdout(), validity{Faults: faults}), fault)
	case asJSON:
		return printJSON(cmd.OutOrStdout(), validity{Valid: true})
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), "the configuration is valid")
	return err
}

// faultyConfiguration stands before the faults, which have a line each.
const faultyConfiguration = "the configuration has faults:"

// load reads the sections from the file, the environment and the flags. A nil
// Loaded without an error means that help was asked for and printed.
func load(cmd *cobra.Command, sections []config.Section, args []string) (*config.Loaded, error) {
	help := cmp.Or(cmd.Long, cmd.Short) + "\n\n" + config.Usage(cmd.CommandPath(), sections) // with the defaults, which Load overwrites
	loaded, err := config.Load(sections, config.Options{
		Args: args, Environ: os.Environ(), OtherSections: lifecycle.SectionNames(),
	})
	switch {
	case errors.Is(err, pflag.ErrHelp):
		_, err = fmt.Fprintln(cmd.OutOrStdout(), help)
		return nil, err
	case err != nil:
		return nil, usage(fmt.Errorf(faultyConfiguration+"\n%w", err))
	case len(loaded.Args()) > 0:
		return nil, noArgs(cmd, loaded.Args())
	}
	return loaded, nil
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
