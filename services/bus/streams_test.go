package bus

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/embednats"
	"github.com/parley-rtc/parley/services/natstest"
)

// TestStreams_Watch opens a bucket, does something to its stream, and has the
// connection come back.
func TestStreams_Watch(t *testing.T) {
	for _, tc := range []struct {
		name         string
		maker        bool
		remove, make bool
		ends, lost   bool
	}{
		{name: "as it was"},
		{name: "made anew", remove: true, make: true, ends: true, lost: true},
		{name: "gone, and this process makes it", maker: true, remove: true, ends: true, lost: true},
		{name: "gone, and another one makes it", remove: true, lost: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newStreamsWatch(t, tc.maker)
			if tc.remove {
				w.remove(t)
			}
			if tc.make {
				makeBucket(t, w.js)
			}
			w.comeBack(t)
			if !tc.ends && tc.lost {
				why := eventually(t, w.reported, "a report")
				if !w.streams.Lost() || !strings.Contains(why.Error(), "start a roomsvc") {
					t.Errorf("reported %q, and Lost = %v; want what to do, and true", why, w.streams.Lost())
				}
				makeBucket(t, w.js)
			}
			if tc.ends || tc.lost {
				if err := eventually(t, w.ended, "the end of Watch"); !errors.Is(err, ErrRemade) {
					t.Errorf("Watch ended with %v, want %v", err, ErrRemade)
				}
			} else {
				w.stop()
				if err := eventually(t, w.ended, "the end of Watch"); err != nil {
					t.Errorf("Watch ended with %v, want no error", err)
				}
			}
			if got := w.streams.Lost(); got != tc.lost {
				t.Errorf("Lost = %v, want %v", got, tc.lost)
			}
		})
	}
}

// streamsWatch is a Watch of a process that has opened one bucket.
type streamsWatch struct {
	server  *embednats.Server
	nc      *nats.Conn
	js      jetstream.JetStream // over nc: when that has reported something it is connected
	streams *Streams
	stop    context.CancelFunc
	ended   chan error

	reported chan error
}

func newStreamsWatch(t *testing.T, maker bool) *streamsWatch {
	t.Helper()
	server := natstest.Start(t)
	w := &streamsWatch{server: server, nc: connectTo(t, server.ClientURL(), "svc"), streams: &Streams{}, ended: make(chan error, 1), reported: make(chan error, 10)}
	var err error
	if w.js, err = jetstream.New(w.nc); err != nil {
		t.Fatal(err)
	}
	makeBucket(t, w.js)
	ctx, stop := context.WithCancel(WithStreams(testContext(t), w.streams))
	t.Cleanup(stop)
	w.stop = stop
	if maker {
		StreamsFrom(ctx).Make()
	}
	if _, err := OpenBucket(ctx, w.js, "rooms"); err != nil {
		t.Fatal(err)
	}
	asked := w.asked(t)
	go func() { w.ended <- w.streams.Watch(ctx, w.nc, func(err error) { w.reported <- err }) }()
	eventually(t, asked, "the first look")
	return w
}

// asked hears of each time that the process asks for a stream. The subscription is its
// own, so that it is there again before the process asks.
func (w *streamsWatch) asked(t *testing.T) <-chan *nats.Msg {
	t.Helper()
	asked := make(chan *nats.Msg, 100)
	sub, err := w.nc.ChanSubscribe("$JS.API.STREAM.INFO.KV_rooms", asked)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	return asked
}

// comeBack starts the server again, and returns when the streams were looked at.
func (w *streamsWatch) comeBack(t *testing.T) {
	t.Helper()
	asked := w.asked(t)
	w.server = natstest.Restart(t, w.server)
	eventually(t, asked, "a look after the reconnect")
}

func (w *streamsWatch) remove(t *testing.T) {
	t.Helper()
	if err := w.js.DeleteStream(testContext(t), "KV_rooms"); err != nil {
		t.Fatal(err)
	}
}
