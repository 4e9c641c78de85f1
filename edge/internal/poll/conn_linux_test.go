package poll_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/edge/internal/poll"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long is for what happens at once unless something is broken.
const long = 30 * time.Second

func start(t *testing.T, o poll.Options) *poll.Poller {
	t.Helper()
	p, err := poll.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// pair is an adopted connection and its peer.
func pair(t *testing.T, p *poll.Poller) (adopted, peer net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	peer, err = net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	adopted = p.Adopt(accepted)
	if adopted == accepted {
		t.Fatal("a TCP connection wasn't adopted")
	}
	t.Cleanup(func() { adopted.Close(); peer.Close() })
	return adopted, peer
}

func TestConn_Read_givesEverythingAndThenTheEnd(t *testing.T) {
	adopted, peer := pair(t, start(t, poll.Options{}))
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	go func() {
		_, _ = peer.Write(want)
		_ = peer.Close()
	}()
	// One byte at a time leaves the socket full, a large buffer empties it.
	head, err := io.ReadAll(iotest.OneByteReader(io.LimitReader(adopted, 1000)))
	if err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(adopted)
	if err != nil {
		t.Fatal(err)
	}
	if got := append(head, rest...); !bytes.Equal(got, want) {
		t.Errorf("read %d bytes, want the %d that were written", len(got), len(want))
	}
}

func TestConn_Read_seesAnEndThatCameTogetherWithData(t *testing.T) {
	p := start(t, poll.Options{Tick: 5 * time.Millisecond})
	for range 200 {
		adopted, peer := pair(t, p)
		if _, err := peer.Write([]byte("bye")); err != nil {
			t.Fatal(err)
		}
		if err := peer.Close(); err != nil {
			t.Fatal(err)
		}
		if err := adopted.SetReadDeadline(time.Now().Add(long)); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(adopted)
		if err != nil || string(got) != "bye" {
			t.Fatalf("read %q, %v, want bye and the end", got, err)
		}
	}
}

func TestConn_Write_waitsForAPeerThatReadsSlowly(t *testing.T) {
	adopted, peer := pair(t, start(t, poll.Options{}))
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // more than the kernel buffers
	go func() {
		if n, err := adopted.Write(want); n != len(want) || err != nil {
			t.Errorf("wrote %d bytes, %v, want %d", n, err, len(want))
		}
		if err := adopted.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Error(err)
		}
	}()
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the peer got %d bytes, %v, want %d", len(got), err, len(want))
	}
}

func TestConn_Deadlines(t *testing.T) {
	p := start(t, poll.Options{})
	buffer := make([]byte, 10)
	t.Run("a read ends at its deadline, also when that moves", func(t *testing.T) {
		adopted, _ := pair(t, p)
		_ = adopted.SetReadDeadline(time.Now().Add(long))
		go func() { _ = adopted.SetReadDeadline(time.Now().Add(10 * time.Millisecond)) }()
		if _, err := adopted.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v, want a deadline", err)
		}
	})
	t.Run("a deadline that is over ends a read that waits", func(t *testing.T) {
		adopted, _ := pair(t, p)
		go func() { _ = adopted.SetDeadline(time.Unix(1, 0)) }()
		if _, err := adopted.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v, want a deadline", err)
		}
		if _, err := adopted.Write(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v, want a deadline", err)
		}
	})
	t.Run("a deadline that was taken back doesn't count", func(t *testing.T) {
		adopted, peer := pair(t, p)
		_ = adopted.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_ = adopted.SetReadDeadline(time.Time{})
		time.AfterFunc(60*time.Millisecond, func() { _, _ = peer.Write([]byte("late")) })
		if n, err := adopted.Read(buffer); err != nil || string(buffer[:n]) != "late" {
			t.Errorf("read %q, %v, want late", buffer[:n], err)
		}
	})
	t.Run("a write ends at its deadline", func(t *testing.T) {
		adopted, _ := pair(t, p)
		_ = adopted.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := adopted.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v, want a deadline", err)
		}
	})
}

func TestConn_Close_endsAReadAndAWrite(t *testing.T) {
	adopted, _ := pair(t, start(t, poll.Options{}))
	var ends sync.WaitGroup
	ends.Go(func() {
		if _, err := adopted.Read(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read: %v, want that it is closed", err)
		}
	})
	ends.Go(func() {
		if _, err := adopted.Write(make([]byte, 64<<20)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write: %v, want that it is closed", err)
		}
	})
	if err := adopted.Close(); err != nil {
		t.Error(err)
	}
	ends.Wait()
	if err := adopted.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second close: %v, want that it is closed", err)
	}
}

// TestPoller_manyConnections echoes over many connections that come and go, so
// that descriptors are used again.
func TestPoller_manyConnections(t *testing.T) {
	for _, tick := range []time.Duration{0, 2 * time.Millisecond} {
		t.Run("tick "+tick.String(), func(t *testing.T) {
			var begun, ended atomic.Int64
			p := start(t, poll.Options{Tick: tick, Begin: func() { begun.Add(1) }, End: func() { ended.Add(1) }})
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					for range 20 {
						echo(t, p)
					}
				})
			}
			all.Wait()
			for end := time.Now().Add(long); ended.Load() != begun.Load() && time.Now().Before(end); {
				runtime.Gosched() // the poller itself may be the last to leave a batch
			}
			if begun.Load() == 0 || ended.Load() != begun.Load() {
				t.Errorf("%d batches began and %d ended", begun.Load(), ended.Load())
			}
		})
	}
}

func echo(t *testing.T, p *poll.Poller) {
	adopted, peer := pair(t, p)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(struct{ io.Writer }{adopted}, struct{ io.Reader }{adopted})
		_ = adopted.Close()
	}()
	_ = peer.SetDeadline(time.Now().Add(long))
	got := make([]byte, 100)
	for i := range 5 {
		want := bytes.Repeat([]byte{byte(i)}, len(got))
		if _, err := peer.Write(want); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("echo %d: %v, %v", i, got[:1], err)
		}
	}
	_ = peer.Close()
	<-done
}

// TestPoller_wakesReadersTogether has ten sockets get something at once. When one
// batch wakes all ten the poller sleeps, so what they get one by one in that time
// comes in one batch, too. What a busy machine was too slow with says nothing.
func TestPoller_wakesReadersTogether(t *testing.T) {
	const (
		tick   = time.Second
		sleeps = tick / 5 // after ten sockets at once: they are a fifth of the full rate
		told   = 3        // how often that is looked at
	)
	c := newChoir(t, tick)
	said := 0
	for end := time.Now().Add(long); said < told; {
		if time.Now().After(end) {
			t.Fatalf("%d times in %v the poller slept while all was written, want %d", said, long, told)
		}
		if c.sing(t, 0); len(c.batches) != 1 {
			continue
		}
		began := c.began()
		if written := c.sing(t, sleeps/100); written.Sub(began) >= sleeps {
			continue
		}
		if said++; len(c.batches) != 1 {
			t.Fatalf("ten reads came in batches of %v, want one batch", c.batches)
		}
	}
}

// choir is ten sockets of a poller that get a byte each at the same time.
type choir struct {
	peers []net.Conn
	ready chan struct{} // each read

	mu      sync.Mutex
	begins  []time.Time // of each batch
	batches map[int]int // reads of the last round, by the number of the batch
}

func newChoir(t *testing.T, tick time.Duration) *choir {
	t.Helper()
	c := &choir{peers: make([]net.Conn, 10), ready: make(chan struct{}, 10)}
	p := start(t, poll.Options{Tick: tick, Begin: func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.begins = append(c.begins, time.Now())
	}})
	var reads sync.WaitGroup
	for i := range c.peers {
		var adopted net.Conn
		adopted, c.peers[i] = pair(t, p)
		reads.Go(func() { c.read(adopted.(*poll.Conn)) })
	}
	t.Cleanup(func() {
		for _, peer := range c.peers {
			_ = peer.Close()
		}
		reads.Wait()
	})
	return c
}

// read waits before each read, so that a byte isn't taken before the poller has
// told of it.
func (c *choir) read(from *poll.Conn) {
	for from.AwaitRead() == nil {
		if n, _ := from.TryRead(make([]byte, 1)); n == 0 {
			return
		}
		c.mu.Lock()
		c.batches[len(c.begins)-1]++
		c.mu.Unlock()
		c.ready <- struct{}{}
	}
}

// sing writes to all, with gaps, and returns when that was done after all have read.
func (c *choir) sing(t *testing.T, gap time.Duration) (written time.Time) {
	t.Helper()
	c.mu.Lock()
	c.batches = map[int]int{}
	c.mu.Unlock()
	for _, peer := range c.peers {
		<-time.After(gap) // nothing is waited for: a poller that looks would see it
		if _, err := peer.Write([]byte{1}); err != nil {
			t.Error(err)
		}
	}
	written = time.Now()
	for range c.peers {
		<-c.ready
	}
	return written
}

// began is when the last batch began.
func (c *choir) began() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begins[len(c.begins)-1]
}

func TestPoller_Adopt_leavesOtherConnectionsAsTheyAre(t *testing.T) {
	p := start(t, poll.Options{})
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if got := p.Adopt(a); got != a {
		t.Errorf("a pipe came back as %T", got)
	}
}
