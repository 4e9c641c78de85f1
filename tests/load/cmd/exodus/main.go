//go:build linux

// Command exodus ends an edge with thousands of sessions and measures how long it
// takes until all are back on others.
//
//	go run ./tests/load/cmd/exodus [--end drain] [--sessions 15000] [--servers 3] [--results folder] ...
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/parley-rtc/parley/tests/load/exodus"
	"github.com/parley-rtc/parley/tests/load/target"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "exodus:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	plan := exodus.Full()
	var bin, results, commit string
	flags := flag.NewFlagSet("exodus", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.StringVar((*string)(&plan.End), "end", string(plan.End), "of the edge: kill, or drain")
	flags.IntVar(&plan.Sessions, "sessions", plan.Sessions, "on the edge that ends, two a room")
	flags.IntVar(&plan.Servers, "servers", plan.Servers, "NATS servers: 1 or 3")
	flags.IntVar(&plan.Targets, "targets", plan.Targets, "edges that are left")
	flags.IntVar(&plan.Rate, "rate", plan.Rate, "messages/s, all the time")
	flags.DurationVar(&plan.Steady, "steady", plan.Steady, "before the end, and after all are back")
	flags.DurationVar(&plan.Most, "most", plan.Most, "after that, then who isn't back is given up")
	flags.StringVar(&bin, "bin", "bin", "folder of Parley's programs")
	flags.StringVar(&results, "results", "", "folder for the line, as a file by date")
	flags.StringVar(&commit, "commit", "", "of the programs, for the report")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected %q", flags.Arg(0))
	}
	report, err := exodus.Run(ctx, plan, target.Folders{Bin: bin}, progress)
	if err != nil {
		return err
	}
	report.Command, report.Commit = "go run ./tests/load/cmd/exodus "+strings.Join(args, " "), commit
	line, err := json.Marshal(report)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n", line)
	if results != "" {
		kind := "-exodus.json"
		if plan.End == exodus.Drain {
			kind = "-exodus-drain.json"
		}
		name := filepath.Join(results, time.Now().Format("2006-01-02")+kind)
		if err := os.WriteFile(name, append(line, '\n'), 0o644); err != nil {
			return fmt.Errorf("keep the result: %w", err)
		}
	}
	return report.Fault()
}
