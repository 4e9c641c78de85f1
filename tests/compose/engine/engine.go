//go:build linux

package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout bounds the start of an engine, stopTimeout its end.
	startTimeout = time.Minute
	stopTimeout  = time.Minute
	// pollInterval is the time between two looks at whether something is there.
	pollInterval = 100 * time.Millisecond
)

// Engine is a running Docker engine.
type Engine struct {
	daemon *exec.Cmd // nil: somebody else's
	ended  chan error
}

// Start finds the engine that runs, or starts one with its log in the file. Stop
// ends what was started.
func Start(ctx context.Context, log string) (*Engine, error) {
	if _, err := command(ctx, "", nil, "docker", "version"); err == nil {
		return &Engine{}, nil
	}
	f, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("start dockerd: %w", err)
	}
	defer f.Close()
	e := &Engine{daemon: exec.CommandContext(context.WithoutCancel(ctx), "dockerd"), ended: make(chan error, 1)}
	e.daemon.Stdout, e.daemon.Stderr = f, f
	if err := e.daemon.Start(); err != nil {
		return nil, fmt.Errorf("start dockerd: %w", err)
	}
	go func() { e.ended <- e.daemon.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if _, err := command(ctx, "", nil, "docker", "version"); err == nil {
			return e, nil
		}
		select {
		case err := <-e.ended:
			return nil, fmt.Errorf("dockerd ended (%w); its log: %s", err, log)
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("dockerd doesn't answer; its log: %s", log), e.Stop())
		case <-time.After(pollInterval):
		}
	}
}

// Stop ends the engine if Start started it.
func (e *Engine) Stop() error {
	if e.daemon == nil {
		return nil
	}
	if err := e.daemon.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop dockerd: %w", err)
	}
	select {
	case err := <-e.ended:
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) { // told to end, it may with any code
			return fmt.Errorf("stop dockerd: %w", err)
		}
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("dockerd didn't end in %v", stopTimeout), e.daemon.Process.Kill())
	}
}

// command runs a program in a folder with more environment, and returns what it
// wrote to stdout. The error has the rest.
func command(ctx context.Context, dir string, environ []string, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), environ...)
	var out, fault bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &fault
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, lastLines(fault.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// lastLines are the last 20 lines of a text.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

func docker(ctx context.Context, args ...string) (string, error) {
	return command(ctx, "", nil, "docker", args...)
}
