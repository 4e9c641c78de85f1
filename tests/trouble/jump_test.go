package trouble

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/tests/stack"
)

const (
	// jump is after how many seconds of a program's life its clock jumps.
	jump = 2
	// after is for how long two members go on talking then.
	after = time.Second
)

// TestClock_jumps sets the clock of each program forward and back while two members
// talk: all that was acknowledged arrives, once and in order, nobody loses its
// connection, and others join.
func TestClock_jumps(t *testing.T) {
	off, right := buildSkewed(t), bin(t)
	for _, ahead := range []time.Duration{skew, -skew} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			s := stack.Processes(t, stack.Options{Environ: []string{
				fmt.Sprintf("%s=%d", aheadVariable, int64(ahead/time.Second)), fmt.Sprintf("%s=%d", sinceVariable, jump),
			}})
			for _, name := range []string{stack.NATS, "authsvc", "candidatefilter", "roomsvc-1", "edge-1"} {
				p := s.Process(t, name)
				p.Stop(t)
				p.Use(off)
				p.Start(t)
				p.WaitReady(t)
				talkOver(t, s, name, func() bool { return (clockOf(t, p) - ahead).Abs() < skew/2 })
				meet(t, s, name+", after the jump")
				p.Stop(t)
				p.Use(right)
				p.Start(t)
				p.WaitReady(t)
			}
		})
	}
}

// clockOf is how far the clock of a program is ahead, by the date of its answers.
func clockOf(t *testing.T, p *stack.Process) time.Duration {
	t.Helper()
	response, err := http.Get("http://" + p.Admin + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return time.Until(date)
}

// talkOver has two members talk until a clock has jumped, and then for a while.
func talkOver(t *testing.T, s *stack.Stack, room string, jumped func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	clients := []*client.Client{s.Dial(t, 0, "ada"), s.Dial(t, 1, "bob")}
	ada, bob := stack.Join(t, clients[0], room), stack.Join(t, clients[1], room)
	awaitPeer(ctx, t, ada, bob.Self().Peer)
	if jumped() {
		t.Fatalf("the clock of %s jumped before anybody talked", room)
	}
	all, heard := make(chan int, 1), make(chan error, 1)
	go func() { heard <- numbered(ctx, bob, all) }()
	n, left := 0, time.Duration(0)
	for begin := time.Now(); left == 0 || time.Since(begin) < left; n++ {
		if err := ada.Send(ctx, bob.Self().Peer, n); err != nil {
			t.Fatalf("%s: message %d: %v", room, n, err)
		}
		if n%16 == 0 && left == 0 && jumped() {
			left = time.Since(begin) + after
		}
	}
	all <- n
	if err := ada.Send(ctx, bob.Self().Peer, n); err != nil {
		t.Fatalf("%s: the last message: %v", room, err)
	}
	if err := <-heard; err != nil {
		t.Errorf("%s: %v", room, err)
	}
	for _, c := range clients {
		if connects := c.Stats().Connects; connects != 1 {
			t.Errorf("%s: a member connected %d times, want once", room, connects)
		}
	}
}

// numbered takes messages, which must be 0, 1, 2 and so on to the one that all says
// when it is known.
func numbered(ctx context.Context, room *client.Room, all <-chan int) error {
	for want, last := 0, -1; ; {
		event, err := room.Next(ctx)
		if err != nil {
			return fmt.Errorf("wait for message %d: %w", want, err)
		}
		switch e := event.(type) {
		case client.Gap:
			return errors.New("a gap")
		case client.Message:
			if string(e.Data) != fmt.Sprint(want) {
				return fmt.Errorf("message %s came, want %d", e.Data, want)
			}
			select {
			case last = <-all:
			default: // there are more
			}
			if want == last {
				return nil
			}
			want++
		}
	}
}
