package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

func TestRoom_Roster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s) // at revision 5, with bob
		join := func(revision uint64, name string) {
			conn.send(t, contract.PeerJoined{Type: contract.TypePeerJoined, Room: "lobby", Revision: revision, Peer: peer(name, revision)})
		}
		leave := func(revision uint64, name string) {
			conn.send(t, contract.PeerLeft{Type: contract.TypePeerLeft, Room: "lobby", Revision: revision, Peer: peerToken(name), Reason: contract.ReasonKicked})
		}
		update := func(name string, version uint64, presence string, state contract.MemberState) {
			u := contract.PeerUpdate{Peer: peerToken(name), Version: version, State: state}
			if presence != "" {
				u.Presence = []byte(presence)
			}
			conn.send(t, contract.PeerUpdated{Type: contract.TypePeerUpdated, Room: "lobby", Peer: u})
		}
		join(5, "stale")
		leave(4, "bob")
		join(6, "zoe")
		if got := event[PeerJoined](t, r); got.Peer.Identity != "zoe" || got.Revision != 6 {
			t.Errorf("joined %+v", got)
		}
		update("bob", 1, `"stale"`, "")
		update("nobody", 9, `1`, "")
		update("bob", 3, `{"cam":true}`, "")
		update("bob", 2, `"older"`, "")
		update("bob", 4, "", contract.StateAway)
		update("bob", 5, "null", "")
		if got := event[PeerUpdated](t, r); string(got.Peer.Presence) != `{"cam":true}` || got.Peer.State != contract.StateHere {
			t.Errorf("updated %+v", got.Peer)
		}
		if got := event[PeerUpdated](t, r); string(got.Peer.Presence) != `{"cam":true}` || got.Peer.State != contract.StateAway || got.Peer.Version != 4 {
			t.Errorf("updated %+v, want the same presence and away", got.Peer)
		}
		if got := event[PeerUpdated](t, r); string(got.Peer.Presence) != "null" {
			t.Errorf("updated %+v, want a presence of null", got.Peer)
		}
		leave(7, "never seen")
		leave(9, "zoe") // 8 was a lock
		if got := event[PeerLeft](t, r); got.Peer.Identity != "zoe" || got.Reason != contract.ReasonKicked {
			t.Errorf("left %+v", got)
		}
		join(8, "old")
		conn.send(t, contract.Gap{Type: contract.TypeGap, Room: "lobby", From: peerToken("bob"), Reason: "too old"})
		if got := event[Gap](t, r); got.From != peerToken("bob") {
			t.Errorf("gap %+v", got)
		}
		if peers := r.Peers(); len(peers) != 1 || peers[0].Identity != "bob" || r.Revision() != 9 {
			t.Errorf("peers %+v at revision %d", peers, r.Revision())
		}
		if st := c.Stats(); st.Stale != 7 {
			t.Errorf("%d stale changes, want 7", st.Stale)
		}
	})
}

func TestRoom_WholeRosterAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s)
		conn.send(t, joinedFrame(0, "ada", 4, peer("old", 4)))   // behind
		conn.send(t, joinedFrame(0, "other", 9, peer("old", 4))) // somebody else's
		newer := peer("bob", 3)
		newer.Version, newer.Presence = 2, []byte(`1`)
		conn.send(t, joinedFrame(0, "ada", 7, newer, peer("zoe", 6)))
		if got := event[PeerUpdated](t, r); string(got.Peer.Presence) != "1" {
			t.Errorf("updated %+v", got)
		}
		if got := event[PeerJoined](t, r); got.Peer.Identity != "zoe" || got.Revision != 7 {
			t.Errorf("joined %+v", got)
		}
		conn.send(t, joinedFrame(0, "ada", 8, peer("bob", 3)))
		if got := event[PeerLeft](t, r); got.Peer.Identity != "zoe" {
			t.Errorf("left %+v", got)
		}
		if peers := r.Peers(); len(peers) != 1 || peers[0].Version != 2 {
			t.Errorf("peers %+v, want bob's newest version", peers)
		}
		if st := c.Stats(); st.Stale != 2 {
			t.Errorf("%d stale, want 2", st.Stale)
		}
	})
}

func TestRoom_MessagesOfTheBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s)
		revision := max(r.Self().Epoch, r.Revision())
		send := func(seq uint64, text string) {
			conn.send(t, contract.Relayed{Type: contract.TypeMessage, Room: "lobby", Seq: seq, Cursor: "e.1.1", ID: "q", Data: []byte(text)})
		}
		send(r.Self().Epoch, "0") // from before it was a member
		send(revision+2, "1")
		send(revision+2, "2") // again
		send(revision+1, "3") // again, since they come in order
		send(revision+3, "4")
		for _, want := range []string{"1", "4"} {
			got := event[Message](t, r)
			if !got.From.IsZero() || got.Epoch != 0 || string(got.Data) != want {
				t.Errorf("got %+v, want %s of nobody", got, want)
			}
			if err := r.Reply(t.Context(), got, "a"); !errors.Is(err, contract.CodeBadFrame) {
				t.Errorf("reply: got %v, want %s", err, contract.CodeBadFrame)
			}
		}
		if st := c.Stats(); st.Repeats != 3 || st.Bad != 0 {
			t.Errorf("stats %+v, want 3 repeats, 0 bad", st)
		}
	})
}

func TestRoom_Signals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s)
		bob := peerToken("bob")
		sdp := &contract.SessionDescription{Type: "offer", SDP: "v=0"}
		one := contract.ICECandidate{Candidate: "c"}
		base := contract.Relayed{Room: "lobby", From: bob, Epoch: 3, Cursor: "e.1.1", Negotiation: "n1", Trace: "tp"}
		send := func(kind string, seq uint64, edit func(*contract.Relayed)) {
			f := base
			f.Type, f.Seq = kind, seq
			edit(&f)
			conn.send(t, f)
		}
		send(contract.TypeOffer, 1, func(f *contract.Relayed) { f.Description = sdp })
		send(contract.TypeOffer, 2, func(*contract.Relayed) {}) // no description
		send(contract.TypeAnswer, 3, func(f *contract.Relayed) { f.Description = sdp })
		send(contract.TypeCandidate, 4, func(f *contract.Relayed) { f.Candidate = &one })
		send(contract.TypeCandidate, 5, func(f *contract.Relayed) { f.Candidates = []contract.ICECandidate{one, one} })
		send(contract.TypeCandidate, 6, func(*contract.Relayed) {}) // no candidate
		send(contract.TypeMessage, 7, func(f *contract.Relayed) { f.ID, f.Re, f.Data = "i", "r", []byte("1") })
		send(contract.TypeMessage, 7, func(*contract.Relayed) {}) // again
		send(contract.TypeMessage, 5, func(*contract.Relayed) {}) // again
		send(contract.TypeMessage, 8, func(f *contract.Relayed) { f.Room = "elsewhere" })
		send(contract.TypeOffer, 8, func(f *contract.Relayed) { f.From, f.Description = contract.Token{}, sdp }) // of nobody
		send(contract.TypeMessage, 1, func(f *contract.Relayed) { f.From = peerToken("left before") })

		want := Sender{From: bob, Epoch: 3, Seq: 1, Trace: "tp"}
		if got := event[Offer](t, r); got.Sender != want || got.Negotiation != "n1" || got.Description != *sdp {
			t.Errorf("offer %+v", got)
		}
		if got := event[Answer](t, r); got.Seq != 3 || got.Description != *sdp {
			t.Errorf("answer %+v", got)
		}
		if got := event[Candidate](t, r); got.Seq != 4 || len(got.Candidates) != 1 {
			t.Errorf("candidate %+v", got)
		}
		if got := event[Candidate](t, r); got.Seq != 5 || len(got.Candidates) != 2 {
			t.Errorf("candidates %+v", got)
		}
		if got := event[Message](t, r); got.Seq != 7 || got.ID != "i" || got.Re != "r" || string(got.Data) != "1" {
			t.Errorf("message %+v", got)
		}
		if got := event[Message](t, r); got.Seq != 1 || got.From != peerToken("left before") {
			t.Errorf("message %+v", got)
		}
		if st := c.Stats(); st.Repeats != 2 || st.Bad != 3 || st.Unmatched != 1 {
			t.Errorf("stats %+v, want 2 repeats, 3 bad, 1 unmatched", st)
		}
	})
}

func TestRoom_CursorOfPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, _, conn := inLobby(t, s)
		conn.send(t, contract.Ping{Type: contract.TypePing, Cursors: map[string]string{"lobby": "edge-1.a.77", "other": "x"}})
		conn.expect(t, contract.TypePong, nil)
		conn.conn.Close()
		if _, hello := s.welcomed(t, resumed); hello.Rooms["lobby"].Cursor != "edge-1.a.77" {
			t.Errorf("rooms %+v, want the cursor of the ping", hello.Rooms)
		}
	})
}

func TestRoom_Left(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s)
		conn.send(t, relayed("bob", 1, "1"))
		conn.send(t, contract.Left{Type: contract.TypeLeft, Room: "lobby", Revision: 6, Reason: contract.ReasonReplaced})
		var got []Event
		for e, err := range r.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e)
		}
		if len(got) != 2 || got[1] != (Left{Revision: 6, Reason: contract.ReasonReplaced}) {
			t.Errorf("events %+v, want the message and then left", got)
		}
		// The same room can be joined again, as a new Room.
		go func() { _, _ = c.Join(t.Context(), "lobby") }()
		conn.expect(t, contract.TypeJoin, nil)
	})
}

func TestRoom_EventsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, _ := inLobby(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for e, err := range r.Events(ctx) {
			if e != nil || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, %v, want the deadline", e, err)
			}
		}
		c.Close()
		for e, err := range r.Events(t.Context()) {
			if e != nil || !errors.Is(err, ErrClosed) {
				t.Errorf("%v, %v, want ErrClosed", e, err)
			}
		}
	})
}

func TestRoom_RefreshesItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, _, conn := inLobby(t, s)
		conn.send(t, contract.TokenExpiring{Type: contract.TypeTokenExpiring, Room: "lobby", Expires: 1})
		conn.send(t, contract.TokenExpiring{Type: contract.TypeTokenExpiring, Room: "lobby", Expires: 1})
		var refresh contract.Refresh
		conn.expect(t, contract.TypeRefresh, &refresh)
		if refresh.Token != "token-lobby-refresh" || refresh.Seq != 2 {
			t.Errorf("refresh %+v", refresh)
		}
		conn.ack(t, 2)
		synctest.Wait()
		if len(conn.frames) != 0 {
			t.Error("one expiry asks for two refreshes")
		}
	})
}

func TestRoom_ICEServersChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		conn.send(t, contract.ICEServersFrame{Type: contract.TypeICEServers, Room: "lobby", ICEServers: []contract.ICEServer{{URLs: []string{"turn:new"}}}})
		event[ICEServersChanged](t, r)
		if got := r.ICEServers(); len(got) != 1 || got[0].URLs[0] != "turn:new" {
			t.Errorf("servers %+v", got)
		}
	})
}

func TestRoom_Request(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		type result struct {
			m   Message
			err error
		}
		ask := func(ctx context.Context) (chan result, contract.Message) {
			done := make(chan result, 1)
			go func() {
				m, err := r.Request(ctx, peerToken("bob"), "?")
				done <- result{m, err}
			}()
			var m contract.Message
			conn.expect(t, contract.TypeMessage, &m)
			conn.ack(t, m.Seq)
			if m.ID == "" || len(m.ID) > contract.MaxNameField {
				t.Fatalf("id %q", m.ID)
			}
			return done, m
		}
		reply := func(from string, seq uint64, re string) {
			f := relayed(from, seq, `"!"`)
			f.Re = re
			conn.send(t, f)
		}
		done, m := ask(t.Context())
		reply("eve", 1, m.ID)
		reply("bob", 1, m.ID)
		if got := <-done; got.err != nil || string(got.m.Data) != `"!"` || got.m.From != peerToken("bob") {
			t.Errorf("reply %+v, %v", got.m, got.err)
		}
		if got := event[Message](t, r); got.From != peerToken("eve") {
			t.Errorf("a reply of who wasn't asked must be an ordinary message, got %+v", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		done, m = ask(ctx)
		if got := <-done; !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("%v, want the deadline", got.err)
		}
		reply("bob", 2, m.ID)
		if got := event[Message](t, r); got.Re != m.ID {
			t.Errorf("late reply %+v", got)
		}
		done, _ = ask(t.Context())
		conn.send(t, contract.PeerLeft{Type: contract.TypePeerLeft, Room: "lobby", Revision: 6, Peer: peerToken("bob"), Reason: contract.ReasonLeft})
		if got := <-done; !errors.Is(got.err, contract.CodePeerGone) {
			t.Errorf("%v, want peer_gone", got.err)
		}
		go func() { _ = r.Reply(t.Context(), Message{Sender: Sender{From: peerToken("zoe")}, ID: "their-id"}, 2) }()
		if conn.expect(t, contract.TypeMessage, &m); m.To != "zoe" || m.Re != "their-id" {
			t.Errorf("reply %+v", m)
		}
	})
}

func TestRoom_TakesLargeFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		text, _ := marshal(relayed("bob", 1, `"`+strings.Repeat("ä😀", 40_000)+`"`))
		for _, part := range splitParts(text, 48<<10, "p") {
			conn.send(t, contract.Ping{Type: contract.TypePing}) // may come between
			conn.expect(t, contract.TypePong, nil)
			conn.write(t, textFrame(part))
		}
		if got := event[Message](t, r); len(got.Data) != 240_002 {
			t.Errorf("%d bytes of data, want 240,002", len(got.Data))
		}
		for index := range 30 {
			conn.send(t, contract.Part{Type: contract.TypePart, ID: "q", Index: index, Of: 30, Chunk: strings.Repeat("x", 40<<10)})
			if (index+1)*(40<<10) > 4*(256<<10) {
				break
			}
		}
		if code := conn.ended(t); code != 1009 {
			t.Errorf("client closed with %d for endless parts, want 1009", code)
		}
	})
}
