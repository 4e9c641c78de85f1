package edge

import (
	"context"
	"runtime"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// tokenDesk verifies tokens on a few goroutines of its own. A signature takes more
// stack than all else that a connection's goroutine does, and that would grow for
// it, once a connection: a twentieth of a join's CPU.
type tokenDesk struct {
	verify func(raw string, now time.Time) (contract.Claims, error)
	asked  chan *verification
}

type verification struct {
	raw    string
	claims contract.Claims
	err    error
	done   chan struct{}
}

func newTokenDesk(verify func(raw string, now time.Time) (contract.Claims, error)) *tokenDesk {
	return &tokenDesk{verify: verify, asked: make(chan *verification)}
}

// clerks is how many goroutines verify.
func clerks() int { return runtime.GOMAXPROCS(0) }

// work verifies what is asked until ctx ends.
func (d *tokenDesk) work(ctx context.Context) {
	for {
		select {
		case v := <-d.asked:
			v.claims, v.err = d.verify(v.raw, time.Now())
			close(v.done)
		case <-ctx.Done():
			return
		}
	}
}

// ask returns the claims of a token, or why it isn't believed.
func (d *tokenDesk) ask(ctx context.Context, raw string) (*contract.Claims, error) {
	v := &verification{raw: raw, done: make(chan struct{})}
	select {
	case d.asked <- v:
	case <-ctx.Done():
		return nil, contract.Errorf(contract.CodeUnavailable, "the edge stops; reconnect to another one")
	}
	<-v.done
	return &v.claims, v.err
}

// verify checks a token for a room.
func (s *clientSession) verify(raw, roomName string) (*contract.Claims, error) {
	claims, err := s.e.tokens.ask(s.e.work, raw)
	if err != nil {
		tokens.WithLabelValues(string(asError(err).Code)).Inc()
		return nil, err
	}
	if claims.Room != roomName {
		tokens.WithLabelValues(string(contract.CodeForbidden)).Inc()
		return nil, contract.Errorf(contract.CodeForbidden, "the token is for another room")
	}
	tokens.WithLabelValues("ok").Inc()
	return claims, nil
}
