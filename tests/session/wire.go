package session

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// frame is one text from the edge.
type frame struct {
	typ     string
	value   any
	inParts bool
}

// wire is a WebSocket connection that keeps every frame that comes.
type wire struct {
	nc net.Conn
	br *bufio.Reader

	writing sync.Mutex

	mu     sync.Mutex
	news   chan struct{} // closed and made anew with each frame and with the end
	frames []frame
	parts  map[string][]string
	ended  bool
	code   contract.CloseCode
	done   chan struct{}
}

func dial(ctx context.Context, url string) (*wire, error) {
	dialer := ws.Dialer{Protocols: []string{contract.Subprotocol}}
	nc, br, _, err := dialer.Dial(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if br == nil {
		br = bufio.NewReader(nc)
	}
	w := &wire{nc: nc, br: br, news: make(chan struct{}), parts: map[string][]string{}, done: make(chan struct{})}
	go w.read()
	return w, nil
}

// close ends the connection without a word and waits for its reader.
func (w *wire) close() {
	_ = w.nc.Close() // it may be closed already
	<-w.done
}

func (w *wire) send(op ws.OpCode, payload []byte) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	return ws.WriteFrame(w.nc, ws.MaskFrameInPlace(ws.NewFrame(op, true, append([]byte(nil), payload...))))
}

// read keeps what comes until the connection ends.
func (w *wire) read() {
	defer close(w.done)
	for {
		header, err := ws.ReadHeader(w.br)
		if err != nil {
			w.end(1006)
			return
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(w.br, payload); err != nil {
			w.end(1006)
			return
		}
		switch header.OpCode {
		case ws.OpText:
			w.text(payload, false)
		case ws.OpPing:
			_ = w.send(ws.OpPong, payload) // the reader sees a broken connection
		case ws.OpClose:
			code := contract.CloseCode(1005)
			if len(payload) >= 2 {
				code = contract.CloseCode(binary.BigEndian.Uint16(payload))
			}
			_ = w.send(ws.OpClose, payload) // the other side may be gone
			w.end(code)
			_ = w.nc.Close() // the edge may have closed it
			return
		}
	}
}

func (w *wire) end(code contract.CloseCode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended, w.code = true, code
	close(w.news)
	w.news = make(chan struct{})
}

// text keeps one frame: pings are answered, parts put together.
func (w *wire) text(text []byte, inParts bool) {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		value = "no JSON: " + string(text)
	}
	object, _ := value.(map[string]any)
	typ, _ := object["type"].(string)
	switch typ {
	case contract.TypePing:
		pong, err := json.Marshal(map[string]any{"type": contract.TypePong, "t": object["t"]})
		if err == nil {
			_ = w.send(ws.OpText, pong) // the reader sees a broken connection
		}
		return
	case contract.TypePart:
		if whole := w.part(text); whole != nil {
			w.text(whole, true)
		}
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frames = append(w.frames, frame{typ, value, inParts})
	close(w.news)
	w.news = make(chan struct{})
}

func (w *wire) part(text []byte) []byte {
	var p contract.Part
	if err := json.Unmarshal(text, &p); err != nil {
		return nil
	}
	w.parts[p.ID] = append(w.parts[p.ID], p.Chunk)
	if len(w.parts[p.ID]) < p.Of {
		return nil
	}
	whole := strings.Join(w.parts[p.ID], "")
	delete(w.parts, p.ID)
	return []byte(whole)
}

// expectTimeout is how long a step waits for its frame.
const expectTimeout = 10 * time.Second

// errNoFrame is a frame that didn't come in time.
var errNoFrame = errors.New("it didn't come")

// take waits for the oldest frame that pick accepts, and takes it.
func (w *wire) take(ctx context.Context, pick func(frame) bool) (frame, error) {
	ctx, cancel := context.WithTimeout(ctx, expectTimeout)
	defer cancel()
	for {
		w.mu.Lock()
		for i, f := range w.frames {
			if pick(f) {
				w.frames = append(w.frames[:i], w.frames[i+1:]...)
				w.mu.Unlock()
				return f, nil
			}
		}
		news, ended, code := w.news, w.ended, w.code
		w.mu.Unlock()
		if ended {
			return frame{}, fmt.Errorf("%w: the connection was closed with %d", errNoFrame, code)
		}
		select {
		case <-news:
		case <-ctx.Done():
			return frame{}, errNoFrame
		}
	}
}

// closeCode waits for the end of the connection.
func (w *wire) closeCode(ctx context.Context) (contract.CloseCode, error) {
	ctx, cancel := context.WithTimeout(ctx, expectTimeout)
	defer cancel()
	for {
		w.mu.Lock()
		news, ended, code := w.news, w.ended, w.code
		w.mu.Unlock()
		if ended {
			return code, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return 0, errors.New("the connection was not closed")
		}
	}
}

// left are the frames that nobody took.
func (w *wire) left() []frame {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]frame(nil), w.frames...)
}
