package conn

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/edge/internal/poll"
	"github.com/parley-rtc/parley/services/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon is when a peer gives up, so that a test that fails doesn't hang.
const soon = 10 * time.Second

// roomy has limits that no test meets by accident.
func roomy() Options {
	return Options{MessageBytes: 1 << 20, OutboundFrames: 1000, OutboundBytes: 4 << 20, SlowAfter: 1}
}

// overTCP returns a Conn and its peer's end of a real connection, which an edge
// would have: with a poller.
func overTCP(t *testing.T, o Options) (*Conn, *peer) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	there, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := there.SetDeadline(time.Now().Add(soon)); err != nil {
		t.Fatal(err)
	}
	poller, err := poll.Start(poll.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(poller.Close)
	return started(t, poller.Adopt(here), there, o)
}

// overPipe returns both ends of a connection without any buffer.
func overPipe(t *testing.T, o Options) (*Conn, *peer) {
	t.Helper()
	here, there := net.Pipe()
	return started(t, here, there, o)
}

func started(t *testing.T, here, there net.Conn, o Options) (*Conn, *peer) {
	t.Helper()
	c, p := New(here, o), &peer{t: t, nc: there, r: bufio.NewReader(there)}
	t.Cleanup(func() {
		there.Close()
		c.Close(contract.CloseNormal, "")
		c.Wait()
	})
	return c, p
}

// peer is the client's end, frame by frame.
type peer struct {
	t  *testing.T
	nc net.Conn
	r  *bufio.Reader
}

// frame is what the peer got.
type frame struct {
	op      ws.OpCode
	payload string
}

func (f frame) String() string {
	if len(f.payload) > 80 {
		return fmt.Sprintf("op %x, %d bytes", byte(f.op), len(f.payload))
	}
	return fmt.Sprintf("op %x %q", byte(f.op), f.payload)
}

func text(s string) frame { return frame{ws.OpText, s} }

func closeFrame(code contract.CloseCode, reason string) frame {
	return frame{ws.OpClose, string(closePayload(code, reason))}
}

// masked is a frame as a client sends it.
func masked(fin bool, op ws.OpCode, payload string) []byte {
	return raw(ws.Header{Fin: fin, OpCode: op, Masked: true, Mask: [4]byte{7, 200, 31, 99}}, payload)
}

// raw is a frame with any header.
func raw(h ws.Header, payload string) []byte {
	h.Length = int64(len(payload))
	b := &sink{}
	if err := ws.WriteHeader(b, h); err != nil {
		panic(err)
	}
	body := []byte(payload)
	if h.Masked {
		ws.Cipher(body, h.Mask, 0)
	}
	return append(b.b, body...)
}

type sink struct{ b []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.nc.Write(b); err != nil {
		p.t.Errorf("peer writes: %v", err) // also from other goroutines than the test's
	}
}

// read returns the next frame, or the error that ends the stream.
func (p *peer) read() (frame, error) {
	h, err := ws.ReadHeader(p.r)
	if err != nil {
		return frame{}, err
	}
	if h.Masked || !h.Fin || h.Rsv != 0 {
		return frame{}, fmt.Errorf("a server must not send a frame like %+v", h)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(p.r, payload); err != nil {
		return frame{}, err
	}
	return frame{h.OpCode, string(payload)}, nil
}

// wants reads frames and compares them.
func (p *peer) wants(want ...frame) {
	p.t.Helper()
	for i, w := range want {
		got, err := p.read()
		if err != nil {
			p.t.Fatalf("frame %d: %v, want %v", i, err, w)
		}
		if got != w {
			p.t.Fatalf("frame %d is %v, want %v", i, got, w)
		}
	}
}

// wantsEnd reads the end of the stream.
func (p *peer) wantsEnd() {
	p.t.Helper()
	if got, err := p.read(); !errors.Is(err, io.EOF) {
		p.t.Fatalf("got %v, %v, want the end of the stream", got, err)
	}
}

// reads compares the next texts of c.
func reads(t *testing.T, c *Conn, want ...string) {
	t.Helper()
	for i, w := range want {
		got, err := c.Read()
		if err != nil {
			t.Fatalf("text %d: %v", i, err)
		}
		if string(got) != w {
			t.Fatalf("text %d is %.80q, want %.80q", i, got, w)
		}
	}
}

// ends reads until the connection ended, and tells how.
func ends(t *testing.T, c *Conn) *CloseError {
	t.Helper()
	for {
		_, err := c.Read()
		var end *CloseError
		if errors.As(err, &end) {
			return end
		}
		if err != nil {
			t.Fatalf("Read returned %T, want a *CloseError", err)
		}
	}
}

// sent fails the test if a send was refused.
func sent(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("send: %v", err) // also from other goroutines than the test's
	}
}

// gate is a connection whose writes wait until it is opened, and are counted.
type gate struct {
	net.Conn
	once   sync.Once
	pass   chan struct{}
	waits  chan struct{} // a write has begun
	writes int
}

func newGate(nc net.Conn) *gate {
	return &gate{Conn: nc, pass: make(chan struct{}), waits: make(chan struct{}, 1000)}
}

func (g *gate) open() { g.once.Do(func() { close(g.pass) }) }

func (g *gate) Write(p []byte) (int, error) {
	g.writes++
	g.waits <- struct{}{}
	<-g.pass
	return g.Conn.Write(p)
}

// gated returns a Conn whose first write has begun and waits.
func gated(t *testing.T, o Options) (*Conn, *peer, *gate) {
	t.Helper()
	here, there := net.Pipe()
	g := newGate(here)
	c, p := started(t, g, there, o)
	t.Cleanup(g.open) // so that a test that fails ends, too
	sent(t, c.Send([]byte("first")))
	<-g.waits
	return c, p, g
}
