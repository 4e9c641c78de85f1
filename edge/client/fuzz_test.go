package client

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// FuzzReceive feeds a client in a room whatever a server may say: it must
// neither panic nor wait for ever, and what it counts must add up.
func FuzzReceive(f *testing.F) {
	for _, frame := range []any{
		joinedFrame(0, "ada", 9, peer("bob", 3)), joinedFrame(0, "eve", 9),
		contract.PeerJoined{Type: "peer-joined", Room: "lobby", Revision: 6, Peer: peer("zoe", 6)},
		contract.PeerLeft{Type: "peer-left", Room: "lobby", Revision: 7, Peer: peerToken("bob"), Reason: "left"},
		contract.PeerUpdated{Type: "peer-updated", Room: "lobby", Peer: contract.PeerUpdate{Peer: peerToken("bob"), Version: 2}},
		contract.Left{Type: "left", Room: "lobby", Revision: 8, Reason: "kicked"},
		relayed("bob", 1, `{"a":1}`), contract.Acked{Type: "acked", Seq: 2}, contract.Acked{Type: "acked", Seq: 1 << 63},
		contract.Filtered{Type: "filtered", Re: 1, Rule: "loopback", Count: 1},
		contract.ErrorFrame{Type: "error", Re: 1, Code: "peer_gone"}, contract.ErrorFrame{Type: "error", Code: "seq_hole"},
		contract.Gap{Type: "gap", Room: "lobby"}, contract.Goaway{Type: "goaway", After: 1 << 62},
		contract.Ping{Type: "ping", T: []byte("1"), Cursors: map[string]string{"lobby": "c"}},
		contract.ICEServersFrame{Type: "ice-servers", Room: "lobby"}, contract.TokenExpiring{Type: "token-expiring", Room: "lobby"},
		contract.Part{Type: "part", ID: "a", Of: 1, Chunk: `{"type":"part","id":"a","index":0,"of":1,"chunk":"{}"}`},
	} {
		text, err := marshal(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"room":"lobby","type":"l\u0065ft"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := newOptions("ws://edge.test", []Option{WithToken(token), WithEventBuffer(4, 1<<20)})
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(o)
		close(c.done)
		r := &Room{c: c, name: "lobby", requests: map[string]request{}}
		c.rooms["lobby"] = r
		s := &socket{limits: contract.DefaultLimits()}
		first, _ := marshal(joinedFrame(0, "ada", 5, peer("bob", 3)))
		if err := c.receive(s, first); err != nil {
			t.Fatal(err)
		}
		p, err := r.Post(ToAll(1))
		if err != nil {
			t.Fatal(err)
		}
		c.outbox.peek(9, 1<<20)
		c.outbox.take()
		go func() {
			for {
				if _, err := r.Next(t.Context()); err != nil {
					return
				}
			}
		}()
		for range 2 {
			_ = c.receive(s, text) // an error may end the connection
		}
		if st := c.Stats(); st.Received < 1 {
			t.Errorf("stats %+v", st)
		}
		for _, other := range r.Peers() {
			if other.Peer.IsZero() {
				t.Error("a peer without an id is in the roster")
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		<-p.Done()
	})
}

// FuzzSocket reads raw bytes as a server's WebSocket frames.
func FuzzSocket(f *testing.F) {
	for _, frame := range []ws.Frame{
		ws.NewTextFrame([]byte("{}")), ws.NewPingFrame([]byte("p")), ws.NewCloseFrame(closeBody(1012, "x")),
		ws.NewFrame(ws.OpText, false, []byte("a")), ws.NewFrame(ws.OpContinuation, true, []byte("b")), ws.NewBinaryFrame(nil),
	} {
		raw, err := ws.CompileFrame(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		const limit = 256
		near, far := net.Pipe()
		far.Close()
		s := &socket{conn: near, br: bufio.NewReader(bytes.NewReader(raw))}
		defer near.Close()
		for {
			text, err := s.read(limit, time.Minute, func([]byte) {})
			if err != nil {
				return
			}
			if len(text) > limit || !utf8.Valid(text) {
				t.Fatalf("message of %d bytes, valid UTF-8: %v", len(text), utf8.Valid(text))
			}
		}
	})
}

// FuzzParts splits a frame and puts it together again.
func FuzzParts(f *testing.F) {
	f.Add(`{"type":"message","data":"ä😀\\\""}`, 40)
	f.Add("\u2028\x00\n", 1)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if !utf8.ValidString(text) {
			return
		}
		limit = 256 + int(uint(limit)%1000)
		var a assembler
		messages := splitParts([]byte(text), limit, "id")
		for i, message := range messages {
			if len(message) > limit {
				t.Fatalf("message of %d bytes, limit %d", len(message), limit)
			}
			if len(messages) == 1 {
				if string(message) != text {
					t.Fatal("a short text was changed")
				}
				return
			}
			var p contract.Part
			if err := json.Unmarshal(message, &p); err != nil {
				t.Fatal(err)
			}
			whole, err := a.add(&p, len(text))
			if err != nil {
				t.Fatal(err)
			}
			if last := i == len(messages)-1; last && string(whole) != text || !last && whole != nil {
				t.Fatalf("part %d of %d gives %q", i, len(messages), whole)
			}
		}
	})
}
