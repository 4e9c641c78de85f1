package lifecycle

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// Main runs a service as a process and exits. It must be all that main does.
//
// The first SIGINT or SIGTERM ends the context and lets the service finish; a
// second one exits at once with code 1. See [Run] for the rest.
func Main[C any](name string, defaults C, run func(ctx context.Context, cfg C, nc *nats.Conn) error) {
	ctx, stop := untilSignal(context.Background())
	code := Run(ctx, name, defaults, run, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// untilSignal returns a context that ends with the first signal to stop. stop
// must be called when nothing is left to be stopped.
func untilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	finished := make(chan struct{})
	go func() {
		for {
			select {
			case <-finished:
				return
			case s := <-signals:
				if ctx.Err() != nil {
					slog.ErrorContext(ctx, "stopped at once by a second signal", "signal", s.String())
					os.Exit(exitFailure)
				}
				slog.InfoContext(ctx, "stopping", "signal", s.String())
				cancel()
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(finished)
		cancel()
	}
}
