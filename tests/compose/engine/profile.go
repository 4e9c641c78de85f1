//go:build linux

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// ProfileImages are the images of the services that only a profile has, by service.
func (s *Stack) ProfileImages(ctx context.Context, profile string) (map[string]string, error) {
	text, err := s.compose(ctx, "--profile", profile, "config", "--format", "json")
	if err != nil {
		return nil, err
	}
	var file struct {
		Services map[string]struct {
			Image    string
			Profiles []string
		}
	}
	if err := json.Unmarshal([]byte(text), &file); err != nil {
		return nil, fmt.Errorf("read what compose makes of the file: %w", err)
	}
	images := map[string]string{}
	for name, service := range file.Services {
		if slices.Contains(service.Profiles, profile) {
			images[name] = service.Image
		}
	}
	return images, nil
}

// UpProfile brings up everything with a profile but the services left out, and
// returns when all are healthy.
func (s *Stack) UpProfile(ctx context.Context, profile string, leftOut []string) error {
	text, err := s.compose(ctx, "--profile", profile, "config", "--services")
	if err != nil {
		return err
	}
	services := slices.DeleteFunc(strings.Fields(text), func(service string) bool { return slices.Contains(leftOut, service) })
	_, err = s.compose(ctx, append([]string{"--profile", profile, "up", "--detach", "--no-build", "--wait"}, services...)...)
	return err
}

// ProfileContainers are those of services of a profile.
func (s *Stack) ProfileContainers(ctx context.Context, profile string, services []string) ([]Container, error) {
	return s.list(ctx, append([]string{"--profile", profile, "ps", "--all", "--format", "json"}, services...))
}

// RemoveProfile removes services of a profile while all others run on.
func (s *Stack) RemoveProfile(ctx context.Context, profile string, services []string) error {
	_, err := s.compose(ctx, append([]string{"--profile", profile, "rm", "--stop", "--force", "--volumes"}, services...)...)
	return err
}

// Log is what the containers of a service wrote since a time.
func (s *Stack) Log(ctx context.Context, service string, since time.Time) (string, error) {
	return s.compose(ctx, "logs", "--no-color", "--no-log-prefix", "--since", since.Format(time.RFC3339Nano), service)
}

// Begun says of each container of services, by its name, which it is and when it was
// started: so one that was made anew or restarted is seen.
func (s *Stack) Begun(ctx context.Context, services ...string) (map[string]string, error) {
	all, err := s.Containers(ctx, services...)
	if err != nil {
		return nil, err
	}
	begun := map[string]string{}
	for _, c := range all {
		if begun[c.Name], err = docker(ctx, "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", c.Name); err != nil {
			return nil, err
		}
	}
	return begun, nil
}

// Confined reports what a running container could do that it mustn't: write its own
// files, gain privileges, use a capability or be root.
func Confined(ctx context.Context, c Container) error {
	text, err := docker(ctx, "inspect", c.Name)
	if err != nil {
		return err
	}
	var of []struct {
		RestartCount int
		State        struct{ Pid int }
		HostConfig   struct{ ReadonlyRootfs bool }
	}
	if err := json.Unmarshal([]byte(text), &of); err != nil || len(of) != 1 {
		return fmt.Errorf("inspect %s: %d containers: %w", c.Name, len(of), err)
	}
	if one := of[0]; !one.HostConfig.ReadonlyRootfs || one.RestartCount > 0 {
		return fmt.Errorf("%s: read-only is %v, and it was restarted %d times", c.Name, one.HostConfig.ReadonlyRootfs, one.RestartCount)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", of[0].State.Pid))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	may := map[string]string{}
	for line := range strings.Lines(string(status)) {
		if name, value, found := strings.Cut(line, ":"); found {
			may[name] = strings.TrimSpace(value)
		}
	}
	if strings.HasPrefix(may["Uid"], "0\t") || may["NoNewPrivs"] != "1" || strings.Trim(may["CapEff"]+may["CapPrm"]+may["CapBnd"], "0") != "" {
		return fmt.Errorf("%s runs with user %s, NoNewPrivs %s, capabilities %s of %s", c.Name, may["Uid"], may["NoNewPrivs"], may["CapEff"], may["CapBnd"])
	}
	return nil
}
