package client

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/services/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a script waits for what must come; in a synctest bubble
// it costs nothing.
const patience = 5 * time.Minute

// server plays an edge by a script. Its pipes have no buffer: what the client
// writes waits until the script's reader takes it.
type server struct {
	conns chan *serverConn
	wg    sync.WaitGroup

	mu     sync.Mutex
	asked  []string // addresses
	refuse []byte   // raw HTTP answer instead of a WebSocket
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{conns: make(chan *serverConn, 64)}
	t.Cleanup(s.wg.Wait)
	return s
}

func (s *server) dial(_ context.Context, _, address string) (net.Conn, error) {
	near, far := net.Pipe()
	s.mu.Lock()
	s.asked = append(s.asked, address)
	refuse := s.refuse
	s.mu.Unlock()
	s.wg.Go(func() {
		if refuse != nil {
			defer far.Close()
			if _, err := ws.Upgrade(discardWrites{far}); err == nil {
				_, _ = far.Write(refuse)
			}
			return
		}
		upgrader := ws.Upgrader{Protocol: func(p []byte) bool { return string(p) == contract.Subprotocol }}
		if _, err := upgrader.Upgrade(far); err != nil {
			far.Close()
			return
		}
		c := &serverConn{conn: far, frames: make(chan []byte, 4096), closed: make(chan int, 1)}
		s.conns <- c
		c.readAll()
	})
	return near, nil
}

// discardWrites reads a handshake without answering it.
type discardWrites struct{ net.Conn }

func (discardWrites) Write(p []byte) (int, error) { return len(p), nil }

func (s *server) accept(t *testing.T) *serverConn {
	t.Helper()
	select {
	case c := <-s.conns:
		return c
	case <-time.After(patience):
		t.Fatal("the client did not connect")
		return nil
	}
}

// welcomed accepts a connection and welcomes it.
func (s *server) welcomed(t *testing.T, edit func(*contract.Hello, *contract.Welcome)) (*serverConn, contract.Hello) {
	t.Helper()
	c := s.accept(t)
	var hello contract.Hello
	c.expect(t, contract.TypeHello, &hello)
	w := contract.Welcome{
		Type: contract.TypeWelcome, Session: "session-1", PingInterval: 20_000, ResumeWindow: 60_000,
		Limits: contract.DefaultLimits(), Features: []string{}, Edge: "edge-1",
	}
	if edit != nil {
		edit(&hello, &w)
	}
	c.send(t, w)
	return c, hello
}

func resumed(h *contract.Hello, w *contract.Welcome) { w.Resumed, w.Seq = true, h.Acked }

// serverConn is the edge's end of one connection.
type serverConn struct {
	conn    net.Conn
	frames  chan []byte // texts; closed with the connection
	closed  chan int    // the client's close code
	writeMu sync.Mutex
}

func (c *serverConn) readAll() {
	defer close(c.frames)
	for {
		h, err := ws.ReadHeader(c.conn)
		if err != nil {
			return
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(c.conn, payload); err != nil {
			return
		}
		ws.Cipher(payload, h.Mask, 0)
		switch h.OpCode {
		case ws.OpText:
			c.frames <- payload
		case ws.OpPong:
			c.frames <- append([]byte("pong "), payload...)
		case ws.OpClose:
			code := 1005
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
			c.closed <- code
			c.conn.Close()
			return
		default:
			c.frames <- fmt.Appendf(nil, "unexpected opcode %x", h.OpCode)
		}
	}
}

// next is the client's next text, nil after the connection's end.
func (c *serverConn) next(t *testing.T) []byte {
	t.Helper()
	select {
	case text := <-c.frames:
		return text
	case <-time.After(patience):
		t.Fatal("the client sent nothing")
		return nil
	}
}

// expect reads the client's next frame into v, if v isn't nil.
func (c *serverConn) expect(t *testing.T, kind string, v any) {
	t.Helper()
	text := c.next(t)
	if got := frameType(text); got != kind {
		t.Fatalf("client sent %.200q, want a %s", text, kind)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the end of the connection and returns the client's close
// code, 0 without one.
func (c *serverConn) ended(t *testing.T) int {
	t.Helper()
	for text := c.next(t); text != nil; text = c.next(t) {
		t.Logf("left unread: %.100q", text)
	}
	select {
	case code := <-c.closed:
		return code
	default:
		return 0
	}
}

func (c *serverConn) send(t *testing.T, frame any) {
	t.Helper()
	text, err := marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, ws.NewTextFrame(text))
}

func (c *serverConn) write(t *testing.T, f ws.Frame) {
	t.Helper()
	raw, err := ws.CompileFrame(f)
	if err != nil {
		t.Fatal(err)
	}
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if _, err := c.conn.Write(raw); err != nil {
		t.Fatalf("the client doesn't read: %v", err)
	}
}

func (c *serverConn) close(t *testing.T, code contract.CloseCode) {
	t.Helper()
	c.write(t, ws.NewCloseFrame(closeBody(code, "scripted")))
}

func (c *serverConn) ack(t *testing.T, seq uint64) {
	t.Helper()
	c.send(t, contract.Acked{Type: contract.TypeAcked, Seq: seq})
}

// token returns the same token for every room, with the reason in it.
func token(_ context.Context, room string, reason TokenReason) (string, error) {
	return fmt.Sprintf("token-%s-%s", room, reason), nil
}

func peerToken(name string) contract.Token { return contract.ID(name).Token() }

func peer(name string, epoch uint64) contract.Peer {
	return contract.Peer{Peer: peerToken(name), Identity: name, Epoch: epoch, Version: 1, State: contract.StateHere}
}

// connected makes a client of the server; both end with the test.
func connected(t *testing.T, s *server, opts ...Option) (*Client, *serverConn) {
	t.Helper()
	opts = append([]Option{WithDialer(s.dial), WithToken(token)}, opts...)
	type result struct {
		c   *Client
		err error
	}
	done := make(chan result, 1)
	go func() {
		c, err := Dial(t.Context(), "ws://edge.test", opts...)
		done <- result{c, err}
	}()
	conn, _ := s.welcomed(t, nil)
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { r.c.Close() })
	return r.c, conn
}

// joinedFrame is the room "lobby" with its peers, answered to a join.
func joinedFrame(re uint64, self string, revision uint64, peers ...contract.Peer) contract.Joined {
	if peers == nil {
		peers = []contract.Peer{}
	}
	return contract.Joined{
		Type: contract.TypeJoined, Re: re, Room: "lobby", Revision: revision, Peers: peers,
		Self:       contract.Self{Peer: peerToken(self), Identity: self, Epoch: revision},
		ICEServers: []contract.ICEServer{{URLs: []string{"stun:stun.test"}}}, ICEPolicy: contract.PolicyAll, Cursor: "edge-1.a.1",
	}
}

// inLobby makes a client that is "ada" in the room "lobby" with "bob". Its join
// was frame 1.
func inLobby(t *testing.T, s *server, opts ...Option) (*Client, *Room, *serverConn) {
	t.Helper()
	c, conn := connected(t, s, opts...)
	joined := make(chan *Room, 1)
	go func() {
		r, err := c.Join(t.Context(), "lobby", WithPresence("here I am"))
		if err != nil {
			t.Error(err)
		}
		joined <- r
	}()
	var join contract.Join
	conn.expect(t, contract.TypeJoin, &join)
	conn.send(t, joinedFrame(join.Seq, "ada", 5, peer("bob", 3)))
	conn.ack(t, join.Seq)
	r := <-joined
	if r == nil {
		t.FailNow()
	}
	return c, r, conn
}

// event takes the room's next event, which must be an E.
func event[E Event](t *testing.T, r *Room) E {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	e, err := r.Next(ctx)
	if err != nil {
		t.Fatalf("next event: %v", err)
	}
	got, ok := e.(E)
	if !ok {
		t.Fatalf("event %T %+v, want a %T", e, e, got)
	}
	return got
}

// relayed is a message of a peer.
func relayed(from string, seq uint64, data string) contract.Relayed {
	return contract.Relayed{
		Type: contract.TypeMessage, Room: "lobby", From: peerToken(from), Epoch: 3, Seq: seq,
		Cursor: fmt.Sprintf("edge-1.a.%d", seq), Data: json.RawMessage(data),
	}
}
