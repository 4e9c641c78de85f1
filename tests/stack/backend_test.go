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

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/contract"
)

// rooms is the Server API of one of the stack's roomsvcs.
func (s *Stack) rooms(i int) standalone.Rooms {
	return standalone.Rooms{URL: s.RoomsURLs[i], APIKey: APIKey}
}

// awaitKey waits until every roomsvc knows the stack's API key.
func (s *Stack) awaitKey(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range s.RoomsURLs {
		for {
			_, err := s.rooms(i).List(ctx, "", 0)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				t.Fatalf("roomsvc %d doesn't know the key: %v", i, err)
			}
			wait(ctx, 10*time.Millisecond)
		}
	}
}

// TestBackend_messagesReachEveryMemberOnceAndInOrder has two backends talk to a
// room through both roomsvcs at the same time, while the sockets of its members
// are cut again and again.
func TestBackend_messagesReachEveryMemberOnceAndInOrder(t *testing.T) {
	const each = 60
	s := InProcess(t, Options{})
	s.awaitKey(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var wires [2]cutter
	var members [2]*client.Room
	for i := range members {
		c := s.Dial(t, i, []string{"ada", "bob"}[i],
			client.WithDialer(wires[i].dial), client.WithBackoff(time.Millisecond, 20*time.Millisecond))
		members[i] = Join(t, c, "news")
	}
	waitPeers(t, members[0], 1)

	var mu sync.Mutex
	var sent []uint64
	var backends sync.WaitGroup
	for i := range 2 {
		backends.Go(func() {
			for n := range each {
				change, err := s.rooms(i).Change(ctx, "news", "message", map[string]any{"data": map[string]int{"backend": i, "n": n}})
				if err != nil {
					t.Errorf("backend %d, message %d: %v", i, n, err)
					return
				}
				mu.Lock()
				sent = append(sent, change.Revision)
				mu.Unlock()
			}
		})
	}
	stop := make(chan struct{})
	var cuts sync.WaitGroup
	cuts.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(15 * time.Millisecond):
				wires[n%2].cut()
			}
		}
	})
	backends.Wait()
	close(stop)
	cuts.Wait()
	last, err := s.rooms(0).Change(ctx, "news", "message", map[string]any{"data": "end"})
	if err != nil {
		t.Fatal(err)
	}
	sent = append(sent, last.Revision)
	slices.Sort(sent)
	for i, r := range members {
		if got := backendRevisions(ctx, t, r, last.Revision); !slices.Equal(got, sent) {
			t.Errorf("member %d got the messages %v, want %v", i, got, sent)
		}
	}
}

// backendRevisions are the seqs of the backend's messages up to the given one.
func backendRevisions(ctx context.Context, t testing.TB, r *client.Room, until uint64) []uint64 {
	t.Helper()
	var got []uint64
	for event, err := range r.Events(ctx) {
		if err != nil {
			t.Fatalf("after %d messages: %v", len(got), err)
		}
		m, is := event.(client.Message)
		if !is {
			continue
		}
		if !m.From.IsZero() || m.Epoch != 0 {
			t.Errorf("got a message of %v, want one of the backend", m.From)
		}
		if got = append(got, m.Seq); m.Seq >= until {
			return got
		}
	}
	return got
}

func TestBackend_message(t *testing.T) {
	s := InProcess(t, Options{})
	s.awaitKey(t)
	api := s.rooms(0)
	ada := Join(t, s.Dial(t, 0, "ada"), "talk")
	if _, err := api.Change(t.Context(), "talk", "message", map[string]any{"data": "only ada is here"}); err != nil {
		t.Fatal(err)
	}
	bob := Join(t, s.Dial(t, 1, "bob"), "talk")
	for _, body := range []map[string]any{
		{"data": nil, "to": bob.Self().Peer},
		{"data": json.RawMessage("{\"<b>\":[1,\"ä\u2028\",null]}"), "id": "q1"},
	} {
		if _, err := api.Change(t.Context(), "talk", "message", body); err != nil {
			t.Fatal(err)
		}
	}
	heard := func(r *client.Room, want ...string) {
		t.Helper()
		for _, text := range want {
			m, err := nextMessage(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.ID + string(m.Data); got != text || !m.From.IsZero() {
				t.Errorf("got %s of %v, want %s of nobody", got, m.From, text)
			}
		}
	}
	all := "q1{\"<b>\":[1,\"ä\u2028\",null]}"
	heard(ada, `"only ada is here"`, all)
	heard(bob, `null`, all)
	t.Run("as long as may be", func(t *testing.T) {
		most := roomsvc.DefaultConfig().MessageBytes - len(`{"data":""}`)
		text := make([]byte, most)
		for i := range text {
			text[i] = 'x'
		}
		if _, err := api.Change(t.Context(), "talk", "message", map[string]any{"data": string(text)}); err != nil {
			t.Fatal(err)
		}
		m, err := nextMessage(t.Context(), bob)
		if err != nil || len(m.Data) != most+2 {
			t.Errorf("got %d bytes and %v, want %d", len(m.Data), err, most+2)
		}
		_, err = api.Change(t.Context(), "talk", "message", map[string]any{"data": string(text) + "x"})
		if !errors.Is(err, contract.CodeTooLarge) {
			t.Errorf("a byte more: got %v, want %s", err, contract.CodeTooLarge)
		}
	})
	for name, one := range map[string]struct {
		room string
		body map[string]any
		want contract.Code
	}{
		"to nobody":        {"talk", map[string]any{"data": 1, "to": "a2c4e6g2i4k6m2o4q6s2"}, contract.CodePeerGone},
		"to the empty id":  {"talk", map[string]any{"data": 1, "to": ""}, contract.CodeBadID},
		"without data":     {"talk", map[string]any{"to": bob.Self().Peer}, contract.CodeBadFrame},
		"an empty id":      {"talk", map[string]any{"data": 1, "id": ""}, contract.CodeBadFrame},
		"into no room":     {"nowhere", map[string]any{"data": 1}, contract.CodeRoomNotFound},
		"data of 16 deep":  {"talk", map[string]any{"data": nested(16)}, contract.CodeBadJSON},
		"an id of 129":     {"talk", map[string]any{"data": 1, "id": fmt.Sprintf("%0129d", 1)}, contract.CodeBadFrame},
		"to no text":       {"talk", map[string]any{"data": 1, "to": 5}, contract.CodeBadFrame},
		"data of 15 works": {"talk", map[string]any{"data": nested(15)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := api.Change(t.Context(), one.room, "message", one.body)
			if one.want == "" && err != nil || one.want != "" && !errors.Is(err, one.want) {
				t.Errorf("got %v, want %q", err, one.want)
			}
		})
	}
}

func nested(depth int) json.RawMessage {
	text := ""
	for range depth {
		text = "[" + text + "]"
	}
	return json.RawMessage(text)
}

func TestBackend_moderates(t *testing.T) {
	s := InProcess(t, Options{})
	s.awaitKey(t)
	ada := Join(t, s.Dial(t, 0, "ada"), "court")
	bob := Join(t, s.Dial(t, 1, "bob"), "court")
	if _, err := s.rooms(1).Change(t.Context(), "court", "kick", map[string]any{"identity": "bob"}); err != nil {
		t.Fatal(err)
	}
	for event, err := range bob.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if left, is := event.(client.Left); is {
			if left.Reason != contract.ReasonKicked {
				t.Errorf("bob left for %s, want %s", left.Reason, contract.ReasonKicked)
			}
			break
		}
	}
	if _, err := s.rooms(0).Change(t.Context(), "court", "lock", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Dial(t, 1, "cy").Join(t.Context(), "court"); !isCode(err, contract.CodeRoomLocked) {
		t.Errorf("join of a locked room: %v", err)
	}
	view, err := s.rooms(1).Show(t.Context(), "court")
	if err != nil || !view.Locked || len(view.Members) != 1 || view.Members[0].Peer != ada.Self().Peer {
		t.Errorf("the room is %+v (%v), want it locked, with ada alone", view, err)
	}
	change, err := s.rooms(1).Change(t.Context(), "court", "close", nil)
	if err != nil || change.Kicked == nil || *change.Kicked != 1 {
		t.Errorf("close: %+v, %v", change, err)
	}
}
