package conn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

func TestConn_Send(t *testing.T) {
	t.Run("arrives as sent, whatever its length", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 300_000} {
			s := strings.Repeat("x", n)
			sent(t, c.Send([]byte(s)))
			p.wants(text(s))
		}
	})
	t.Run("copies the text", func(t *testing.T) {
		c, p, g := gated(t, roomy())
		b := []byte("before")
		sent(t, c.Send(b))
		copy(b, "AFTER!")
		g.open()
		p.wants(text("first"), text("before"))
	})
	t.Run("many texts share one write", func(t *testing.T) {
		c, p, g := gated(t, roomy())
		var want []frame
		for i := range 500 {
			s := fmt.Sprint("text ", i)
			sent(t, c.Send([]byte(s)))
			want = append(want, text(s))
		}
		g.open()
		p.wants(append([]frame{text("first")}, want...)...)
		c.wg.Wait()
		if got, want := g.writes, 2; got != want {
			t.Errorf("%d writes, want %d", got, want)
		}
	})
	t.Run("keeps texts of many goroutines whole", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		const senders, each = 8, 100
		var wg sync.WaitGroup
		for i := range senders {
			wg.Go(func() {
				for j := range each {
					sent(t, c.Send(fmt.Appendf(nil, "%d %d %s", i, j, strings.Repeat("x", i*100))))
				}
			})
		}
		next := [senders]int{}
		for range senders * each {
			got, err := p.read()
			if err != nil {
				t.Fatal(err)
			}
			var i, j int
			var rest string
			_, _ = fmt.Sscanf(got.payload, "%d %d %s", &i, &j, &rest)
			if j != next[i] || len(rest) != i*100 {
				t.Fatalf("sender %d: text %d with %d bytes, want text %d with %d", i, j, len(rest), next[i], i*100)
			}
			next[i]++
		}
		wg.Wait()
	})
	t.Run("is refused after Close", func(t *testing.T) {
		c, _ := overTCP(t, roomy())
		c.Close(contract.CloseNormal, "")
		for name, err := range map[string]error{
			"Send": c.Send(nil), "SendPaced": c.SendPaced(t.Context(), nil), "SetTail": c.SetTail(nil),
		} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v, want ErrClosed", name, err)
			}
		}
	})
}

func TestConn_Send_slow_reader(t *testing.T) {
	for _, test := range []struct {
		name          string
		frames, bytes int
		fits          []string
		over          string
	}{
		{"frames, the one being written included", 3, 1 << 20, []string{"b", "c"}, ""},
		{"bytes, those being written included", 100, 10, []string{"12345"}, "x"}, // "first" is being written
	} {
		t.Run(test.name, func(t *testing.T) {
			o := roomy()
			o.OutboundFrames, o.OutboundBytes = test.frames, test.bytes
			c, p, g := gated(t, o)
			want := []frame{text("first")}
			for _, s := range test.fits {
				sent(t, c.Send([]byte(s)))
				want = append(want, text(s))
			}
			if err := c.Send([]byte(test.over)); !errors.Is(err, ErrSlow) {
				t.Fatalf("over the limit: %v, want ErrSlow", err)
			}
			sent(t, c.SetTail([]byte("tail")))
			sent(t, c.SendPaced(t.Context(), []byte("paced")))
			g.open()
			p.wants(append(want, text("paced"), text("tail"))...)
			c.wg.Wait()
			sent(t, c.Send([]byte("again")))
			p.wants(text("again"))
		})
	}
	t.Run("a burst before the peer had its turn is not its fault", func(t *testing.T) {
		o := roomy()
		o.OutboundFrames, o.SlowAfter = 3, time.Hour
		c, p, g := gated(t, o)
		want := []frame{text("first")}
		for range burst*o.OutboundFrames - 1 {
			sent(t, c.Send([]byte("x")))
			want = append(want, text("x"))
		}
		if err := c.Send([]byte("x")); !errors.Is(err, ErrSlow) {
			t.Fatalf("%d times over the limit: %v, want ErrSlow", burst, err)
		}
		g.open()
		p.wants(want...)
	})
	t.Run("over TCP it is refused at last, and nobody waits", func(t *testing.T) {
		o := roomy()
		o.OutboundBytes = 256 << 10
		c, _ := overTCP(t, o)
		block := bytes.Repeat([]byte("x"), 64<<10)
		var err error
		for i := 0; err == nil; i++ {
			if i > 10_000 {
				t.Fatal("640 MB were queued")
			}
			err = c.Send(block)
		}
		if !errors.Is(err, ErrSlow) {
			t.Fatalf("error %v, want ErrSlow", err)
		}
	})
}

func TestConn_SetTail(t *testing.T) {
	t.Run("goes alone", func(t *testing.T) {
		c, p := overPipe(t, roomy())
		sent(t, c.SetTail([]byte("tail")))
		p.wants(text("tail"))
	})
	t.Run("the last one, behind all that came until the write", func(t *testing.T) {
		c, p, g := gated(t, roomy())
		sent(t, c.Send([]byte("a")))
		sent(t, c.SetTail([]byte("acked 1")))
		sent(t, c.Send([]byte("b")))
		sent(t, c.SetTail([]byte("acked 22")))
		sent(t, c.SetTail([]byte("acked 3")))
		sent(t, c.Send([]byte("c")))
		g.open()
		p.wants(text("first"), text("a"), text("b"), text("c"), text("acked 3"))
		sent(t, c.Send([]byte("d")))
		p.wants(text("d"))
	})
	t.Run("before the close frame", func(t *testing.T) {
		c, p, g := gated(t, roomy())
		sent(t, c.SetTail([]byte("tail")))
		sent(t, c.Send([]byte("a")))
		c.Close(contract.CloseNormal, "bye")
		g.open()
		p.wants(text("first"), text("a"), text("tail"), closeFrame(contract.CloseNormal, "bye"))
		p.nc.Close()
	})
}

func TestConn_SendPaced(t *testing.T) {
	small := func() Options {
		o := roomy()
		o.OutboundBytes = 10
		return o
	}
	t.Run("waits for room, and keeps its order", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := overPipe(t, small())
			done := 0
			go func() {
				for i := range 5 {
					sent(t, c.SendPaced(t.Context(), fmt.Appendf(nil, "paced %d", i)))
					done++
				}
			}()
			synctest.Wait()
			if got, want := done, 1; got != want {
				t.Errorf("%d texts were queued for a peer that doesn't read, want %d", got, want)
			}
			for i := range 5 {
				p.wants(text(fmt.Sprint("paced ", i)))
			}
			synctest.Wait()
			if got, want := done, 5; got != want {
				t.Errorf("%d texts were queued, want %d", got, want)
			}
		})
	})
	t.Run("a text over every limit goes alone", func(t *testing.T) {
		c, p := overPipe(t, small())
		long := strings.Repeat("x", 100_000)
		sent(t, c.SendPaced(t.Context(), []byte(long)))
		p.wants(text(long))
	})
	t.Run("leaves the limits of Send alone", func(t *testing.T) {
		c, p, g := gated(t, small())
		sent(t, c.SendPaced(t.Context(), []byte("0123456789")))
		sent(t, c.Send([]byte("12345")))
		g.open()
		p.wants(text("first"), text("0123456789"), text("12345"))
	})
	t.Run("ends with its context", func(t *testing.T) {
		c, _, g := gated(t, small())
		defer g.open()
		sent(t, c.SendPaced(t.Context(), []byte("0123456789")))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.SendPaced(ctx, []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
	})
	t.Run("ends with the connection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _ := overPipe(t, small())
			sent(t, c.SendPaced(t.Context(), []byte("0123456789")))
			var err error
			go func() { err = c.SendPaced(t.Context(), []byte("x")) }()
			synctest.Wait()
			c.Close(contract.CloseNormal, "")
			synctest.Wait()
			if !errors.Is(err, ErrClosed) {
				t.Errorf("error %v, want ErrClosed", err)
			}
		})
	})
}

func TestConn_write_timeout(t *testing.T) {
	t.Run("ends a connection whose peer doesn't read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _ := overPipe(t, roomy())
			start := time.Now()
			sent(t, c.Send([]byte("x")))
			c.Wait()
			if got, want := time.Since(start), defaultWriteTimeout; got != want {
				t.Errorf("ended after %v, want %v", got, want)
			}
			if end := ends(t, c); end.Code != closeAbnormal || end.Remote || end.Err == nil {
				t.Errorf("ended with %+v, want 1006 of our own with its cause", end)
			}
		})
	})
	t.Run("each write has its own", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := overPipe(t, roomy())
			for range 5 {
				sent(t, c.Send([]byte("x")))
				time.Sleep(defaultWriteTimeout - time.Second)
				p.wants(text("x"))
			}
		})
	})
}

func TestConn_idle_holds_no_write_buffer(t *testing.T) {
	c, p := overTCP(t, roomy())
	sent(t, c.Send(bytes.Repeat([]byte("x"), 30_000)))
	sent(t, c.SetTail([]byte("tail")))
	if _, err := p.read(); err != nil {
		t.Fatal(err)
	}
	p.wants(text("tail"))
	c.wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out != nil || c.flushing || c.room != nil || c.frames+c.bytes+c.paced != 0 {
		t.Errorf("holds outbox %v, flusher %v, counts %d %d %d", c.out, c.flushing, c.frames, c.bytes, c.paced)
	}
}

func TestConn_Send_allocates_nothing(t *testing.T) {
	c, p, g := gated(t, roomy())
	body := bytes.Repeat([]byte("x"), 300)
	c.mu.Lock()
	c.outbox().data = make([]byte, 0, 1<<20)
	c.mu.Unlock()
	got := testing.AllocsPerRun(500, func() { sent(t, c.Send(body)) })
	if got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
	g.open()
	p.wants(text("first"), text(string(body)))
	p.nc.Close()
}

func TestAppendFrame(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536} {
		payload := strings.Repeat("x", n)
		want := string(raw(ws.Header{Fin: true, OpCode: ws.OpText}, payload))
		if got := string(appendFrame(nil, ws.OpText, []byte(payload))); got != want {
			t.Errorf("%d bytes: header % x, want % x", n, got[:len(got)-n], want[:len(want)-n])
		}
	}
}
