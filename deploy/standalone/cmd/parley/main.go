// Command parley is Parley in one binary: the whole backend for development
// (dev), and the tools around it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// exitForced is the exit code of a process that a second signal ended at once:
// that of a program that SIGINT killed, as shells tell it.
const exitForced = 128 + int(syscall.SIGINT)

func main() {
	ctx, stop := untilSignal(context.Background())
	err := newRoot().ExecuteContext(ctx)
	stop()
	switch {
	case err == nil:
	case isUsage(err):
		fmt.Fprintln(os.Stderr, "parley:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "parley:", err)
		os.Exit(1)
	}
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM; the
// second one ends the process at once. stop must be called when nothing is left
// to be stopped.
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
			case <-signals:
				if ctx.Err() != nil {
					os.Exit(exitForced)
				}
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
