//go:build linux

// Command composetest runs the stack of deploy/compose with a Docker engine, calls
// through it, and changes and breaks it under load. `make compose-test` starts it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/parley-rtc/parley/tests/compose/trial"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "composetest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	o := trial.Options{Progress: os.Stderr}
	flag.StringVar(&o.Repository, "repository", ".", "the folder of the repository")
	flag.StringVar(&o.Compose, "compose", "docker-compose", "the program")
	flag.StringVar(&o.GoRoot, "goroot", "", "of the compiler, for an image of it")
	flag.IntVar(&o.Rate, "rate", 200, "signals/s that are offered")
	flag.StringVar(&o.Profile, "profile", "", "a profile of compose.yaml that is tried, too: observability")
	flag.Parse()
	report, err := trial.Run(ctx, o)
	if report == nil {
		return err
	}
	line, fault := json.Marshal(report)
	if fault == nil {
		fmt.Fprintf(os.Stdout, "%s\n", line)
	}
	return errors.Join(err, fault)
}
