package conn

import (
	"io"
	"sync"
)

// The sizes of read buffers; texts that fit are lent to the caller from there.
// Those of raw sockets are shared, so they can be larger.
const (
	sharedBuffer = 16 << 10
	ownBuffer    = 4 << 10
)

// input is what was read from a socket and isn't taken yet. A connection of a
// raw socket has one only while there is such: it waits for more without any.
type input struct {
	buf      []byte
	from, to int // what is there
}

var inputs = sync.Pool{New: func() any { return &input{buf: make([]byte, sharedBuffer)} }}

func newInput() *input {
	in, ok := inputs.Get().(*input)
	if !ok {
		panic("conn: internal error: the pool holds something else")
	}
	return in
}

// room is where more can be read into. What is there moves to the front if the
// end is reached.
func (in *input) room() []byte {
	switch {
	case in.from == in.to:
		in.from, in.to = 0, 0
	case in.to == len(in.buf):
		in.to = copy(in.buf, in.buf[in.from:in.to])
		in.from = 0
	}
	return in.buf[in.to:]
}

// buffered is what can be taken without reading.
func (c *Conn) buffered() []byte {
	if c.in == nil {
		return nil
	}
	return c.in.buf[c.in.from:c.in.to]
}

// skip takes n bytes of what is buffered.
func (c *Conn) skip(n int) { c.in.from += n }

// fill waits for more and buffers it.
func (c *Conn) fill() error {
	if c.raw == nil {
		return c.fillWaiting()
	}
	if err := c.raw.Read(c.arrive); err != nil {
		return err
	}
	return c.failed
}

// arrived is called when the socket may have something, and reports whether it
// had. It must try before it waits: the readiness of a moment ago is forgotten.
func (c *Conn) arrived(fd uintptr) bool {
	if c.in == nil {
		c.in = newInput()
	}
	n, ok, err := readNow(fd, c.in.room())
	c.in.to += n
	c.failed = err
	if !ok {
		c.dropInput()
	}
	return ok
}

// dropInput gives the buffer to the next connection, if nothing is in it.
func (c *Conn) dropInput() {
	if c.in != nil && c.raw != nil && c.in.from == c.in.to {
		inputs.Put(c.in)
		c.in = nil
	}
}

// fillWaiting is fill for what is no raw socket.
func (c *Conn) fillWaiting() error {
	if c.in == nil {
		c.in = &input{buf: make([]byte, ownBuffer)}
	}
	n, err := c.nc.Read(c.in.room())
	c.in.to += n
	if n > 0 {
		return nil // the error comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// read reads into p: what is buffered, or from the socket.
func (c *Conn) read(p []byte) (int, error) {
	if there := c.buffered(); len(there) > 0 {
		n := copy(p, there)
		c.skip(n)
		return n, nil
	}
	return c.nc.Read(p)
}
