package conn

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// queue queues a text and reports whether it obliges to Flush.
func queue(t *testing.T, c *Conn, s string) bool {
	t.Helper()
	flush, err := c.Queue([]byte(s))
	sent(t, err)
	return flush
}

func TestConn_Queue(t *testing.T) {
	for name, over := range map[string]func(*testing.T, Options) (*Conn, *peer){"direct": overTCP, "waiting": overPipe} {
		t.Run(name, func(t *testing.T) {
			c, p := over(t, roomy())
			if !queue(t, c, "one") || queue(t, c, "two") {
				t.Fatal("not the first text alone obliges to Flush")
			}
			flush, err := c.QueueTail([]byte("tail"))
			if sent(t, err); flush {
				t.Fatal("the tail obliges to Flush a second time")
			}
			sent(t, c.Send([]byte("three")))
			c.Flush()
			p.wants(text("one"), text("two"), text("three"), text("tail"))
			c.Flush() // with nothing to do
			if c.wg.Wait(); !queue(t, c, "four") {
				t.Fatal("after a Flush a text doesn't oblige to the next")
			}
			c.Flush()
			p.wants(text("four"))
		})
	}
	t.Run("what is queued is written by Close", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		queue(t, c, "one")
		c.Close(contract.CloseNormal, "")
		p.wants(text("one"), closeFrame(contract.CloseNormal, ""))
		c.Flush()
	})
	t.Run("is refused after Close", func(t *testing.T) {
		c, _ := overTCP(t, roomy())
		c.Close(contract.CloseNormal, "")
		if flush, err := c.Queue(nil); flush || err != ErrClosed {
			t.Errorf("Queue: %v, %v, want ErrClosed", flush, err)
		}
		if flush, err := c.QueueTail(nil); flush || err != ErrClosed {
			t.Errorf("QueueTail: %v, %v, want ErrClosed", flush, err)
		}
	})
}

// A peer that doesn't read makes nobody wait, and gets everything in order.
func TestConn_Flush_leaves_what_the_peer_does_not_take(t *testing.T) {
	o := roomy()
	o.WriteTimeout = 3 * time.Second // in which a busy machine moves 16 MB
	o.SlowAfter = time.Minute
	c, p := overTCP(t, o)
	var want []frame
	for i := range 40 {
		s := strings.Repeat(string(rune('a'+i%26)), 400_000) // more than the buffers of a socket
		queue(t, c, s)
		c.Flush()
		want = append(want, text(s))
	}
	p.wants(want...)
	// The deadline of the write that waited ends no later one.
	for start := time.Now(); time.Since(start) < o.WriteTimeout+100*time.Millisecond; {
		queue(t, c, "later")
		c.Flush()
		p.wants(text("later"))
	}
}

// watched is a socket that tells when it is waited for.
type watched struct {
	direct
	wait func()
}

func (w watched) AwaitRead() error {
	w.wait()
	return w.direct.AwaitRead()
}

func TestConn_waits_without_a_read_buffer(t *testing.T) {
	c, p := overTCP(t, roomy())
	holds := make(chan bool, 100) // whether it waits with a buffer
	c.direct = watched{c.direct, func() { holds <- c.in != nil || c.message != nil }}
	half := masked(true, ws.OpText, "half and half")
	done := make(chan struct{})
	go func() {
		defer close(done)
		reads(t, c, "text", "half and half")
	}()
	wantHolds := func(want bool) {
		t.Helper()
		for got := range holds {
			if got == want {
				return
			}
			if got { // it may wait once more than it must, but not with a buffer
				t.Error("it holds a buffer while nothing is there")
				return
			}
		}
	}
	wantHolds(false)
	p.write(masked(true, ws.OpText, "text"))
	wantHolds(false)
	p.write(half[:5])
	wantHolds(true)
	p.write(half[5:])
	<-done
}

func TestConn_allocates_nothing(t *testing.T) {
	c, p := overTCP(t, roomy())
	go func() { _, _ = io.Copy(io.Discard, p.nc) }()
	in, out := masked(true, ws.OpText, strings.Repeat("x", 300)), bytes.Repeat([]byte("y"), 400)
	got := testing.AllocsPerRun(500, func() {
		p.write(in)
		if _, err := c.Read(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Queue(out); err != nil {
			t.Fatal(err)
		}
		if _, err := c.QueueTail(out[:40]); err != nil {
			t.Fatal(err)
		}
		c.Flush()
	})
	if got > poolMisses {
		t.Errorf("%v allocations, want none", got)
	}
}

// FuzzParseHeader compares with the library's reader of headers.
func FuzzParseHeader(f *testing.F) {
	for _, n := range []int{0, 125, 126, 65535, 65536} {
		f.Add(masked(true, ws.OpText, strings.Repeat("x", n)))
		f.Add(raw(ws.Header{OpCode: ws.OpPing, Rsv: 5}, strings.Repeat("x", n))[:2])
	}
	f.Add([]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		want, wantErr := ws.ReadHeader(r)
		got, size, err := parseHeader(b)
		switch {
		case wantErr == ws.ErrHeaderLengthMSB:
			if err != wantErr {
				t.Fatalf("% x: %v, want %v", b, err, wantErr)
			}
		case wantErr != nil: // the end
			if size != 0 || err != nil {
				t.Fatalf("% x: %+v of %d bytes, %v; want to hear that more is needed", b, got, size, err)
			}
		case got != want || size != len(b)-r.Len() || err != nil:
			t.Fatalf("% x: %+v of %d bytes, %v; want %+v of %d", b, got, size, err, want, len(b)-r.Len())
		}
	})
}
