package conn

import (
	"errors"
	"net"
	"os"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// growMessage is the least by which a message grows that isn't in the read
// buffer as a whole.
const growMessage = 4 << 10

// deadlineSlack is how much too late a silent peer may be found dead: so often
// at most the read deadline is set anew, which costs as much as a timer.
const deadlineSlack = time.Second

// Read returns the next text message, which is borrowed until the next Read. It
// answers pings and the peer's close itself. Its error is always a *CloseError
// and final: the close frame, if one is due, is then queued. After a Close it
// reads on until the peer closes too, at most 500 ms. Only one goroutine may
// call Read.
func (c *Conn) Read() (text []byte, err error) {
	if c.ended != nil {
		return nil, c.ended
	}
	if !c.begin() {
		<-c.done
		return nil, c.end(net.ErrClosed)
	}
	c.giveBack()
	for {
		text, whole, err := c.frame()
		switch {
		case err != nil:
			return nil, c.end(err)
		case whole && c.lendTo():
			return text, nil
		case whole:
			c.giveBack()
		}
	}
}

// begin notes that Read is under way, and reports whether there is anything
// that it may read.
func (c *Conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = c.ender == nobody && c.state != shut
	return c.reading
}

// lendTo ends a Read that has a text, and reports false if it must go on: of a
// connection that is being closed nothing is read any more but its end.
func (c *Conn) lendTo() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == open {
		c.reading = false
	}
	return c.state == open
}

// end ends the last Read and tells how the connection ended. err is what frame
// returned; it is answered by a close frame if that is due. Nothing here or
// later reads the socket but, if the flusher left that to Read, finish.
func (c *Conn) end(err error) *CloseError {
	c.giveBack()
	c.dropInput()
	c.mu.Lock()
	c.reading = false
	mine := c.ender == reader
	c.mu.Unlock()
	var fault *CloseError
	if errors.As(err, &fault) {
		c.close(*fault)
	} else {
		c.lost(err)
	}
	if mine {
		c.finish()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	why := c.closed
	c.ended = &why
	return c.ended
}

// giveBack ends the loan of the last text.
func (c *Conn) giveBack() {
	if c.lent > 0 {
		c.skip(c.lent)
		c.lent = 0
	}
	if !c.fragment {
		c.message, c.checked = nil, 0
	}
}

// frame reads one frame; text is a message if the frame made it whole. Its
// error is a *CloseError for what must be answered by a close frame, and the
// socket's otherwise.
func (c *Conn) frame() (text []byte, whole bool, err error) {
	c.expect()
	h, err := c.header()
	if err != nil {
		return nil, false, err
	}
	if err := c.check(h); err != nil {
		return nil, false, err
	}
	if h.OpCode.IsControl() {
		return nil, false, c.control(h)
	}
	if !h.Fin || c.fragment {
		if err := c.allow(h); err != nil {
			return nil, false, err
		}
	} else if int(h.Length) <= len(c.buffered()) {
		return c.lend(h)
	}
	if err := c.gather(h); err != nil {
		return nil, false, err
	}
	c.fragment = !h.Fin
	if !h.Fin {
		return nil, false, nil
	}
	if c.checked < len(c.message) {
		return nil, false, notUTF8()
	}
	return c.message, true, nil
}

// header reads a frame's header.
func (c *Conn) header() (ws.Header, error) {
	for {
		h, size, err := parseHeader(c.buffered())
		switch {
		case err != nil:
			return ws.Header{}, &CloseError{Code: closeProtocol, Reason: "a frame length over 63 bits"}
		case size > 0:
			c.skip(size)
			return h, nil
		}
		if err := c.fill(); err != nil {
			return ws.Header{}, err
		}
	}
}

// expect pushes the read deadline if it isn't fresh, unless the end of the
// connection has set it.
func (c *Conn) expect() {
	if c.o.ReadTimeout == 0 {
		return
	}
	now := time.Now()
	if now.Sub(c.pushed) < deadlineSlack {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == open {
		c.pushed = now
		_ = c.nc.SetReadDeadline(now.Add(c.o.ReadTimeout + deadlineSlack)) // fails only on a closed socket
	}
}

// check judges a frame by its header (RFC 6455 section 5.2 and 5.4).
func (c *Conn) check(h ws.Header) error {
	state := ws.StateServerSide
	if c.fragment {
		state = state.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return &CloseError{Code: closeProtocol, Reason: err.Error()}
	}
	if h.OpCode == ws.OpBinary {
		return &CloseError{Code: contract.CloseUnsupported, Reason: "binary frames are not part of this protocol"}
	}
	if !h.OpCode.IsControl() && h.Length > int64(c.o.MessageBytes-len(c.message)) {
		return &CloseError{Code: contract.CloseTooBig, Reason: "the message is too long; send it in parts"}
	}
	return nil
}

func (c *Conn) allow(h ws.Header) error {
	if c.o.Allow == nil || c.o.Allow(int(h.Length)) {
		return nil
	}
	return &CloseError{Code: contract.CloseRate, Reason: "too many pings or fragments"}
}

// lend returns the text of a frame that is in the read buffer as a whole.
func (c *Conn) lend(h ws.Header) (text []byte, whole bool, err error) {
	text = c.buffered()[:h.Length]
	c.lent = len(text)
	ws.Cipher(text, h.Mask, 0)
	if !utf8.Valid(text) {
		return nil, false, notUTF8()
	}
	return text, true, nil
}

// gather appends a frame's payload to the message, as it comes: memory only
// grows with what did come, and the first byte that can't be UTF-8 ends it.
func (c *Conn) gather(h ws.Header) error {
	for done := 0; done < int(h.Length); {
		free := min(int(h.Length)-done, max(growMessage, len(c.message)))
		c.message = slices.Grow(c.message, free)
		at := len(c.message)
		n, err := c.read(c.message[at : at+free])
		c.message = c.message[:at+n]
		ws.Cipher(c.message[at:], h.Mask, done)
		done += n
		if !c.checkUTF8() {
			return notUTF8()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkUTF8 reports whether the message can still become UTF-8.
func (c *Conn) checkUTF8() bool {
	if utf8.Valid(c.message[c.checked:]) {
		c.checked = len(c.message)
		return true
	}
	for rest := c.message[c.checked:]; len(rest) > 0; rest = c.message[c.checked:] {
		if !utf8.FullRune(rest) {
			return true
		}
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			return false
		}
		c.checked += size
	}
	return true
}

func notUTF8() error {
	return &CloseError{Code: contract.CloseInvalidUTF8, Reason: "the message is not UTF-8"}
}

// control reads and answers a control frame.
func (c *Conn) control(h ws.Header) error {
	for len(c.buffered()) < int(h.Length) {
		if err := c.fill(); err != nil {
			return err
		}
	}
	payload := c.buffered()[:h.Length] // good until fill
	c.skip(len(payload))
	ws.Cipher(payload, h.Mask, 0)
	if h.OpCode == ws.OpClose {
		return readClose(payload)
	}
	if err := c.allow(h); err != nil {
		return err
	}
	if h.OpCode == ws.OpPong {
		return nil
	}
	if err := c.send(ws.OpPong, payload); errors.Is(err, ErrSlow) {
		return &CloseError{Code: contract.CloseSlowConsumer, Reason: "pings whose pongs are not read"}
	}
	return nil
}

// lost notes that the socket can't be read any more. One that is being closed
// has nothing to wait for then; any other is closed without a word.
func (c *Conn) lost(err error) {
	c.mu.Lock()
	c.peerClosed = true
	open := c.state == open
	c.mu.Unlock()
	if open {
		late := errors.Is(err, os.ErrDeadlineExceeded)
		c.shutNow(CloseError{Code: closeAbnormal, Remote: !late, Err: err})
	}
}
