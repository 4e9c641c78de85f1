package conn

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

func TestConn_Close(t *testing.T) {
	t.Run("sends what is queued, then the close frame, and nothing behind it", func(t *testing.T) {
		c, p, g := gated(t, roomy())
		sent(t, c.Send([]byte("a")))
		c.Close(contract.CloseKicked, "kicked")
		c.Close(contract.CloseNormal, "too late")
		if err := c.Send([]byte("b")); !errors.Is(err, ErrClosed) {
			t.Errorf("Send after Close: %v, want ErrClosed", err)
		}
		g.open()
		p.wants(text("first"), text("a"), closeFrame(contract.CloseKicked, "kicked"))
		p.nc.Close()
		c.Wait()
	})
	t.Run("waits for the peer's close, and reads past what else it sends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := overPipe(t, roomy())
			start := time.Now()
			c.Close(contract.CloseRestart, "drain")
			go func() {
				p.wants(closeFrame(contract.CloseRestart, "drain"))
				p.write(masked(true, ws.OpText, "still on its way"))
				time.Sleep(100 * time.Millisecond)
				p.write(masked(true, ws.OpClose, string(closePayload(contract.CloseRestart, ""))))
			}()
			end := ends(t, c)
			if end.Code != contract.CloseRestart || end.Remote {
				t.Errorf("ended with %v, want our own 1012", end)
			}
			c.Wait()
			if got, want := time.Since(start), 100*time.Millisecond; got != want {
				t.Errorf("ended after %v, want %v", got, want)
			}
		})
	})
	t.Run("doesn't wait longer than 500 ms for the peer's close", func(t *testing.T) {
		for name, reading := range map[string]bool{"while it is being read": true, "while nobody reads": false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, p := overPipe(t, roomy())
					start := time.Now()
					if reading {
						go func() { _ = ends(t, c) }()
						synctest.Wait()
					}
					c.Close(contract.CloseNormal, "")
					p.wants(closeFrame(contract.CloseNormal, ""))
					c.Wait()
					if got, want := time.Since(start), peerCloseTimeout; got != want {
						t.Errorf("ended after %v, want %v", got, want)
					}
				})
			})
		}
	})
	t.Run("doesn't wait longer for a peer that goes on talking", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := roomy()
			o.ReadTimeout = time.Minute
			c, p := overPipe(t, o)
			go func() { _ = ends(t, c) }()
			synctest.Wait()
			start := time.Now()
			c.Close(contract.CloseNormal, "")
			p.wants(closeFrame(contract.CloseNormal, ""))
			var talk sync.WaitGroup
			talk.Go(func() {
				for err := error(nil); err == nil; time.Sleep(40 * time.Millisecond) {
					_, err = p.nc.Write(masked(true, ws.OpText, "and another thing"))
				}
			})
			c.Wait()
			if got, want := time.Since(start), peerCloseTimeout; got != want {
				t.Errorf("ended after %v, want %v", got, want)
			}
			talk.Wait()
		})
	})
	t.Run("gives a slow peer no more than WriteTimeout for all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := roomy()
			o.WriteTimeout = 3 * time.Second
			c, p := overPipe(t, o)
			sent(t, c.Send([]byte("first")))
			synctest.Wait()
			start := time.Now()
			c.Close(contract.CloseNormal, "")
			time.Sleep(2 * time.Second)
			p.wants(text("first"))
			c.Wait()
			if got, want := time.Since(start), o.WriteTimeout; got != want {
				t.Errorf("ended after %v, want %v", got, want)
			}
		})
	})
	t.Run("doesn't wait longer than WriteTimeout for a dead peer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := roomy()
			o.WriteTimeout = 3 * time.Second
			c, _ := overPipe(t, o)
			for range 100 {
				sent(t, c.Send([]byte("never read")))
			}
			time.Sleep(2 * time.Second)
			start := time.Now()
			c.Close(contract.CloseSlowConsumer, "slow")
			c.Wait()
			if got, want := time.Since(start), o.WriteTimeout; got != want {
				t.Errorf("ended after %v, want %v", got, want)
			}
			if end := ends(t, c); end.Code != contract.CloseSlowConsumer || end.Remote {
				t.Errorf("ended with %v, want our own 4440", end)
			}
		})
	})
	t.Run("leaves a borrowed text alone", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		want := strings.Repeat("borrowed ", 100)
		p.write(masked(true, ws.OpText, want))
		got, err := c.Read()
		if err != nil {
			t.Fatal(err)
		}
		c.Close(contract.CloseNormal, "")
		p.write(masked(true, ws.OpText, strings.Repeat("x", 3000)))
		p.wants(closeFrame(contract.CloseNormal, ""))
		p.wantsEnd()
		p.nc.Close()
		c.Wait()
		if string(got) != want {
			t.Errorf("the borrowed text became %.40q", got)
		}
	})
	t.Run("may be called by many at once, with everything else", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { c.Close(contract.CloseNormal, "bye") })
			wg.Go(func() { _ = c.Send([]byte("x")) })
			wg.Go(func() { _ = c.SetTail([]byte("y")) })
			wg.Go(func() { _ = c.SendPaced(t.Context(), []byte("z")) })
			wg.Go(func() { <-c.Done() })
		}
		wg.Go(func() { _ = ends(t, c) })
		closes := 0
		for {
			f, err := p.read()
			if err != nil {
				break
			}
			if closes > 0 {
				t.Errorf("got %v behind the close frame", f)
			}
			if f.op == ws.OpClose {
				closes++
				p.write(masked(true, ws.OpClose, f.payload))
			}
		}
		wg.Wait()
		if closes != 1 {
			t.Errorf("%d close frames, want 1", closes)
		}
	})
}

func TestConn_peer_ends(t *testing.T) {
	for _, test := range []struct {
		name    string
		payload string
		answer  string
		want    CloseError
	}{
		{"with a code and a reason", "\x03\xe8bye", "\x03\xe8", CloseError{Code: 1000, Reason: "bye", Remote: true}},
		{"with nothing", "", "", CloseError{Code: 1005, Remote: true}},
		{"with a code of its own", "\x0f\xa0", "\x0f\xa0", CloseError{Code: 4000, Remote: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, p := overTCP(t, roomy())
			p.write(masked(true, ws.OpClose, test.payload))
			if end := ends(t, c); *end != test.want {
				t.Errorf("ended with %+v, want %+v", *end, test.want)
			}
			if end := ends(t, c); *end != test.want {
				t.Errorf("a second time: %+v, want %+v", *end, test.want)
			}
			p.wants(frame{ws.OpClose, test.answer})
			p.wantsEnd()
			c.Wait()
		})
	}
	t.Run("without a word", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		p.nc.Close()
		end := ends(t, c)
		if end.Code != closeAbnormal || !end.Remote || !errors.Is(end, io.EOF) {
			t.Errorf("ended with %+v, want the peer's 1006 with EOF", end)
		}
		c.Wait()
	})
	t.Run("in the middle of a frame", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		whole := masked(true, ws.OpText, "half")
		p.write(whole[:len(whole)-2])
		p.nc.Close()
		if end := ends(t, c); end.Code != closeAbnormal || !end.Remote {
			t.Errorf("ended with %+v, want the peer's 1006", end)
		}
	})
}

func TestConn_read_timeout(t *testing.T) {
	for _, test := range []struct {
		name  string
		pause time.Duration // before the last frame
		late  time.Duration // how much later than the time-out its end is found
	}{
		{"that is set anew", deadlineSlack, deadlineSlack},
		{"that isn't set anew so soon", deadlineSlack - time.Nanosecond, time.Nanosecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := roomy()
				o.ReadTimeout = 45 * time.Second
				c, p := overPipe(t, o)
				start := time.Now()
				go func() {
					time.Sleep(40 * time.Second)
					p.write(masked(true, ws.OpText, "alive"))
					time.Sleep(40 * time.Second)
					p.write(masked(true, ws.OpPong, ""))
					time.Sleep(test.pause)
					p.write(masked(true, ws.OpPong, ""))
					time.Sleep(40 * time.Second)
					half := masked(true, ws.OpText, "half of a frame is no life")
					p.write(half[:len(half)/2])
				}()
				end := ends(t, c)
				if got, want := time.Since(start), 80*time.Second+test.pause+o.ReadTimeout+test.late; got != want {
					t.Errorf("ended after %v, want %v", got, want)
				}
				if end.Code != closeAbnormal || end.Remote || !errors.Is(end, os.ErrDeadlineExceeded) {
					t.Errorf("ended with %+v, want our own 1006 with the deadline", end)
				}
				c.Wait()
			})
		})
	}
}

func TestClosePayload_is_cut_at_a_code_point(t *testing.T) {
	for n := range 8 {
		reason := strings.Repeat("x", 118+n) + strings.Repeat("€", 10)
		got := closePayload(contract.CloseNormal, reason)
		if len(got) > ws.MaxControlFramePayloadSize || len(got) < ws.MaxControlFramePayloadSize-2 {
			t.Errorf("%d bytes, want at most %d and hardly less", len(got), ws.MaxControlFramePayloadSize)
		}
		if !utf8.Valid(got[2:]) || !strings.HasPrefix(reason, string(got[2:])) {
			t.Errorf("the reason became %q", got[2:])
		}
	}
}

func TestCloseError_Error(t *testing.T) {
	for want, e := range map[string]CloseError{
		`closed by the peer: 1000: "bye"`: {Code: 1000, Reason: "bye", Remote: true},
		`closed here: 1009: "too long"`:   {Code: 1009, Reason: "too long"},
		`closed by the peer: 1006: EOF`:   {Code: 1006, Remote: true, Err: io.EOF},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
