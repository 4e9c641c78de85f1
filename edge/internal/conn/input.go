package conn

import (
	"io"
	"sync"
)

// The sizes of read buffers; texts that fit are lent to the caller from there.
// Those of direct sockets are shared, so they can be larger.
const (
	sharedBuffer = 16 << 10
	ownBuffer    = 4 << 10
)

// input is what was read from a socket and isn't taken yet. A connection of a
// direct socket has one only while there is such: it waits for more without any.
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
	if c.direct == nil {
		return c.fillWaiting()
	}
	for {
		if c.in == nil {
			c.in = newInput()
		}
		n, err := c.direct.TryRead(c.in.room())
		c.in.to += n
		if n > 0 || err != nil {
			return err
		}
		c.dropInput()
		if err := c.direct.AwaitRead(); err != nil {
			return err
		}
	}
}

// dropInput gives the buffer to the next connection, if nothing is in it.
func (c *Conn) dropInput() {
	if c.in != nil && c.direct != nil && c.in.from == c.in.to {
		inputs.Put(c.in)
		c.in = nil
	}
}

// fillWaiting is fill for what isn't direct.
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
