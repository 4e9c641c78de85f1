package client

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

func textFrame(text []byte) ws.Frame { return ws.NewTextFrame(text) }

// flood writes n messages of bob's and returns a channel that is closed when
// the client has read them all.
func flood(t *testing.T, conn *serverConn, n int) <-chan struct{} {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for seq := 1; seq <= n; seq++ {
			text, err := marshal(relayed("bob", uint64(seq), "1"))
			if err != nil {
				t.Error(err)
			}
			raw, _ := ws.CompileFrame(textFrame(text))
			if _, err := conn.conn.Write(raw); err != nil {
				return // the test is over
			}
		}
	}()
	return done
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestSlowApplication_LosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s, WithEventBuffer(4, 1<<20))
		written := flood(t, conn, 100)
		time.Sleep(time.Hour) // the client stopped reading, and that isn't the server's silence
		if isClosed(written) {
			t.Fatal("the client read 100 messages without room for their events")
		}
		if st := c.Stats(); st.Stalls == 0 || st.Received > 7 { // acked, joined, 4 kept, 1 in hand
			t.Errorf("stats %+v, want a stall after 4 events", st)
		}
		for seq := uint64(1); seq <= 100; seq++ {
			if got := event[Message](t, r); got.Seq != seq {
				t.Fatalf("event %d came, want %d", got.Seq, seq)
			}
		}
		<-written
	})
}

func TestSlowApplication_IsBoundedByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s, WithEventBuffer(1000, 200))
		written := flood(t, conn, 10)
		synctest.Wait()
		if isClosed(written) {
			t.Error("the client keeps more bytes than it may")
		}
		for range 10 {
			event[Message](t, r)
		}
	})
}

func TestSlowApplication_CallsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s, WithEventBuffer(4, 1<<20))
		written := flood(t, conn, 50) // 64 fit while a call waits
		synctest.Wait()
		sent := make(chan error, 1)
		go func() { sent <- r.Broadcast(t.Context(), "from the event loop") }()
		conn.expect(t, contract.TypeMessage, nil)
		<-written
		conn.ack(t, 2)
		if err := <-sent; err != nil {
			t.Errorf("a call while events wait: %v", err)
		}
		for seq := uint64(1); seq <= 50; seq++ {
			if got := event[Message](t, r); got.Seq != seq {
				t.Fatalf("event %d came, want %d", got.Seq, seq)
			}
		}
	})
}

func TestSlowApplication_CallEndsWhenTheBufferDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s, WithEventBuffer(4, 1<<20))
		written := flood(t, conn, 100)
		synctest.Wait()
		if err := r.Broadcast(t.Context(), 1); !errors.Is(err, ErrEventsUnread) {
			t.Errorf("a call while over 64 events wait: %v, want ErrEventsUnread", err)
		}
		if _, err := c.Join(t.Context(), "other"); !errors.Is(err, ErrEventsUnread) {
			t.Errorf("a join meanwhile: %v, want ErrEventsUnread", err)
		}
		if isClosed(written) {
			t.Error("the bound of 64 events doesn't hold")
		}
		for seq := uint64(1); seq <= 100; seq++ {
			if got := event[Message](t, r); got.Seq != seq {
				t.Fatalf("event %d came, want %d", got.Seq, seq)
			}
		}
		<-written
	})
}

func TestSlowApplication_CloseIsNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, _, conn := inLobby(t, s, WithEventBuffer(1, 1))
		flood(t, conn, 100)
		synctest.Wait()
		began := time.Now()
		c.Close()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("Close took %v, want at most 3 s", took)
		}
	})
}
