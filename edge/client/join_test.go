package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

func TestClient_Join(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, conn := connected(t, s)
		done := make(chan *Room, 1)
		go func() {
			r, err := c.Join(t.Context(), "lobby", WithPresence(map[string]bool{"cam": true}),
				WithCapabilities(contract.Capabilities{Rollback: true}))
			if err != nil {
				t.Error(err)
			}
			done <- r
		}()
		var join contract.Join
		conn.expect(t, contract.TypeJoin, &join)
		if join.Seq != 1 || join.Room != "lobby" || join.Token != "token-lobby-join" ||
			string(join.Presence) != `{"cam":true}` || !join.Capabilities.Rollback {
			t.Errorf("join = %+v", join)
		}
		conn.ack(t, 1) // settled alone is not joined
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("Join returned before joined came")
		default:
		}
		conn.send(t, joinedFrame(1, "ada", 7, peer("zoe", 6), peer("bob", 3)))
		r := <-done
		if r.Name() != "lobby" || r.Self().Peer != peerToken("ada") || r.Revision() != 7 || r.ICEPolicy() != contract.PolicyAll {
			t.Errorf("room %q, self %+v, revision %d", r.Name(), r.Self(), r.Revision())
		}
		if peers := r.Peers(); len(peers) != 2 || peers[0].Identity != "bob" || peers[1].Identity != "zoe" {
			t.Errorf("peers %+v, want bob and zoe by epoch", peers)
		}
		if servers := r.ICEServers(); len(servers) != 1 || servers[0].URLs[0] != "stun:stun.test" {
			t.Errorf("ICE servers %+v", servers)
		}
		if _, err := c.Join(t.Context(), "lobby"); !errors.Is(err, contract.CodeAlreadyJoined) {
			t.Errorf("second join: %v, want already_joined", err)
		}
	})
}

func TestClient_JoinFails(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			c, conn := connected(t, s)
			for seq := uint64(1); seq <= 2; seq++ { // a refused join can be tried again
				failed := make(chan error, 1)
				go func() {
					_, err := c.Join(t.Context(), "lobby")
					failed <- err
				}()
				conn.expect(t, contract.TypeJoin, nil)
				conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Re: seq, Code: contract.CodeTokenExpired, Message: "get a new one", RetryAfter: 7})
				conn.ack(t, seq)
				err := <-failed
				var refusal *contract.Error
				if !errors.As(err, &refusal) || refusal.Code != contract.CodeTokenExpired || refusal.RetryAfter != 7 {
					t.Errorf("Join: %v, want the refusal", err)
				}
			}
		})
	})
	t.Run("no token", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			broken := errors.New("no network")
			c, _ := connected(t, s, WithToken(func(context.Context, string, TokenReason) (string, error) { return "", broken }))
			if _, err := c.Join(t.Context(), "lobby"); !errors.Is(err, broken) {
				t.Errorf("Join: %v, want the error of the token function", err)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if len(c.rooms) != 0 {
				t.Error("the room is still kept")
			}
		})
	})
	t.Run("presence", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _ := connected(t, newServer(t))
			if _, err := c.Join(t.Context(), "lobby", WithPresence(func() {})); !errors.Is(err, contract.CodeBadFrame) {
				t.Errorf("Join: %v, want bad_frame", err)
			}
		})
	})
}

func TestClient_JoinGivenUp(t *testing.T) {
	t.Run("is left when it succeeds later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			c, conn := connected(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error, 1)
			go func() {
				_, err := c.Join(ctx, "lobby")
				failed <- err
			}()
			conn.expect(t, contract.TypeJoin, nil)
			cancel()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("Join: %v, want canceled", err)
			}
			conn.send(t, joinedFrame(1, "ada", 5))
			conn.ack(t, 1)
			var leave contract.Leave
			conn.expect(t, contract.TypeLeave, &leave)
			if leave.Seq != 2 || leave.Room != "lobby" {
				t.Errorf("leave = %+v", leave)
			}
			conn.send(t, contract.Left{Type: contract.TypeLeft, Room: "lobby", Revision: 6, Reason: contract.ReasonLeft})
			conn.ack(t, 2)
			synctest.Wait()
			c.mu.Lock()
			defer c.mu.Unlock()
			if len(c.rooms) != 0 {
				t.Error("the room is still kept")
			}
		})
	})
	t.Run("is over with its session", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			c, conn := connected(t, s)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := c.Join(ctx, "lobby"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Join: %v, want the deadline", err)
			}
			if _, err := c.Join(t.Context(), "lobby"); !errors.Is(err, contract.CodeAlreadyJoined) {
				t.Errorf("Join while the first may still succeed: %v, want already_joined", err)
			}
			conn.conn.Close()
			conn, _ = s.welcomed(t, nil)
			synctest.Wait()
			go func() { _, _ = c.Join(t.Context(), "lobby") }()
			conn.expect(t, contract.TypeJoin, nil)
		})
	})
	t.Run("is withdrawn before it is written", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			c, conn := connected(t, s)
			conn.conn.Close()
			s.accept(t) // not welcomed yet
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := c.Join(ctx, "lobby"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Join: %v, want the deadline", err)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if len(c.rooms) != 0 || len(c.outbox.frames) != 0 || c.outbox.bytes != 0 {
				t.Errorf("%d rooms, %d frames, %d bytes are still kept", len(c.rooms), len(c.outbox.frames), c.outbox.bytes)
			}
		})
	})
}

func TestClient_JoinAcrossConnections(t *testing.T) {
	begin := func(t *testing.T) (*server, *Client, *serverConn, chan *Room) {
		t.Helper()
		s := newServer(t)
		c, conn := connected(t, s)
		done := make(chan *Room, 1)
		go func() {
			r, err := c.Join(t.Context(), "lobby")
			if err != nil {
				t.Error(err)
			}
			done <- r
		}()
		conn.expect(t, contract.TypeJoin, nil)
		return s, c, conn, done
	}
	t.Run("not settled, resumed: the same frame again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, _, conn, done := begin(t)
			conn.conn.Close()
			conn, _ = s.welcomed(t, resumed)
			var join contract.Join
			conn.expect(t, contract.TypeJoin, &join)
			if join.Seq != 1 {
				t.Errorf("seq %d, want 1 again", join.Seq)
			}
			conn.send(t, joinedFrame(1, "ada", 5))
			conn.ack(t, 1)
			<-done
		})
	})
	t.Run("not settled, session lost: a new frame", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, _, conn, done := begin(t)
			conn.conn.Close()
			conn, _ = s.welcomed(t, nil)
			var join contract.Join
			conn.expect(t, contract.TypeJoin, &join)
			if join.Seq != 1 || join.Token != "token-lobby-join" {
				t.Errorf("join %+v, want seq 1 of the new session", join)
			}
			conn.send(t, joinedFrame(1, "ada", 5))
			<-done
		})
	})
	t.Run("settled, joined lost: asked again, the room follows by itself", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, _, conn, done := begin(t)
			conn.ack(t, 1)
			synctest.Wait()
			conn.conn.Close()
			conn, hello := s.welcomed(t, resumed)
			if hello.Acked != 1 {
				t.Errorf("acked %d, want 1", hello.Acked)
			}
			var join contract.Join
			conn.expect(t, contract.TypeJoin, &join)
			if join.Seq != 2 {
				t.Errorf("seq %d, want 2", join.Seq)
			}
			conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Re: 2, Code: contract.CodeAlreadyJoined})
			conn.ack(t, 2)
			conn.send(t, joinedFrame(1, "ada", 5))
			if r := <-done; r.Self().Peer != peerToken("ada") {
				t.Errorf("self %+v", r.Self())
			}
		})
	})
}
