package trace

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/tests/monitor"
	"github.com/parley-rtc/parley/tests/stack"
)

// testMembership follows a join and a leave in a room whose members are on two
// edges.
func testMembership(t *testing.T, s *stack.Stack, receiver *Receiver, ada *person) {
	carol, joining := enter(t, s, 1, "carol")
	t.Run("a join is one trace", func(t *testing.T) {
		ada.sees(t, 2)
		checkChange(t, receiver, joining, "room.join")
	})
	t.Run("a presence is one trace", func(t *testing.T) {
		showing := monitor.NewParent(true)
		carol.begin(showing)
		ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
		defer cancel()
		if err := carol.room.SetPresence(ctx, "here I am"); err != nil {
			t.Fatal(err)
		}
		checkPresence(t, receiver, showing)
	})
	t.Run("a leave is one trace", func(t *testing.T) {
		leaving := monitor.NewParent(true)
		carol.begin(leaving)
		ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
		defer cancel()
		if err := carol.room.Leave(ctx); err != nil {
			t.Fatal(err)
		}
		ada.sees(t, 1)
		checkChange(t, receiver, leaving, "room.leave")
	})
}

// checkChange holds a trace against a room's change that is told to two edges:
// the frame, the commit, an entry for each edge, and what the edges do with it.
func checkChange(t *testing.T, receiver *Receiver, parent monitor.Parent, commit string) {
	t.Helper()
	want := []string{"edge.deliver", "edge.deliver", "edge.receive", "log.append", "log.append", commit}
	spans := receiver.Await(t, parent.Trace, len(want))
	if got := names(spans); !slices.Equal(got, want) {
		t.Fatalf("the trace has %q, want %q", got, want)
	}
	at := func(name string) Span {
		return spans[slices.IndexFunc(spans, func(s Span) bool { return s.Name == name })]
	}
	receive, change := at("edge.receive"), at(commit)
	if receive.Parent != parent.ID || change.Parent != receive.ID {
		t.Errorf("edge.receive is under %s and %s under %s, want %s and %s", receive.Parent, commit, change.Parent, parent.ID, receive.ID)
	}
	if change.Failed || change.Attributes["parley.outcome"] != "done" {
		t.Errorf("%s: failed %v, %v", commit, change.Failed, change.Attributes)
	}
	edges := map[string]bool{}
	for _, s := range spans {
		switch s.Name {
		case "log.append":
			if s.Parent != change.ID || s.Instance != change.Instance || s.End.After(change.End) {
				t.Errorf("log.append by %s under %s until %v, want inside of %s, by %s", s.Instance, s.Parent, s.End, commit, change.Instance)
			}
		case "edge.deliver":
			edges[s.Instance] = true
			if s.Parent != change.ID || s.Attributes["parley.frame.type"] != "event" {
				t.Errorf("edge.deliver of %v under %s, want an event under %s", s.Attributes, s.Parent, change.ID)
			}
		}
	}
	if len(edges) != 2 || !edges[receive.Instance] {
		t.Errorf("the event came to %v, want both edges", edges)
	}
}

// checkPresence holds a trace against a presence that is told to two edges, by
// the way of signals.
func checkPresence(t *testing.T, receiver *Receiver, parent monitor.Parent) {
	t.Helper()
	want := []string{
		"edge.deliver", "edge.deliver", "edge.receive", "filter.sanitise", "filter.sanitise", "log.append", "log.append",
	}
	spans := receiver.Await(t, parent.Trace, len(want))
	if got := names(spans); !slices.Equal(got, want) {
		t.Fatalf("the trace has %q, want %q", got, want)
	}
	receive := spans[slices.IndexFunc(spans, func(s Span) bool { return s.Name == "edge.receive" })]
	for _, s := range spans {
		under := receive.ID
		if s.ID == receive.ID {
			under = parent.ID
		}
		if s.Parent != under {
			t.Errorf("%s is under %s, want %s", s.Name, s.Parent, under)
		}
	}
}

func testTokens(t *testing.T, s *stack.Stack, receiver *Receiver) {
	before := len(tokenRoots(receiver.Spans()))
	t.Run("a backend begins the trace", func(t *testing.T) {
		mine := monitor.NewParent(true)
		askToken(t, s, mine.String(), http.StatusCreated)
		spans := receiver.Await(t, mine.Trace, 1)
		if got := spans[0]; got.Name != "auth.token" || got.Parent != mine.ID || got.Failed {
			t.Errorf("got %+v, want auth.token under %s", got, mine.ID)
		}
	})
	t.Run("a token is a trace of its own", func(t *testing.T) {
		askToken(t, s, "", http.StatusCreated)
		marker := monitor.NewParent(true) // what comes after it comes later
		askToken(t, s, marker.String(), http.StatusCreated)
		receiver.Await(t, marker.Trace, 1)
		if got := len(tokenRoots(receiver.Spans())) - before; got != 1 {
			t.Errorf("%d traces begin with auth.token, want 1", got)
		}
	})
}

func tokenRoots(spans []Span) []Span {
	return slices.DeleteFunc(spans, func(s Span) bool { return s.Name != "auth.token" || s.Parent != "" })
}

// askToken asks for a token as a backend does that traces.
func askToken(t *testing.T, s *stack.Stack, traceparent string, want int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.AuthURLs[0]+"/v1/tokens",
		strings.NewReader(`{"room":"r","identity":"dave"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+stack.APIKey.Reveal())
	req.Header.Set("Content-Type", "application/json")
	if traceparent != "" {
		req.Header.Set("traceparent", traceparent)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != want {
		t.Fatalf("got %d, want %d", resp.StatusCode, want)
	}
}
