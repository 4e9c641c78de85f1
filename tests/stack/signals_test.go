package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// The scenario of signals: in each room three members on two edges send signals
// to one other member, and every fourth to both.
const (
	signalRooms   = 20
	signalMembers = 3
	signalsEach   = 167 // of one member: 20 * 3 * 167 = 10,020 signals
)

// step is one signal of the scenario.
type step struct {
	Sender int `json:"sender"`
	N      int `json:"n"`
}

// toAll reports whether the n-th signal of a member is for all others.
func toAll(n int) bool { return n%4 == 3 }

// receiver is who gets the n-th signal of a member that isn't for all.
func receiver(sender, n int) int { return (sender + 1 + n%2) % signalMembers }

// expected are the signals of one sender that a receiver must get, in order.
func expected(sender, to int) (steps []step) {
	for n := range signalsEach {
		if sender != to && (toAll(n) || receiver(sender, n) == to) {
			steps = append(steps, step{sender, n})
		}
	}
	return steps
}

func TestSignals_deliveredOnceInOrderToTheRightPeers(t *testing.T) {
	for _, way := range []struct {
		name  string
		start func(testing.TB, Options) *Stack
		shard int
	}{{"in process", InProcess, 1}, {"seven processes", Processes, 3}} {
		t.Run(way.name, func(t *testing.T) {
			s := way.start(t, Options{Shards: way.shard})
			var rooms sync.WaitGroup
			for i := range signalRooms {
				rooms.Go(func() { signalRoom(t, s, fmt.Sprintf("room %d", i)) })
			}
			rooms.Wait()
		})
	}
}

// signalRoom plays the scenario in one room.
func signalRoom(t *testing.T, s *Stack, name string) {
	var members [signalMembers]*client.Room
	for i := range members {
		members[i] = Join(t, s.Dial(t, i%len(s.Edges), fmt.Sprintf("member %d", i)), name)
	}
	var work sync.WaitGroup
	for i := range members {
		work.Go(func() { receiveAll(t, members[:], i) })
	}
	for i := range members {
		work.Go(func() { sendAll(t, members[:], i) })
	}
	work.Wait()
}

func sendAll(t *testing.T, members []*client.Room, self int) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	waitPeers(t, members[self], signalMembers-1)
	var window []*client.Pending
	for n := range signalsEach {
		signal := client.ToAll(step{self, n})
		if !toAll(n) {
			signal = client.MessageTo(members[receiver(self, n)].Self().Peer, step{self, n})
		}
		pending, err := members[self].Post(signal)
		if err != nil {
			t.Errorf("member %d, signal %d: %v", self, n, err)
			return
		}
		window = append(window, pending)
		if len(window) < 50 && n < signalsEach-1 {
			continue
		}
		for _, p := range window {
			if err := p.Wait(ctx); err != nil {
				t.Errorf("member %d: a signal was not acknowledged: %v", self, err)
				return
			}
		}
		window = window[:0]
	}
}

// waitPeers waits until the roster holds so many others.
func waitPeers(t *testing.T, r *client.Room, count int) {
	deadline := time.Now().Add(time.Minute)
	for len(r.Peers()) < count {
		if time.Now().After(deadline) {
			t.Errorf("the roster of %s has %d others, want %d", r.Name(), len(r.Peers()), count)
			return
		}
		wait(t.Context(), time.Millisecond)
	}
}

func receiveAll(t *testing.T, members []*client.Room, self int) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	bySender := map[int][]step{}
	total := 0
	for sender := range members {
		bySender[sender] = expected(sender, self)
		total += len(bySender[sender])
	}
	got := map[int][]step{}
	for range total {
		m, err := nextMessage(ctx, members[self])
		if err != nil {
			t.Errorf("member %d: %v", self, err)
			return
		}
		var s step
		if err := json.Unmarshal(m.Data, &s); err != nil {
			t.Errorf("member %d got %s: %v", self, m.Data, err)
			return
		}
		if want := members[s.Sender].Self().Peer; m.From != want {
			t.Errorf("member %d: a signal of %s came from %s", self, want, m.From)
		}
		got[s.Sender] = append(got[s.Sender], s)
	}
	for sender, want := range bySender {
		if !slices.Equal(got[sender], want) {
			t.Errorf("member %d got %v of member %d, want %v", self, got[sender], sender, want)
		}
	}
}

// nextMessage skips what isn't a message.
func nextMessage(ctx context.Context, r *client.Room) (client.Message, error) {
	for {
		event, err := r.Next(ctx)
		if err != nil {
			return client.Message{}, err
		}
		if m, ok := event.(client.Message); ok {
			return m, nil
		}
	}
}

// isCode reports whether err is a refusal with that code.
func isCode(err error, code contract.Code) bool { return errors.Is(err, code) }
