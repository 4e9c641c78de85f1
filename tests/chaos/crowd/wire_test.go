//go:build linux

package crowd

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/schedule"
)

// plug connects a wire with a listener of this test.
func plug(t *testing.T, w *wire) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if client, err = w.dial(t.Context(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return client, server
}

func newWire() *wire {
	begun := time.Now()
	return &wire{now: func() time.Duration { return time.Since(begun) }}
}

func TestWire_cut(t *testing.T) {
	for _, how := range []schedule.Cut{schedule.Close, schedule.Reset, schedule.Silent} {
		t.Run(string(how), func(t *testing.T) {
			w := newWire()
			client, server := plug(t, w)
			w.cut(how)
			if _, err := client.Read(make([]byte, 1)); err == nil {
				t.Error("the client still reads")
			}
			_ = client.SetReadDeadline(time.Now().Add(time.Hour)) // as a client does that doesn't know yet
			if _, err := client.Write([]byte("x")); err == nil {
				t.Error("the client still writes")
			}
			_ = client.Close() // nor may this be seen, after a silent cut
			patience := 30 * time.Second
			if how == schedule.Silent {
				patience = 50 * time.Millisecond // in which nothing comes
			}
			_ = server.SetReadDeadline(time.Now().Add(patience))
			_, err := server.Read(make([]byte, 1))
			var timeout net.Error
			switch silent := errors.As(err, &timeout) && timeout.Timeout(); {
			case silent != (how == schedule.Silent):
				t.Errorf("the edge saw %v", err)
			case how == schedule.Close && !errors.Is(err, io.EOF):
				t.Errorf("the edge saw %v, want the end", err)
			}
		})
	}
}

func TestWire_back(t *testing.T) {
	w := newWire()
	plug(t, w)
	if retry, moveOn := w.back(); retry == 0 || moveOn {
		t.Errorf("got %v and %t", retry, moveOn)
	}
	w.moveOn()
	if retry, moveOn := w.back(); retry != 0 || !moveOn {
		t.Errorf("without a dial: got %v and %t", retry, moveOn)
	}
	w.unplug()
	if _, err := w.dial(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, errUnplugged) {
		t.Errorf("dial: %v, want %v", err, errUnplugged)
	}
}
