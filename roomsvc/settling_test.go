package roomsvc

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/natstest"
)

// A roomsvc that stops still finishes commits, and what asks for them must wait for
// them; when it is silent they are taken for never sent.
func TestSettling_answersUntilTheLastCommitIsOver(t *testing.T) {
	nc := natstest.Connect(t, natstest.Start(t))
	self, err := contract.NewProcessID("rooms")
	if err != nil {
		t.Fatal(err)
	}
	ref := room.Ref{App: self, Room: self}
	s := newSettling(self, nc)
	commit := s.begin(ref, true)
	ctx, stop := context.WithCancel(t.Context())
	over, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.serve(ctx, over) }()
	ask := func(patience time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, err := nc.RequestWithContext(ctx, contract.SettledSubject(self), []byte(ref.Key()))
		return err
	}
	for errors.Is(ask(50*time.Millisecond), nats.ErrNoResponders) { // until it serves
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := ask(200 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a commit under way the answer is %v, want none", err)
	}
	commit.end()
	if err := ask(time.Minute); err != nil {
		t.Errorf("after it: %v, want an answer", err)
	}
	close(over)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := ask(time.Minute); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("when it has ended: %v, want that nobody answers", err)
	}
}
