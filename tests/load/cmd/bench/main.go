//go:build linux

// Command bench measures Parley beside what people use instead of it.
//
//	go run ./tests/load/cmd/bench [--quick] [--only distributed,ws] [--rates 5000] ...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/parley-rtc/parley/tests/load/bench"
	"github.com/parley-rtc/parley/tests/load/target"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags that are not part of the plan.
type options struct {
	folders        target.Folders
	out, svg, from string
}

// run runs what the arguments say. Figures that are missed are no error.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	plan, o, err := parse(args, progress)
	if err != nil {
		return err
	}
	if o.from != "" {
		results, err := bench.Read(o.from)
		if err != nil {
			return err
		}
		return errors.Join(results.Print(out), draw(results, o.svg))
	}
	results, err := (&bench.Bench{Plan: plan, Folders: o.folders, Progress: progress}).Run(ctx)
	if err != nil {
		return err
	}
	return errors.Join(results.Print(out), keep(results, o.out), draw(results, o.svg))
}

func keep(results *bench.Results, path string) error {
	if path == "" {
		return nil
	}
	return results.Write(path)
}

func draw(results *bench.Results, path string) error {
	if path == "" {
		return nil
	}
	return results.Draw(path)
}

// parse reads the flags. --quick chooses the defaults of the others.
func parse(args []string, help io.Writer) (bench.Plan, options, error) {
	plan, results := bench.Full(), filepath.Join("tests", "load", "results")
	if has(args, "quick") {
		plan, results = bench.Quick(), ""
	}
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.Bool("quick", false, "one round of 5,000 messages/s against four targets, in 2 minutes")
	flags.Func("only", "target,...: only these", func(text string) error { return parseTargets(text, &plan.Targets) })
	flags.Func("rates", "messages/s,...", func(text string) error { return parseNumbers(text, &plan.Rates) })
	flags.Func("bursts", "1,8: messages that a peer sends at once", func(text string) error { return parseNumbers(text, &plan.Bursts) })
	flags.IntVar(&plan.Connections, "connections", plan.Connections, "how many, in rooms of two")
	flags.IntVar(&plan.Rounds, "rounds", plan.Rounds, "of each rate")
	flags.IntVar(&plan.Climbs, "climbs", plan.Climbs, "searches for the highest rate of each target")
	flags.IntVar(&plan.Idles, "idles", plan.Idles, "rounds of joins and memory")
	flags.DurationVar(&plan.Warm, "warm", plan.Warm, "of each window, before what counts")
	flags.DurationVar(&plan.Length, "length", plan.Length, "of what counts in each window")
	flags.DurationVar(&plan.Budget, "budget", plan.Budget, "rounds after the first that don't fit are left out")
	flags.IntVar(&plan.Few, "few", plan.Few, "idle connections at which memory is read first")
	flags.IntVar(&plan.Many, "many", plan.Many, "and then")
	flags.IntVar(&plan.Joins, "joins", plan.Joins, "joins between the two that are timed")
	flags.StringVar(&o.folders.Bin, "bin", "bin", "folder of Parley's programs")
	flags.StringVar(&o.folders.Peers, "peers", filepath.Join("tests", "load", "peers"), "folder of the servers to compare with")
	flags.StringVar(&o.out, "out", "", "file for the results (default "+filepath.Join("tests", "load", "results", "<date>.json")+"; with --quick none)")
	flags.StringVar(&o.svg, "svg", "", "file for the picture")
	flags.StringVar(&o.from, "from", "", "show and draw these results, and measure nothing")
	if err := flags.Parse(args); err != nil {
		return plan, o, err
	}
	if flags.NArg() > 0 {
		return plan, o, fmt.Errorf("unexpected %q", flags.Arg(0))
	}
	if o.out == "" && results != "" {
		o.out = filepath.Join(results, bench.Today()+".json")
	}
	return plan, o, plan.Validate()
}

// has reports whether a flag without a value is set; it must be known before the
// others are read.
func has(args []string, name string) bool {
	for _, arg := range args {
		if arg == "-"+name || arg == "--"+name {
			return true
		}
	}
	return false
}

func parseTargets(text string, into *[]target.Name) error {
	*into = nil
	for one := range strings.SplitSeq(text, ",") {
		name, err := target.Parse(strings.TrimSpace(one))
		if err != nil {
			return err
		}
		*into = append(*into, name)
	}
	return nil
}

func parseNumbers(text string, into *[]int) error {
	*into = nil
	for one := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(one))
		if err != nil {
			return fmt.Errorf("%q is no number", one)
		}
		*into = append(*into, n)
	}
	return nil
}
