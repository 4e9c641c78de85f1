package conn

import (
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

func TestConn_Read(t *testing.T) {
	t.Run("texts that came in one piece, and in many", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		var all []byte
		want := []string{"", "a", strings.Repeat("é", 60), strings.Repeat("x", sharedBuffer-10), strings.Repeat("y", sharedBuffer), "z", strings.Repeat("€", 100_000), "end"}
		for _, s := range want {
			all = append(all, masked(true, ws.OpText, s)...)
		}
		go p.write(all)
		reads(t, c, want...)
	})
	t.Run("byte by byte", func(t *testing.T) {
		c, p := overPipe(t, roomy())
		go func() {
			for _, b := range masked(true, ws.OpText, "one € at a time") {
				p.write([]byte{b})
			}
		}()
		reads(t, c, "one € at a time")
	})
	t.Run("a borrowed text stays until the next Read", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		p.write(append(masked(true, ws.OpText, "first"), masked(true, ws.OpText, "second")...))
		got, err := c.Read()
		if err != nil {
			t.Fatal(err)
		}
		sent(t, c.Send([]byte("answer")))
		p.wants(text("answer"))
		if string(got) != "first" {
			t.Errorf("the borrowed text became %q", got)
		}
		reads(t, c, "second")
	})
	t.Run("the buffer of a long message isn't kept", func(t *testing.T) {
		c, p := overTCP(t, roomy())
		long := strings.Repeat("x", 100_000)
		go p.write(append(masked(true, ws.OpText, long), masked(true, ws.OpText, "short")...))
		reads(t, c, long, "short")
		if got := cap(c.message); got != 0 {
			t.Errorf("%d bytes are kept, want none", got)
		}
	})
}

func TestConn_Read_message_limit(t *testing.T) {
	const limit = 1000
	o := roomy()
	o.MessageBytes = limit
	fits, over := strings.Repeat("x", limit), strings.Repeat("x", limit+1)
	for _, test := range []struct {
		name   string
		frames [][]byte
	}{
		{"one frame", [][]byte{masked(true, ws.OpText, fits), masked(true, ws.OpText, over)}},
		{"fragments", [][]byte{
			masked(false, ws.OpText, fits[1:]), masked(true, ws.OpContinuation, "x"),
			masked(false, ws.OpText, fits), masked(true, ws.OpContinuation, "x"),
		}},
		{"a length that never comes", [][]byte{
			masked(true, ws.OpText, fits), {0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, p := overTCP(t, o)
			for _, f := range test.frames {
				p.write(f)
			}
			reads(t, c, fits)
			end := ends(t, c)
			if end.Code != contract.CloseTooBig || end.Remote {
				t.Errorf("ended with %v, want our own 1009", end)
			}
			p.wants(closeFrame(contract.CloseTooBig, end.Reason))
			p.wantsEnd()
		})
	}
}

func TestConn_Read_allow(t *testing.T) {
	for _, test := range []struct {
		name string
		sent [][]byte
		want int // bytes asked for before the refusal
	}{
		{"pings", [][]byte{masked(true, ws.OpPing, "12345"), masked(true, ws.OpPing, "12345"), masked(true, ws.OpPing, "")}, 10},
		{"pongs", [][]byte{masked(true, ws.OpPong, "1"), masked(true, ws.OpPong, ""), masked(true, ws.OpPong, "")}, 1},
		{"fragments", [][]byte{masked(false, ws.OpText, "12"), masked(false, ws.OpContinuation, ""), masked(false, ws.OpContinuation, "")}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked, got := 0, 0
			o := roomy()
			o.Allow = func(bytes int) bool {
				asked++
				got += bytes
				return asked <= 2
			}
			c, p := overTCP(t, o)
			p.write(masked(true, ws.OpText, "whole messages aren't asked for"))
			for _, f := range test.sent {
				p.write(f)
			}
			end := ends(t, c)
			if end.Code != contract.CloseRate || end.Remote {
				t.Errorf("ended with %v, want our own 4429", end)
			}
			if got != test.want || asked != 3 {
				t.Errorf("asked %d times for %d bytes, want 3 times for %d", asked, got, test.want)
			}
		})
	}
}

func TestConn_Read_pings_whose_pongs_are_not_read(t *testing.T) {
	o := roomy()
	o.OutboundFrames = 3
	c, p, g := gated(t, o)
	go func() {
		for range o.OutboundFrames {
			p.write(masked(true, ws.OpPing, "?"))
		}
	}()
	end := ends(t, c)
	if end.Code != contract.CloseSlowConsumer {
		t.Errorf("ended with %v, want 4440", end)
	}
	g.open()
	p.wants(text("first"), frame{ws.OpPong, "?"}, frame{ws.OpPong, "?"}, closeFrame(contract.CloseSlowConsumer, end.Reason))
	p.nc.Close()
}
