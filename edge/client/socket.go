package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

const (
	writeTimeout  = 10 * time.Second // one write of a batch
	farewellTime  = time.Second      // a last close frame, and the wait for the server's
	maxErrorBody  = 512              // bytes of an HTTP refusal that an error repeats
	maxCloseBytes = 123              // of a close reason (RFC 6455 section 5.5)

	codeNoStatus contract.CloseCode = 1005 // a close without a code
	codeProtocol contract.CloseCode = 1002
)

// closeError says that the server closed the WebSocket.
type closeError struct {
	code   contract.CloseCode
	reason string
}

func (e *closeError) Error() string { return fmt.Sprintf("server closed with %d %s", e.code, e.reason) }

// faultError says that the server broke the WebSocket protocol or a bound.
type faultError struct {
	code contract.CloseCode // to close with
	what string
}

func (e *faultError) Error() string { return e.what }

// socket is one WebSocket connection (RFC 6455). One goroutine reads and one
// writes; what the reader has to answer goes through control.
type socket struct {
	// Static.
	conn net.Conn
	br   *bufio.Reader

	// Owned by the reader.
	buf   []byte
	parts assembler
	move  *move // nil: the edge didn't ask for it

	// Owned by the writer.
	out  bytes.Buffer
	pace pace

	// Static after the welcome.
	limits contract.Limits
	began  time.Time
	idle   time.Duration // without a frame for so long it is dead

	// Guarded by the client's mutex.
	control []control

	left  chan struct{} // closed when the client has another place to go to
	once  sync.Once
	cause error
	ended chan struct{}
}

// control is a frame that the reader asks the writer for.
type control struct {
	op      ws.OpCode
	payload []byte
}

// maxControl is how many answers may wait for the writer. Over it the oldest
// goes: a pong to the newest ping is enough (RFC 6455 section 5.5.3).
const maxControl = 16

// dialSocket opens the WebSocket. ctx bounds the handshake only.
func dialSocket(ctx context.Context, o *options, url string) (*socket, error) {
	var refused *HandshakeError
	header := http.Header{}
	if o.origin != "" {
		header.Set("Origin", o.origin)
	}
	dialer := ws.Dialer{
		Protocols: []string{contract.Subprotocol},
		Header:    ws.HandshakeHeaderHTTP(header),
		NetDial:   o.dial,
		TLSConfig: o.tls,
		OnStatusError: func(status int, _ []byte, resp io.Reader) {
			refused = &HandshakeError{Status: status, Body: errorBody(resp)}
		},
	}
	conn, br, hs, err := dialer.Dial(ctx, url)
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, fmt.Errorf("open the WebSocket: %w", err)
	case hs.Protocol != contract.Subprotocol:
		conn.Close()
		return nil, fmt.Errorf("server doesn't speak %s", contract.Subprotocol)
	}
	if br == nil {
		br = bufio.NewReader(conn)
	}
	return &socket{conn: conn, br: br, limits: contract.DefaultLimits(), left: make(chan struct{}), ended: make(chan struct{})}, nil
}

// errorBody is the beginning of an HTTP answer's text, in one line.
func errorBody(resp io.Reader) string {
	answer, err := http.ReadResponse(bufio.NewReader(resp), nil)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, maxErrorBody)) // what came is enough
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "")), " ")
}

// end closes the socket; the first cause counts.
func (s *socket) end(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.ended)
		s.conn.Close()
	})
}

// leave makes the reader give the socket up, which stays open.
func (s *socket) leave() {
	close(s.left)
	_ = s.conn.SetReadDeadline(time.Now()) // it fails only on a socket that has ended
}

// read returns the next text message, at most limit bytes, valid until the next
// call. Pings and pongs are handled by onPing on the way. The error is a
// *closeError, a *faultError or the connection's.
func (s *socket) read(limit int, idle time.Duration, onPing func(payload []byte)) ([]byte, error) {
	s.buf = s.buf[:0]
	state := ws.StateClientSide
	for {
		if err := s.conn.SetReadDeadline(time.Now().Add(idle)); err != nil {
			return nil, err
		}
		select {
		case <-s.left: // after the deadline was set, or leave's could get lost
			return nil, errGoaway
		default:
		}
		h, err := ws.ReadHeader(s.br)
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		if err := ws.CheckHeader(h, state); err != nil {
			return nil, &faultError{codeProtocol, err.Error()}
		}
		switch {
		case h.OpCode.IsControl():
			if err := s.readControl(h, onPing); err != nil {
				return nil, err
			}
			continue
		case h.OpCode == ws.OpBinary:
			return nil, &faultError{contract.CloseUnsupported, "binary message"}
		case h.Length < 0 || h.Length > int64(limit-len(s.buf)):
			return nil, &faultError{contract.CloseTooBig, fmt.Sprintf("message over %d bytes", limit)}
		}
		have := len(s.buf)
		s.buf = append(s.buf, make([]byte, h.Length)...)
		if _, err := io.ReadFull(s.br, s.buf[have:]); err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		if !h.Fin {
			state = state.Set(ws.StateFragmented)
			continue
		}
		if !utf8.Valid(s.buf) {
			return nil, &faultError{contract.CloseInvalidUTF8, "message isn't UTF-8"}
		}
		return s.buf, nil
	}
}

// readControl reads a control frame. The close codes are not checked against
// the list of the WebSocket library, which doesn't know 1012, 1013 and 1014.
func (s *socket) readControl(h ws.Header, onPing func([]byte)) error {
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(s.br, payload); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	switch h.OpCode {
	case ws.OpPing:
		onPing(payload)
	case ws.OpClose:
		switch len(payload) {
		case 0:
			return &closeError{code: codeNoStatus}
		case 1:
			return &faultError{codeProtocol, "close frame of one byte"}
		}
		reason := strings.ToValidUTF8(string(payload[2:]), "?")
		return &closeError{contract.CloseCode(binary.BigEndian.Uint16(payload)), reason}
	default: // a pong; it shows life, and that is all
	}
	return nil
}

// queue adds a frame to the writer's next batch; the client's mutex is held.
func (s *socket) queue(op ws.OpCode, payload []byte) {
	if len(s.control) == maxControl {
		s.control = append(s.control[:0], s.control[1:]...)
	}
	s.control = append(s.control, control{op, payload})
}

// add puts a frame into the batch that flush will write.
func (s *socket) add(op ws.OpCode, payload []byte) {
	h := ws.Header{Fin: true, OpCode: op, Masked: true, Length: int64(len(payload))}
	binary.LittleEndian.PutUint32(h.Mask[:], rand.Uint32())
	_ = ws.WriteHeader(&s.out, h) // a buffer takes everything
	start := s.out.Len()
	s.out.Write(payload)
	ws.Cipher(s.out.Bytes()[start:], h.Mask, 0)
}

// flush writes the batch at once.
func (s *socket) flush(timeout time.Duration) error {
	defer s.out.Reset()
	if err := s.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := s.conn.Write(s.out.Bytes()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// farewell writes a close frame that fits why reading ended, if the server is
// still there to read it. No other goroutine may write any more.
func (s *socket) farewell(why error) {
	var closed *closeError
	var fault *faultError
	switch {
	case errors.As(why, &closed):
		if closed.code == codeNoStatus {
			s.add(ws.OpClose, nil)
		} else {
			s.add(ws.OpClose, closeBody(closed.code, ""))
		}
	case errors.As(why, &fault):
		s.add(ws.OpClose, closeBody(fault.code, fault.what))
	default:
		return
	}
	_ = s.flush(farewellTime) // the socket is given up anyway
}

func closeBody(code contract.CloseCode, reason string) []byte {
	if len(reason) > maxCloseBytes {
		reason = strings.ToValidUTF8(reason[:maxCloseBytes], "")
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}
