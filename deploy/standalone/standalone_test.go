package standalone

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// readyTimeout is far more than a start takes.
const readyTimeout = 30 * time.Second

// running is a Parley in this process.
type running struct {
	cfg    Config
	health *lifecycle.Health
	stop   context.CancelFunc
	ended  chan error
	edges  []string // that the clients of join are on
}

// start runs everything over a store folder.
func start(t *testing.T, dir string) *running {
	t.Helper()
	r := &running{cfg: DevDefaults(), health: lifecycle.NewHealth(), ended: make(chan error, 1)}
	r.cfg.Standalone.StoreDir = dir
	l, _, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.cfg.Edge.Listen, r.cfg.Edge.Listener = l.Addr().String(), l
	if r.cfg.TURN.UDP, r.cfg.TURN.TCP, _, err = ListenTURN(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r.cfg.TURN.Listen = r.cfg.TURN.UDP.LocalAddr().String()
	if err := r.cfg.Develop(); err != nil {
		t.Fatal(err)
	}
	r.health.Set(CheckFront, lifecycle.ErrStarting) // which Run takes over
	ctx, cancel := context.WithCancel(lifecycle.WithHealth(context.WithoutCancel(t.Context()), r.health))
	r.stop = cancel
	go func() { r.ended <- Run(ctx, r.cfg) }()
	t.Cleanup(func() { r.end(t) })
	for deadline := time.Now().Add(readyTimeout); ; {
		ready, checks := r.health.Ready()
		if ready {
			return r
		}
		select {
		case err := <-r.ended:
			r.ended <- err
			t.Fatalf("it ended with %v", err)
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %v", checks)
		}
	}
}

// end stops it; once it has ended, end does nothing.
func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	r.ended <- nil
}

// token asks as an app's backend does.
func (r *running) token(ctx context.Context, room, identity string) (string, error) {
	apiKey, err := Files{r.cfg.Standalone.StoreDir}.APIKey()
	if err != nil {
		return "", err
	}
	reply, err := Tokens{URL: "http://" + r.cfg.Edge.Listen, APIKey: apiKey}.Token(ctx, contract.TokenRequest{Room: room, Identity: identity})
	return reply.Token, err
}

// join connects a client and joins a room.
func (r *running) join(t *testing.T, identity string) *client.Room {
	t.Helper()
	c, err := client.Dial(t.Context(), "ws://"+r.cfg.Edge.Listen, client.WithToken(
		func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
			return r.token(ctx, room, identity)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // it never fails
	r.edges = append(r.edges, c.Edge())
	room, err := c.Join(t.Context(), "a room")
	if err != nil {
		t.Fatal(err)
	}
	return room
}

func TestRun_isAllOfParley(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	ada, bob := first.join(t, "ada"), first.join(t, "bob")
	if err := bob.Send(t.Context(), ada.Self().Peer, "hello"); err != nil {
		t.Fatal(err)
	}
	for event, err := range ada.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := event.(client.Message); ok {
			if string(m.Data) != `"hello"` || m.From != bob.Self().Peer {
				t.Errorf("got %s from %s", m.Data, m.From)
			}
			break
		}
	}
	t.Run("alone in its folder", func(t *testing.T) {
		if err := Run(t.Context(), first.cfg); err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("a second one: got %v, want that the folder is in use", err)
		}
	})
	if err := ada.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	if err := bob.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	first.end(t)
	t.Run("and starts again over what it left", func(t *testing.T) {
		second := start(t, dir)
		if again := second.join(t, "ada"); again.Self().Epoch <= ada.Self().Epoch {
			t.Errorf("the room begins anew, at epoch %d after %d", again.Self().Epoch, ada.Self().Epoch)
		}
	})
}

func TestRun_endsWholeWithItsFirstFault(t *testing.T) {
	r := start(t, t.TempDir())
	if err := r.cfg.Edge.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-r.ended:
		r.ended <- nil
		if err == nil || !strings.Contains(err.Error(), "front") {
			t.Errorf("got %v, want which part failed", err)
		}
	case <-time.After(readyTimeout):
		t.Error("it goes on without a part")
	}
}
