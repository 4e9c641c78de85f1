package trace

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/stack"
)

// What no label may repeat.
const (
	evilType  = "type-made-up-by-a-client"
	evilClose = 3777
)

// socket is a client without manners.
type socket struct {
	nc net.Conn
	br *bufio.Reader
}

// misbehave does on edge-2 what clients do that are broken or mean harm.
func misbehave(t *testing.T, s *stack.Stack) {
	t.Helper()
	mean := open(t, s.Edges[1])
	for _, text := range []string{
		`{"type":"` + evilType + `","seq":1}`,
		`{"type":"join","seq":2,"room":"r","token":"no.token.atall"}`,
		`{"type":"message","seq":3,"room":"` + evilType + `","data":1}`,
		`{"type":"ping"}`,
	} {
		mean.say(t, ws.OpText, []byte(text))
	}
	mean.say(t, ws.OpClose, binary.BigEndian.AppendUint16(nil, evilClose))
	if got := mean.end(t); got != evilClose {
		t.Fatalf("closing with %d was answered by %d", evilClose, got)
	}
	broken := open(t, s.Edges[1])
	for range 3 {
		broken.say(t, ws.OpText, []byte("no JSON"))
	}
	if got := broken.end(t); got != contract.CloseUnsupported {
		t.Fatalf("three texts that are no JSON: closed with %d, want %d", got, contract.CloseUnsupported)
	}
}

// open connects and says hello.
func open(t *testing.T, url string) *socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
	defer cancel()
	nc, br, _, err := ws.Dialer{Protocols: []string{contract.Subprotocol}}.Dial(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() }) // the edge may have closed it
	if br == nil {
		br = bufio.NewReader(nc)
	}
	if err := nc.SetDeadline(time.Now().Add(stepTimeout)); err != nil {
		t.Fatal(err)
	}
	var hash [32]byte
	rand.Read(hash[:])
	s := &socket{nc, br}
	s.say(t, ws.OpText, fmt.Appendf(nil, `{"type":"hello","next":%q,"attempt":1}`, base64.RawURLEncoding.EncodeToString(hash[:])))
	return s
}

func (s *socket) say(t *testing.T, op ws.OpCode, payload []byte) {
	t.Helper()
	if err := ws.WriteFrame(s.nc, ws.MaskFrameInPlace(ws.NewFrame(op, true, payload))); err != nil {
		t.Fatal(err)
	}
}

// end reads until the edge closes and returns its code.
func (s *socket) end(t *testing.T) contract.CloseCode {
	t.Helper()
	for {
		header, err := ws.ReadHeader(s.br)
		if err != nil {
			t.Fatalf("the socket ended without a close frame: %v", err)
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(s.br, payload); err != nil {
			t.Fatal(err)
		}
		if header.OpCode == ws.OpClose {
			return contract.CloseCode(binary.BigEndian.Uint16(payload))
		}
	}
}
