package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

func TestRoom_Do(t *testing.T) {
	mid, index := "0", uint16(0)
	candidate := contract.ICECandidate{Candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host", SDPMid: &mid, SDPMLineIndex: &index}
	tests := map[string]struct {
		signal Signal
		want   string
	}{
		"offer":      {OfferTo(peerToken("bob"), "n1", contract.SessionDescription{Type: "offer", SDP: "v=0\r\n<&>"}), `{"type":"offer","seq":2,"room":"lobby","to":"bob","negotiation":"n1","description":{"type":"offer","sdp":"v=0\r\n<&>"},"traceparent":"tp"}`},
		"answer":     {AnswerTo(peerToken("bob"), "n1", contract.SessionDescription{Type: "answer", SDP: "v=0"}), `{"type":"answer","seq":2,"room":"lobby","to":"bob","negotiation":"n1","description":{"type":"answer","sdp":"v=0"},"traceparent":"tp"}`},
		"candidate":  {CandidatesTo(peerToken("bob"), "n1", candidate), `{"type":"candidate","seq":2,"room":"lobby","to":"bob","negotiation":"n1","candidate":{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","sdpMid":"0","sdpMLineIndex":0},"traceparent":"tp"}`},
		"candidates": {CandidatesTo(peerToken("bob"), "n1", contract.ICECandidate{}, contract.ICECandidate{}), `{"type":"candidate","seq":2,"room":"lobby","to":"bob","negotiation":"n1","candidates":[{"candidate":""},{"candidate":""}],"traceparent":"tp"}`},
		"message":    {MessageTo(peerToken("bob"), []int{1}), `{"type":"message","seq":2,"room":"lobby","to":"bob","data":[1],"traceparent":"tp"}`},
		"broadcast":  {ToAll(nil), `{"type":"message","seq":2,"room":"lobby","data":null,"traceparent":"tp"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				trace := ""
				_, r, conn := inLobby(t, s, WithTraceparent(func() string { return trace }))
				trace = "tp"
				sent := make(chan error, 1)
				go func() { sent <- r.Do(t.Context(), tt.signal) }()
				if got := string(conn.next(t)); got != tt.want {
					t.Errorf("client sent\n%s\nwant\n%s", got, tt.want)
				}
				synctest.Wait()
				select {
				case err := <-sent:
					t.Fatalf("Do returned %v before acked", err)
				default:
				}
				conn.ack(t, 2)
				if err := <-sent; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestRoom_DoRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, _ := inLobby(t, s)
		ctx := t.Context()
		bob := peerToken("bob")
		limit := contract.DefaultLimits().FrameBytes
		tests := map[string]struct {
			err  error
			want error
		}{
			"no receiver":   {r.Send(ctx, contract.Token{}, 1), contract.CodeBadFrame},
			"no signal":     {r.Do(ctx, Signal{}), contract.CodeBadFrame},
			"no candidate":  {r.Candidates(ctx, bob, "n"), contract.CodeBadFrame},
			"not JSON":      {r.Send(ctx, bob, func() {}), contract.CodeBadFrame},
			"raw not JSON":  {r.Send(ctx, bob, json.RawMessage("{")), contract.CodeBadFrame},
			"raw not UTF-8": {r.Send(ctx, bob, json.RawMessage("\"\xff\"")), contract.CodeBadFrame},
			"too large":     {r.Send(ctx, bob, strings.Repeat("x", limit)), contract.CodeTooLarge},
			"no id":         {r.Reply(ctx, Message{}, 1), contract.CodeBadFrame},
		}
		for name, tt := range tests {
			if !errors.Is(tt.err, tt.want) {
				t.Errorf("%s: %v, want %v", name, tt.err, tt.want)
			}
		}
		r.c.mu.Lock()
		defer r.c.mu.Unlock()
		if r.c.outbox.last != 1 || len(r.c.outbox.frames) != 0 {
			t.Error("a refused signal has used a seq")
		}
	})
}

func TestRoom_OtherVerbs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		ctx := t.Context()
		verbs := []struct {
			do   func() error
			want string
		}{
			{func() error { return r.SetPresence(ctx, "away") }, `{"type":"presence","seq":2,"room":"lobby","data":"away"}`},
			{func() error { return r.Moderate(ctx, contract.ActionKick, peerToken("bob")) }, `{"type":"moderate","seq":3,"room":"lobby","action":"kick","peer":"bob"}`},
			{func() error { return r.Moderate(ctx, contract.ActionLock, contract.Token{}) }, `{"type":"moderate","seq":4,"room":"lobby","action":"lock"}`},
			{func() error { return r.Refresh(ctx) }, `{"type":"refresh","seq":5,"room":"lobby","token":"token-lobby-refresh"}`},
			{func() error { return r.Leave(ctx) }, `{"type":"leave","seq":6,"room":"lobby"}`},
		}
		for i, verb := range verbs {
			sent := make(chan error, 1)
			go func() { sent <- verb.do() }()
			if got := string(conn.next(t)); got != verb.want {
				t.Errorf("client sent\n%s\nwant\n%s", got, verb.want)
			}
			conn.ack(t, uint64(i+2))
			if err := <-sent; err != nil {
				t.Error(err)
			}
		}
		if left := event[Left](t, r); left.Reason != contract.ReasonLeft {
			t.Errorf("left %+v, want the reason left", left)
		}
		if _, err := r.Next(ctx); !errors.Is(err, ErrLeft) {
			t.Errorf("Next after the end: %v, want ErrLeft", err)
		}
		if err := r.Leave(ctx); err != nil {
			t.Errorf("Leave again: %v, want nil", err)
		}
		if err := r.Broadcast(ctx, 1); !errors.Is(err, ErrLeft) {
			t.Errorf("Broadcast after the end: %v, want ErrLeft", err)
		}
	})
}

func TestRoom_SettlesEachFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		var sent []*Pending
		for i := range 4 {
			p, err := r.Post(MessageTo(peerToken("bob"), i))
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, p)
			conn.expect(t, contract.TypeMessage, nil)
		}
		conn.send(t, contract.Filtered{Type: contract.TypeFiltered, Re: 2, Rule: contract.RuleLoopback, Count: 3})
		conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Re: 4, Code: "from-tomorrow", Status: 418, Message: "no", Rule: "new"})
		conn.ack(t, 4)
		conn.ack(t, 99) // more than was sent: settles what was
		if f := event[Filtered](t, r); f.Kind != contract.TypeMessage || f.Rule != contract.RuleLoopback || f.Count != 3 {
			t.Errorf("filtered %+v", f)
		}
		for i, want := range []error{nil, nil, contract.Code("from-tomorrow"), nil} {
			if err := sent[i].Wait(t.Context()); !errors.Is(err, want) || !errors.Is(sent[i].Err(), want) {
				t.Errorf("frame %d: %v, want %v", i+2, err, want)
			}
		}
		var refused *RefusedError
		if err := sent[2].Err(); !errors.As(err, &refused) || refused.Status != 418 || refused.Retryable || refused.Rule != "new" || err.Error() != "from-tomorrow: no" {
			t.Errorf("refusal %+v, want all that the edge said", refused)
		}
		p, _ := r.Post(ToAll(1))
		var m contract.Message
		if conn.expect(t, contract.TypeMessage, &m); m.Seq != 6 {
			t.Errorf("next seq %d, want 6", m.Seq)
		}
		if p.Err() != nil {
			t.Errorf("unsettled frame: %v, want nil", p.Err())
		}
	})
}

func TestRoom_OutboxIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s, WithOutbox(2, 1000))
		synctest.Wait() // the join is settled
		for i := range 2 {
			if _, err := r.Post(ToAll(i)); err != nil {
				t.Fatal(err)
			}
			conn.expect(t, contract.TypeMessage, nil)
		}
		if _, err := r.Post(ToAll("one more")); !errors.Is(err, ErrOutboxFull) {
			t.Errorf("Post: %v, want ErrOutboxFull", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Broadcast(ctx, "waits in vain"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("Broadcast: %v, want the deadline and a known outcome", err)
		}
		sent := make(chan error, 1)
		go func() { sent <- r.Broadcast(t.Context(), "waits") }()
		synctest.Wait()
		conn.ack(t, 2)
		var m contract.Message
		if conn.expect(t, contract.TypeMessage, &m); string(m.Data) != `"waits"` || m.Seq != 4 {
			t.Errorf("client sent %s as %d, want what waited as 4", m.Data, m.Seq)
		}
		conn.ack(t, 4)
		if err := <-sent; err != nil {
			t.Error(err)
		}
		conn.conn.Close()
		s.accept(t) // not welcomed: nothing is written
		short, give := context.WithCancel(t.Context())
		taken := make(chan error, 1)
		go func() { taken <- r.Broadcast(short, strings.Repeat("x", 900)) }()
		synctest.Wait()
		go func() { sent <- r.Broadcast(t.Context(), strings.Repeat("y", 900)) }()
		synctest.Wait()
		give()
		if err := <-taken; !errors.Is(err, context.Canceled) {
			t.Errorf("Broadcast: %v, want canceled", err)
		}
		synctest.Wait()
		if _, err := r.Post(ToAll(strings.Repeat("z", 900))); !errors.Is(err, ErrOutboxFull) {
			t.Errorf("Post: %v: what waited must have taken the place of what was withdrawn", err)
		}
		if err := r.Broadcast(t.Context(), strings.Repeat("x", 1000)); !errors.Is(err, contract.CodeTooLarge) {
			t.Errorf("more than the whole outbox: %v, want too_large", err)
		}
	})
}

func TestRoom_CallGivenUp(t *testing.T) {
	t.Run("written", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			_, r, conn := inLobby(t, s)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := r.Broadcast(ctx, 1)
			if !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want the deadline and ErrUnknownOutcome", err)
			}
			conn.expect(t, contract.TypeMessage, nil)
		})
	})
	t.Run("not written", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			_, r, conn := inLobby(t, s)
			conn.conn.Close()
			next := s.accept(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := r.Broadcast(ctx, "withdrawn"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknownOutcome) {
				t.Errorf("error %v, want the deadline alone", err)
			}
			p, err := r.Post(ToAll("kept"))
			if err != nil {
				t.Fatal(err)
			}
			var hello contract.Hello
			next.expect(t, contract.TypeHello, &hello)
			w := contract.Welcome{Type: contract.TypeWelcome, Session: "s", Limits: contract.DefaultLimits()}
			resumed(&hello, &w)
			next.send(t, w)
			var m contract.Message
			if next.expect(t, contract.TypeMessage, &m); string(m.Data) != `"kept"` || m.Seq != 2 {
				t.Errorf("client sent %s as %d, want only what was kept", m.Data, m.Seq)
			}
			next.ack(t, 2)
			if err := p.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			event[Resumed](t, r)
		})
	})
}

func TestRoom_PacesItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s, WithOutbox(10_000, 10<<20))
		began := time.Now()
		for i := range 300 {
			if _, err := r.Post(MessageTo(peerToken("bob"), i)); err != nil {
				t.Fatal(err)
			}
		}
		for seq := uint64(2); seq <= 301; seq++ {
			var m contract.Message
			conn.expect(t, contract.TypeMessage, &m)
			if m.Seq != seq || string(m.Data) != fmt.Sprint(seq-2) {
				t.Fatalf("frame %d carries %s, want them in order", m.Seq, m.Data)
			}
			conn.ack(t, seq)
		}
		// 180 at once, the join among them; the other 121 at 45 a second.
		if took := time.Since(began); took < 2600*time.Millisecond || took > 2800*time.Millisecond {
			t.Errorf("300 frames took %v, want about 2.7 s", took)
		}
	})
}

func TestRoom_KeepsTheEdgesBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s, WithOutbox(1000, 1<<20))
		conn.conn.Close()
		conn, _ = s.welcomed(t, func(h *contract.Hello, w *contract.Welcome) {
			resumed(h, w)
			w.Limits.UnsettledCount = 3
		})
		event[Resumed](t, r)
		for i := range 5 {
			if _, err := r.Post(ToAll(i)); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			conn.expect(t, contract.TypeMessage, nil)
		}
		synctest.Wait()
		if len(conn.frames) != 0 {
			t.Error("more frames are unacknowledged than the edge allows")
		}
		conn.ack(t, 2)
		var m contract.Message
		if conn.expect(t, contract.TypeMessage, &m); m.Seq != 5 {
			t.Errorf("seq %d, want 5", m.Seq)
		}
	})
}

func TestRoom_LargeFramesTravelInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		data := strings.Repeat(`"ä\ 😀`, 12_000)
		if _, err := r.Post(MessageTo(peerToken("bob"), data)); err != nil {
			t.Fatal(err)
		}
		var whole strings.Builder
		for index := 0; ; index++ {
			text := conn.next(t)
			if len(text) > 48<<10 {
				t.Fatalf("a message of %d bytes, want at most 48 KiB", len(text))
			}
			var p contract.Part
			if err := json.Unmarshal(text, &p); err != nil || p.Type != contract.TypePart || p.Index != index {
				t.Fatalf("part %d is %+v, %v", index, p, err)
			}
			whole.WriteString(p.Chunk)
			if p.Index == p.Of-1 {
				break
			}
		}
		var m contract.Message
		if err := json.Unmarshal([]byte(whole.String()), &m); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal(m.Data, &got); err != nil || got != data || m.Seq != 2 {
			t.Errorf("assembled frame %d has %d bytes of data, want %d", m.Seq, len(got), len(data))
		}
	})
}

func TestClient_BatchIsBounded(t *testing.T) {
	c := testClient(t)
	r := &Room{c: c, name: "lobby", state: roomJoined}
	for range 10 {
		if _, err := r.Post(ToAll(strings.Repeat("x", batchBytes/2))); err != nil {
			t.Fatal(err)
		}
	}
	s := &socket{limits: contract.DefaultLimits(), pace: newPace(contract.DefaultLimits(), time.Now())}
	_, _ = c.batch(s, time.Now())
	if s.out.Len() < batchBytes || s.out.Len() > 2*batchBytes {
		t.Errorf("one batch of %d bytes, want about %d", s.out.Len(), batchBytes)
	}
}
