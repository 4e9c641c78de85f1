package client

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// sendAway makes the edge announce its end.
func sendAway(t *testing.T, conn *serverConn, after int64) {
	t.Helper()
	conn.send(t, contract.Goaway{Type: contract.TypeGoaway, After: after, Reason: "drain"})
}

// setRefuse makes the server answer every handshake with this; nil: it accepts.
func (s *server) setRefuse(answer []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = answer
}

// addresses are those that were dialed so far.
func (s *server) addresses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

var draining = []byte("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

func TestMove_KeepsTheOldConnectionUntilTheNextIsWelcomed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, old := inLobby(t, s, WithURLs("ws://two.test"))
		time.Sleep(stableAfter)
		began := time.Now()
		sendAway(t, old, 8000)
		settled, _ := r.Post(ToAll("on the old one"))
		old.expect(t, contract.TypeMessage, nil)
		old.ack(t, 2)
		if err := settled.Wait(t.Context()); err != nil {
			t.Errorf("a frame between goaway and going: %v", err)
		}
		flying, _ := r.Post(ToAll("not settled when it goes"))
		old.expect(t, contract.TypeMessage, nil)

		next := s.accept(t)
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("client went after %v, want at most 8 s", took)
		}
		var hello contract.Hello
		next.expect(t, contract.TypeHello, &hello)
		synctest.Wait()
		select {
		case text := <-old.frames:
			t.Errorf("the old connection brought %q or ended before the next one counts", text)
		default:
		}
		if hello.Acked != 2 || hello.Rooms["lobby"].Peer != "ada" {
			t.Errorf("hello acked %d, rooms %+v", hello.Acked, hello.Rooms)
		}
		next.send(t, contract.Welcome{
			Type: contract.TypeWelcome, Session: "session-1", Resumed: true, Seq: 2, PingInterval: 20_000, Limits: contract.DefaultLimits(), Edge: "edge-2",
		})
		var again contract.Message
		if next.expect(t, contract.TypeMessage, &again); again.Seq != 3 {
			t.Errorf("frame %d comes again, want 3", again.Seq)
		}
		next.ack(t, 3)
		if err := flying.Wait(t.Context()); err != nil {
			t.Errorf("a frame on its way while it went: %v", err)
		}
		old.ended(t)
		event[Resumed](t, r)
		if got := s.addresses()[1]; got != "two.test:80" || c.Edge() != "edge-2" {
			t.Errorf("client went to %s and is at %s, want the next address", got, c.Edge())
		}
		if st := c.Stats(); st.Connects != 2 || st.Resumes != 1 || st.Losses != 0 || c.failures != 0 {
			t.Errorf("stats %+v and %d failures, want 2 connects, 1 resume", st, c.failures)
		}
	})
}

func TestMove_StaysWhileThereIsNoOtherPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, old := inLobby(t, s, WithURLs("ws://two.test"))
		s.setRefuse(draining)
		sendAway(t, old, 1000)
		time.Sleep(10 * time.Second)
		tried := s.addresses()[1:]
		if len(tried) < 3 || len(tried) > 40 {
			t.Errorf("%d tries in 10 s, want some and no hammering", len(tried))
		}
		if !slices.Contains(tried, "edge.test:80") || !slices.Contains(tried, "two.test:80") {
			t.Errorf("tried %v, want every address", tried)
		}
		p, _ := r.Post(ToAll("still here"))
		old.expect(t, contract.TypeMessage, nil)
		old.ack(t, 2)
		if err := p.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		s.setRefuse(nil)
		s.welcomed(t, resumed)
		event[Resumed](t, r)
		old.ended(t)
		if st := c.Stats(); st.Connects != 2 {
			t.Errorf("stats %+v, want 2 connects", st)
		}
	})
}

func TestMove_EndsWithTheOldConnection(t *testing.T) {
	t.Run("which comes back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			_, r, old := inLobby(t, s)
			sendAway(t, old, time.Hour.Milliseconds())
			synctest.Wait()
			old.close(t, contract.CloseRestart)
			s.welcomed(t, resumed)
			event[Resumed](t, r)
		})
	})
	t.Run("which is over for good", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			c, _, old := inLobby(t, s)
			sendAway(t, old, time.Hour.Milliseconds())
			old.close(t, contract.CloseKicked)
			<-c.Done()
			if closed := new(ClosedError); !errors.As(c.Err(), &closed) || closed.Code != contract.CloseKicked {
				t.Errorf("client ended with %v, want the kick", c.Err())
			}
		})
	})
	t.Run("which the application closes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			c, _, old := inLobby(t, s)
			sendAway(t, old, time.Hour.Milliseconds())
			synctest.Wait()
			go c.Close()
			old.expect(t, contract.TypeBye, nil)
			old.ended(t)
		})
	})
}

func TestMove_ComesBackWhenTheNextPlaceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, old := inLobby(t, s, WithURLs("ws://two.test"))
		sendAway(t, old, 0)
		next := s.accept(t)
		next.expect(t, contract.TypeHello, nil)
		next.close(t, contract.CloseTryLater)
		s.welcomed(t, resumed)
		event[Resumed](t, r)
		old.ended(t)
		if got := s.addresses()[2]; got != "edge.test:80" || c.Stats().Losses != 0 {
			t.Errorf("client came back to %s, want the address after the one that failed", got)
		}
	})
}

func TestMove_IsNotHurriedByEdgesThatSendAwayAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, conn := connected(t, s)
		began := time.Now()
		moves := 0
		for time.Since(began) < 20*time.Second {
			sendAway(t, conn, 0)
			conn, _ = s.welcomed(t, resumed)
			moves++
		}
		if moves > 60 {
			t.Errorf("%d moves in 20 s, want them to slow down", moves)
		}
		if err := c.Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestAddresses_AreTriedInAnOrderOfTheClientsOwn(t *testing.T) {
	seen := map[string]int{}
	for range 200 {
		o, err := newOptions("ws://a", []Option{WithURLs("ws://b", "ws://c", "ws://d")})
		if err != nil {
			t.Fatal(err)
		}
		if o.urls[0] != "ws://a/v1/ws" || len(o.urls) != 4 {
			t.Fatalf("addresses %v, want the first one first", o.urls)
		}
		seen[o.urls[1]]++
	}
	if len(seen) != 3 {
		t.Errorf("second addresses %v, want each of the others sometimes", seen)
	}
}
