//go:build linux

package engine

import "context"

// Kill kills a container; nothing starts it again but Revive.
func (s *Stack) Kill(ctx context.Context, c Container) error {
	_, err := docker(ctx, "kill", c.Name)
	return err
}

// Revive starts a container that was killed.
func (s *Stack) Revive(ctx context.Context, c Container) error {
	_, err := docker(ctx, "start", c.Name)
	return err
}

// Restart asks a container to stop, gives it the time that compose.yaml says, and
// starts it again.
func (s *Stack) Restart(ctx context.Context, c Container) error {
	_, err := docker(ctx, "restart", c.Name)
	return err
}

// Disconnect takes a container off its network, and Connect puts it back under the
// names that it had.
func (s *Stack) Disconnect(ctx context.Context, c Container) error {
	_, err := docker(ctx, "network", "disconnect", s.network(), c.Name)
	return err
}

// Connect is what Disconnect says.
func (s *Stack) Connect(ctx context.Context, c Container) error {
	_, err := docker(ctx, "network", "connect", "--alias", c.Service, "--alias", c.Name, s.network(), c.Name)
	return err
}

func (s *Stack) network() string { return s.Project + "_default" }
