//go:build linux

// Command chaos runs Parley as processes, breaks them, and checks that nothing that
// was acknowledged was lost, doubled, swapped or misdirected.
//
//	go run ./tests/chaos/cmd/chaos [--seed 1] [--faults 10] [--kinds kill,pause-nats] ...
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/schedule"
	"github.com/parley-rtc/parley/tests/chaos/trial"
	"github.com/parley-rtc/parley/tests/netns"
)

// insideVar tells the program that it is in its network namespace.
const insideVar = "PARLEY_CHAOS_NAMESPACE"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	if os.Getenv(insideVar) == "" {
		return isolated(ctx, args, out, progress)
	}
	report, err := trial.Run(ctx, o.Options)
	if report == nil {
		return err
	}
	report.Command = "go run ./tests/chaos/cmd/chaos " + strings.Join(args, " ")
	line, fault := json.Marshal(report)
	if fault != nil {
		return errors.Join(err, fault)
	}
	fmt.Fprintf(out, "%s\n", line)
	return errors.Join(err, keep(o.results, o.Seed, append(line, '\n')))
}

// keep writes the line of a run into a folder, if there is one.
func keep(folder string, seed uint64, line []byte) error {
	if folder == "" {
		return nil
	}
	name := fmt.Sprintf("%s-seed-%d.json", time.Now().Format("2006-01-02"), seed)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("keep the result: %w", err)
	}
	return os.WriteFile(filepath.Join(folder, name), line, 0o644)
}

// isolated starts this program once more, in a network namespace of its own.
func isolated(ctx context.Context, args []string, out, progress io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	// No proxy leads into the namespace.
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(one string) bool {
		name, _, _ := strings.Cut(strings.ToLower(one), "=")
		return strings.HasSuffix(name, "_proxy")
	}), insideVar+"=1")
	cmd.Stdout, cmd.Stderr = out, progress
	netns.Isolate(cmd)
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	runtime.LockOSThread() // the kernel means the death of the thread that started it
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start in a network namespace: %w (it needs root or unprivileged user namespaces)", err)
	}
	return cmd.Wait()
}

// options are those of the run, and where its line is kept.
type options struct {
	trial.Options
	results string
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	o.Progress = help
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.Uint64Var(&o.Seed, "seed", 1, "of the schedule")
	flags.IntVar(&o.Signals, "signals", 0, "acknowledged ones that the run must come to")
	flags.IntVar(&o.Faults, "faults", 10, "that the run must come to")
	flags.Func("kinds", "fault,...: only these, or those that begin so (default all)", func(text string) (err error) {
		o.Kinds, err = schedule.Parse(text)
		return err
	})
	flags.DurationVar(&o.Most, "most", 10*time.Minute, "the run ends by itself before")
	flags.IntVar(&o.Rate, "rate", 1000, "signals/s that are offered")
	flags.IntVar(&o.Pairs, "pairs", 30, "rooms of two")
	flags.IntVar(&o.Fives, "fives", 8, "rooms of five")
	flags.IntVar(&o.Fifties, "fifties", 1, "rooms of fifty")
	flags.IntVar(&o.Visitors, "visitors", 6, "that come and go all the time")
	flags.IntVar(&o.Break, "break", 0, "each so many-th delivery is broken on purpose, and must be found")
	flags.DurationVar(&o.Window, "window", time.Minute, "for resumes")
	flags.StringVar(&o.Bin, "bin", "bin", "folder of the programs")
	flags.StringVar(&o.results, "results", "", "folder for the line, as a file by date and seed")
	flags.StringVar(&o.Commit, "commit", "", "of the programs, for the report")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected %q", flags.Arg(0))
	}
	return o, nil
}
