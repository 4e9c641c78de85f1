package call

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/pion/webrtc/v4"
)

// piece is how much goes into one message of the data channel.
const piece = 16 << 10

// channel is one end of the data channel.
type channel struct {
	mu     sync.Mutex
	dc     *webrtc.DataChannel
	got    bytes.Buffer
	err    error
	open   chan struct{} // closed when it is open, or failed
	news   chan struct{} // closed and made anew with everything that comes
	opened sync.Once
}

func newChannel() *channel { return &channel{open: make(chan struct{}), news: make(chan struct{})} }

func (c *channel) use(dc *webrtc.DataChannel) {
	c.mu.Lock()
	c.dc = dc
	c.mu.Unlock()
	dc.OnOpen(func() { c.opened.Do(func() { close(c.open) }) })
	dc.OnClose(func() { c.fail(errors.New("the data channel was closed")) })
	dc.OnMessage(func(m webrtc.DataChannelMessage) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got.Write(m.Data)
		c.wake()
	})
}

func (c *channel) fail(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.wake()
	c.mu.Unlock()
	c.opened.Do(func() { close(c.open) })
}

// wake tells who waits; c.mu is held.
func (c *channel) wake() {
	close(c.news)
	c.news = make(chan struct{})
}

func (c *channel) waitOpen(ctx context.Context) error {
	select {
	case <-c.open:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *channel) send(data []byte) error {
	for len(data) > 0 {
		n := min(piece, len(data))
		if err := c.dc.Send(data[:n]); err != nil {
			return fmt.Errorf("send: %w", err)
		}
		data = data[n:]
	}
	return nil
}

// receive waits for as many bytes as want has and compares them.
func (c *channel) receive(ctx context.Context, want []byte) error {
	for {
		c.mu.Lock()
		news, have, err := c.news, c.got.Len(), c.err
		same := have >= len(want) && bytes.Equal(c.got.Bytes(), want)
		c.mu.Unlock()
		switch {
		case same:
			return nil
		case have >= len(want):
			return errors.New("other bytes came than were sent")
		case err != nil:
			return err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d bytes came: %w", have, len(want), ctx.Err())
		}
	}
}

// exchange sends random bytes both ways at once.
func exchange(ctx context.Context, a, b *channel, size int) error {
	results := make(chan error, 4)
	for _, way := range [][2]*channel{{a, b}, {b, a}} {
		data := make([]byte, size)
		rand.Read(data)
		go func() { results <- way[0].send(data) }()
		go func() { results <- way[1].receive(ctx, data) }()
	}
	var faults []error
	for range cap(results) {
		faults = append(faults, <-results)
	}
	return errors.Join(faults...)
}
