package client

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// hashOf is what an edge compares: the SHA-256 of the secret's bytes.
func hashOf(t *testing.T, secret string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil || len(raw) != 32 {
		t.Fatalf("secret %q isn't the base64url of 32 bytes", secret)
	}
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestResume_Secrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		done := make(chan *Client, 1)
		go func() {
			c, _ := Dial(t.Context(), "ws://edge.test", WithDialer(s.dial))
			done <- c
		}()
		conn, first := s.welcomed(t, nil)
		c := <-done
		defer c.Close()
		conn.conn.Close()

		lost := s.accept(t) // its welcome never comes
		var second contract.Hello
		lost.expect(t, contract.TypeHello, &second)
		if len(second.Resume) != 1 || hashOf(t, second.Resume[0]) != first.Next || second.Next == first.Next {
			t.Errorf("second hello must resume with the secret of the first and propose another")
		}
		lost.conn.Close()

		conn, third := s.welcomed(t, resumed)
		if len(third.Resume) != 2 || third.Resume[0] != second.Resume[0] || hashOf(t, third.Resume[1]) != second.Next || third.Next != second.Next {
			t.Errorf("after a lost welcome the hello must offer the confirmed and the proposed secret, and propose the same")
		}
		conn.conn.Close()

		_, fourth := s.welcomed(t, nil)
		if len(fourth.Resume) != 1 || hashOf(t, fourth.Resume[0]) != third.Next || fourth.Next == third.Next {
			t.Errorf("after a welcome the hello must resume with the confirmed secret alone")
		}
		if first.Attempt != 1 || second.Attempt != 2 || third.Attempt != 3 || fourth.Attempt != 4 {
			t.Errorf("attempts %d %d %d %d, want 1 2 3 4", first.Attempt, second.Attempt, third.Attempt, fourth.Attempt)
		}
	})
}

// An edge that takes a session over asks for new ICE servers. One that isn't answered
// tells only those that need no credentials, which say nothing of the others.
func TestResume_ICEServersOfTheNextEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s)
		defer c.Close()
		stun := contract.ICEServer{URLs: []string{"stun:stun.test"}}
		turn := func(username string) contract.ICEServer {
			return contract.ICEServer{URLs: []string{"turn:turn.test"}, Username: username, Credential: "c"}
		}
		first, second := []contract.ICEServer{stun, turn("first")}, []contract.ICEServer{turn("second")}
		for _, tt := range []struct{ told, want []contract.ICEServer }{
			{first, first}, {[]contract.ICEServer{stun}, first}, {[]contract.ICEServer{}, first}, {second, second},
		} {
			conn.conn.Close()
			conn, _ = s.welcomed(t, func(_ *contract.Hello, w *contract.Welcome) { w.Resumed, w.Seq = true, 1 })
			event[Resumed](t, r)
			frame := joinedFrame(1, "ada", r.Revision(), r.Peers()...)
			frame.ICEServers = tt.told
			conn.send(t, frame)
			if slices.ContainsFunc(tt.told, hasCredential) {
				event[ICEServersChanged](t, r)
			}
			synctest.Wait()
			if got := r.ICEServers(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("told %+v: the room has %+v, want %+v", tt.told, got, tt.want)
			}
		}
	})
}

func TestResume_SendsAgainWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s)
		var sent []*Pending
		for i := range 4 { // seq 2 to 5
			p, err := r.Post(ToAll(i))
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, p)
			conn.expect(t, contract.TypeMessage, nil)
		}
		conn.ack(t, 2)
		conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Re: 4, Code: contract.CodeRateLimited, Message: "slower"})
		conn.send(t, relayed("bob", 8, `"the cursor"`))
		event[Message](t, r)
		conn.close(t, contract.CloseTryLater)
		conn.ended(t)
		late, err := r.Post(ToAll("written later"))
		if err != nil {
			t.Fatal(err)
		}
		conn, hello := s.welcomed(t, func(_ *contract.Hello, w *contract.Welcome) { w.Resumed, w.Seq = true, 3 })
		if hello.Acked != 2 || hello.Rooms["lobby"] != (contract.ResumeRoom{Peer: "ada", Cursor: "edge-1.a.8"}) {
			t.Errorf("hello acked %d, rooms %+v", hello.Acked, hello.Rooms)
		}
		// 3 is at the edge already. 4 was refused and its caller knows: only its
		// number is used up.
		var nothing contract.Leave
		conn.expect(t, contract.TypeLeave, &nothing)
		if nothing.Seq != 4 || nothing.Room == "lobby" {
			t.Errorf("in place of frame 4 came %+v, want a leave of no room of ours", nothing)
		}
		var m contract.Message
		if conn.expect(t, contract.TypeMessage, &m); m.Seq != 5 || string(m.Data) != "3" {
			t.Errorf("frame %d with %s, want 5 again", m.Seq, m.Data)
		}
		if conn.expect(t, contract.TypeMessage, &m); m.Seq != 6 || string(m.Data) != `"written later"` {
			t.Errorf("frame %d with %s, want 6", m.Seq, m.Data)
		}
		event[Resumed](t, r)
		conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Re: 4, Code: contract.CodeNotInRoom})
		conn.ack(t, 6)
		for i, want := range []error{nil, nil, contract.CodeRateLimited, nil} {
			if err := sent[i].Wait(t.Context()); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("frame %d: %v, want %v", i+2, err, want)
			}
		}
		if err := late.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if st := c.Stats(); st.Resent != 2 || st.Resumes != 1 {
			t.Errorf("stats %+v, want 2 frames sent again", st)
		}
	})
}

func TestResume_JoinThatIsAnsweredButNotSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, conn := connected(t, s)
		joined := make(chan *Room, 1)
		go func() {
			r, _ := c.Join(t.Context(), "lobby")
			joined <- r
		}()
		conn.expect(t, contract.TypeJoin, nil)
		conn.send(t, joinedFrame(1, "ada", 5))
		r := <-joined
		conn.conn.Close()
		conn, hello := s.welcomed(t, resumed)
		if hello.Rooms["lobby"].Peer != "ada" {
			t.Errorf("rooms %+v, want the lobby", hello.Rooms)
		}
		conn.expect(t, contract.TypeJoin, nil) // seq 1 isn't settled
		conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Re: 1, Code: contract.CodeAlreadyJoined})
		conn.ack(t, 1)
		event[Resumed](t, r)
		if _, err := r.Post(ToAll(1)); err != nil {
			t.Errorf("after that the room must be usable: %v", err)
		}
	})
}

func TestResume_SessionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s)
		written, _ := r.Post(ToAll("written"))
		conn.expect(t, contract.TypeMessage, nil)
		request := make(chan error, 1)
		go func() {
			_, err := r.Request(t.Context(), peerToken("bob"), "?")
			request <- err
		}()
		conn.expect(t, contract.TypeMessage, nil)
		conn.ack(t, 3)
		synctest.Wait()
		unacked, _ := r.Post(ToAll("written too"))
		conn.expect(t, contract.TypeMessage, nil)
		conn.conn.Close()
		next := s.accept(t)
		waiting, _ := r.Post(ToAll("never written"))
		var hello contract.Hello
		next.expect(t, contract.TypeHello, &hello)
		next.send(t, contract.Welcome{Type: contract.TypeWelcome, Session: "session-2", Limits: contract.DefaultLimits(), PingInterval: 20_000})

		var join contract.Join
		next.expect(t, contract.TypeJoin, &join)
		if join.Seq != 1 || join.Token != "token-lobby-rejoin" || string(join.Presence) != `"here I am"` {
			t.Errorf("join %+v, want seq 1 with a new token and the old presence", join)
		}
		if err := unacked.Wait(t.Context()); !errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("written frame: %v, want ErrUnknownOutcome", err)
		}
		if err := written.Wait(t.Context()); err != nil {
			t.Errorf("acknowledged frame: %v", err)
		}
		if err := waiting.Wait(t.Context()); !errors.Is(err, ErrNotSent) {
			t.Errorf("frame never written: %v, want ErrNotSent", err)
		}
		if err := <-request; !errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("request that waits for its reply: %v, want ErrUnknownOutcome", err)
		}
		if _, err := r.Post(ToAll(1)); !errors.Is(err, ErrRejoining) {
			t.Errorf("Post meanwhile: %v, want ErrRejoining", err)
		}
		sent := make(chan error, 1)
		go func() { sent <- r.Broadcast(t.Context(), "afterwards") }()

		next.send(t, joinedFrame(1, "ada-2", 9, peer("zoe", 8)))
		next.ack(t, 1)
		if got := event[Rejoined](t, r); got.Self.Peer != peerToken("ada-2") || r.Self() != got.Self {
			t.Errorf("rejoined as %+v", got.Self)
		}
		if got := event[PeerLeft](t, r); got.Peer.Identity != "bob" || got.Reason != "" {
			t.Errorf("left %+v, want bob without a reason", got)
		}
		if got := event[PeerJoined](t, r); got.Peer.Identity != "zoe" {
			t.Errorf("joined %+v, want zoe", got)
		}
		next.expect(t, contract.TypeMessage, nil)
		next.ack(t, 2)
		if err := <-sent; err != nil {
			t.Error(err)
		}
		if st := c.Stats(); st.Losses != 1 || st.Resumes != 0 {
			t.Errorf("stats %+v, want one loss", st)
		}
	})
}

func TestResume_RejoinIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		shown := make(chan error, 1)
		go func() { shown <- r.SetPresence(t.Context(), "newest") }()
		conn.expect(t, contract.TypePresence, nil)
		conn.ack(t, 2)
		if err := <-shown; err != nil {
			t.Fatal(err)
		}
		conn.conn.Close()
		conn, _ = s.welcomed(t, nil)
		var join contract.Join
		conn.expect(t, contract.TypeJoin, &join)
		if string(join.Presence) != `"newest"` {
			t.Errorf("presence %s, want the newest", join.Presence)
		}
		began := time.Now()
		conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Re: 1, Code: contract.CodeUnavailable, Retryable: true, RetryAfter: 5000})
		conn.ack(t, 1)
		conn.expect(t, contract.TypeJoin, nil)
		if took := time.Since(began); took < 5*time.Second {
			t.Errorf("tried again after %v, want at least retryAfter", took)
		}
		conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Re: 2, Code: contract.CodeForbidden, Message: "not any more"})
		conn.ack(t, 2)
		if _, err := r.Next(t.Context()); !errors.Is(err, contract.CodeForbidden) {
			t.Errorf("Next: %v, want forbidden", err)
		}
		if err := r.Broadcast(t.Context(), 1); !errors.Is(err, contract.CodeForbidden) {
			t.Errorf("Broadcast: %v, want forbidden", err)
		}
	})
}

func TestResume_LeavingIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		left := make(chan error, 1)
		go func() { left <- r.Leave(t.Context()) }()
		conn.expect(t, contract.TypeLeave, nil)
		conn.conn.Close()
		_, hello := s.welcomed(t, nil)
		if len(hello.Rooms) != 0 {
			t.Errorf("hello still names %+v", hello.Rooms)
		}
		if err := <-left; !errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("Leave: %v, want ErrUnknownOutcome", err)
		}
		event[Left](t, r)
	})
}

func TestResume_SeqHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		p, _ := r.Post(ToAll(1))
		conn.expect(t, contract.TypeMessage, nil)
		conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Code: contract.CodeSeqHole})
		conn, _ = s.welcomed(t, resumed)
		conn.expect(t, contract.TypeMessage, nil)
		conn.ack(t, 2)
		if err := p.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		event[Resumed](t, r)
	})
}

func TestResume_BehindWhatWasAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		conn.conn.Close()
		s.welcomed(t, func(_ *contract.Hello, w *contract.Welcome) { w.Resumed, w.Seq = true, 0 })
		conn, hello := s.welcomed(t, nil)
		if len(hello.Resume) != 0 {
			t.Error("a session that can't go on is resumed again")
		}
		conn.expect(t, contract.TypeJoin, nil)
		conn.send(t, joinedFrame(1, "ada-2", 9))
		event[Rejoined](t, r)
	})
}

func TestResume_BacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, conn := connected(t, s, WithBackoff(time.Second, 8*time.Second))
		for n, seconds := range []int{1, 2, 4, 8, 8, 8} {
			began := time.Now()
			conn.conn.Close()
			conn, _ = s.welcomed(t, nil)
			if took := time.Since(began); took > time.Duration(seconds)*time.Second {
				t.Errorf("reconnect %d took %v, want at most %d s", n, took, seconds)
			}
		}
		synctest.Wait()
		if c.failures != 6 {
			t.Errorf("%d failures counted, want 6: no connection lived long", c.failures)
		}
		time.Sleep(stableAfter)
		began := time.Now()
		conn.conn.Close()
		s.welcomed(t, nil)
		if took := time.Since(began); took > time.Second {
			t.Errorf("reconnect after a stable connection took %v, want at most 1 s", took)
		}
	})
}
