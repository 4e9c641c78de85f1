//go:build linux

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Stack is deploy/compose, run from a copy of the files that git has of it.
type Stack struct {
	Compose string // the program
	Source  string // the folder of the files
	Dir     string // that of the copy
	Project string
	Environ []string // settings, as .env has them
}

// Copy makes the copy.
func (s *Stack) Copy(ctx context.Context) error {
	files, err := s.tracked(ctx)
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(s.Source, file))
		if err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		path := filepath.Join(s.Dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fmt.Errorf("copy: %w", err)
		}
	}
	return nil
}

func (s *Stack) tracked(ctx context.Context) ([]string, error) {
	list, err := command(ctx, s.Source, nil, "git", "ls-files")
	return strings.Fields(list), err
}

// Changed names the files of the copy that differ from the commit's.
func (s *Stack) Changed(ctx context.Context) (changed []string, err error) {
	files, err := s.tracked(ctx)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		committed, err := command(ctx, s.Source, nil, "git", "show", "HEAD:./"+file)
		used, fault := os.ReadFile(filepath.Join(s.Dir, file))
		if err != nil || fault != nil || committed != strings.TrimSpace(string(used)) {
			changed = append(changed, file)
		}
	}
	return changed, nil
}

func (s *Stack) compose(ctx context.Context, args ...string) (string, error) {
	return command(ctx, s.Dir, s.Environ, s.Compose, append([]string{"--project-name", s.Project}, args...)...)
}

// Images are those that the stack needs, without the ones of profiles.
func (s *Stack) Images(ctx context.Context) ([]string, error) {
	list, err := s.compose(ctx, "config", "--images")
	images := strings.Fields(list)
	slices.Sort(images)
	return slices.Compact(images), err
}

// Init makes secrets and settings, as users do: by the image of parley.
func (s *Stack) Init(ctx context.Context, image string) error {
	_, err := docker(ctx, "run", "--rm", "--user", fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()), "--volume", s.Dir+":/data", image, "init")
	return err
}

// AsksForInit has compose look at the files before Init, and wants to be told of it.
func (s *Stack) AsksForInit(ctx context.Context) error {
	_, err := s.compose(ctx, "config", "--quiet")
	if err != nil && strings.Contains(err.Error(), "parley init") {
		return nil
	}
	return errors.Join(errors.New("without secrets compose doesn't say that parley init makes them"), err)
}

// Secret is one that Init made.
func (s *Stack) Secret(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.Dir, "secrets", name))
	return strings.TrimSpace(string(text)), err
}

// Up brings everything up, with so many containers of each service (1 where it
// isn't said), and returns when all are healthy.
func (s *Stack) Up(ctx context.Context, scale map[string]int) error {
	args := []string{"up", "--detach", "--no-build", "--wait"}
	for service, n := range scale {
		args = append(args, "--scale", fmt.Sprintf("%s=%d", service, n))
	}
	_, err := s.compose(ctx, args...)
	return err
}

// Down kills and removes everything, also what is of a profile, and the volumes.
func (s *Stack) Down(ctx context.Context) error {
	_, err := s.compose(ctx, "--profile", "*", "down", "--volumes", "--timeout", "0") // nobody looks at how they end
	return err
}

// Logs writes what all containers wrote into a file.
func (s *Stack) Logs(ctx context.Context, file string) error {
	text, err := s.compose(ctx, "logs", "--no-color", "--timestamps")
	return errors.Join(err, os.WriteFile(file, []byte(text), 0o644))
}

// Validate has compose look at all files, also those of profiles and of
// development.
func (s *Stack) Validate(ctx context.Context) error {
	for _, args := range [][]string{
		{"config", "--quiet"},
		{"--profile", "observability", "config", "--quiet"},
		{"--file", "compose.yaml", "--file", "compose.dev.yaml", "config", "--quiet"},
	} {
		if _, err := s.compose(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// Container is a container of the stack.
type Container struct {
	Name, Service, State, Health string
}

// Containers are those of the services, or all. Those that don't run count too.
func (s *Stack) Containers(ctx context.Context, services ...string) ([]Container, error) {
	return s.list(ctx, append([]string{"ps", "--all", "--format", "json"}, services...))
}

func (s *Stack) list(ctx context.Context, args []string) ([]Container, error) {
	text, err := s.compose(ctx, args...)
	if err != nil {
		return nil, err
	}
	var all []Container
	for line := range strings.Lines(text) {
		var c Container
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return nil, fmt.Errorf("list containers: %w", err)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Container) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// WaitHealthy waits until every container is, and NATS has all copies of all
// streams.
func (s *Stack) WaitHealthy(ctx context.Context) error {
	for {
		err := s.healthy(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not well: %w (%w)", err, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

func (s *Stack) healthy(ctx context.Context) error {
	all, err := s.Containers(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.State != "running" || c.Health != "healthy" {
			return fmt.Errorf("%s is %s, %s", c.Name, c.State, c.Health)
		}
		if !strings.HasPrefix(c.Service, "nats-") {
			continue
		}
		if _, err := docker(ctx, "exec", c.Name, "wget", "-q", "-O", "-", "http://127.0.0.1:8222/healthz"); err != nil {
			return err
		}
	}
	return nil
}
