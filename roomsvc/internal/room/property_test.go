package room_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// walk drives a room through random batches and checks what must always hold.
type walk struct {
	t     *rapid.T
	rules room.Rules
	state room.State
	ids   idSource
	n     map[string]uint64
	last  map[string]contract.RoomChange
	said  map[string]room.Answer
	known []contract.Token // peers that were ever named
}

type idSource struct{ next int }

func must(text string) contract.Token {
	parsed, err := contract.ParseToken(text)
	if err != nil {
		panic(err)
	}
	return parsed
}

func (w *walk) op(joined map[contract.Token]bool) contract.RoomOp {
	kinds := []contract.OpKind{
		contract.OpJoin, contract.OpJoin, contract.OpJoin, contract.OpJoin, contract.OpLeave, contract.OpLeave,
		contract.OpKick, contract.OpLock, contract.OpUnlock, contract.OpUnlock, contract.OpClose,
	}
	op := contract.RoomOp{Kind: rapid.SampledFrom(kinds).Draw(w.t, "kind")}
	switch op.Kind {
	case contract.OpJoin:
		op.Identity = rapid.SampledFrom([]string{"ada", "bob", "cy", `"\"`, "dé\u2028", "eve", "fay"}).Draw(w.t, "identity")
		op.Peer = w.peer(rapid.IntRange(0, 5).Draw(w.t, "fresh") > 0)
		if joined[op.Peer] {
			op.Peer = w.peer(true)
		}
		joined[op.Peer] = true
	case contract.OpLeave:
		op.Peer, op.Reason = w.peer(false), contract.ReasonLeft
	case contract.OpKick:
		op.Peer = w.peer(false)
	default:
	}
	return op
}

func (w *walk) peer(fresh bool) contract.Token {
	if fresh || len(w.known) == 0 {
		w.ids.next++
		w.known = append(w.known, must(fmt.Sprintf("p%d", w.ids.next)))
		return w.known[len(w.known)-1]
	}
	return w.known[rapid.IntRange(max(0, len(w.known)-12), len(w.known)-1).Draw(w.t, "peer")]
}

func (w *walk) request() contract.RoomChange {
	edge := fmt.Sprintf("edge-%d", rapid.IntRange(1, 4).Draw(w.t, "edge"))
	if prior, ok := w.last[edge]; ok && rapid.IntRange(0, 3).Draw(w.t, "repeat") == 0 {
		return prior
	}
	w.n[edge]++
	r := contract.RoomChange{App: must("a"), Room: must("r"), Edge: must(edge), N: w.n[edge]}
	joined := map[contract.Token]bool{}
	for range rapid.IntRange(1, 6).Draw(w.t, "ops") {
		r.Ops = append(r.Ops, w.op(joined))
	}
	w.last[edge] = r
	return r
}

func (w *walk) step() {
	var batch []contract.RoomChange
	for range rapid.IntRange(1, 4).Draw(w.t, "batch") {
		batch = append(batch, w.request())
	}
	before := w.state
	next, out := before.Apply(batch, w.rules)
	w.events(before, next, out)
	w.document(next)
	w.answers(batch, out)
	w.again(next, batch)
	w.state = next
}

// events: revisions without hole or repeat, and events that tell exactly what
// the document shows.
func (w *walk) events(before, next room.State, out room.Outcome) {
	in := map[contract.Token]bool{}
	for _, m := range before.Members() {
		in[m.Peer] = true
	}
	at := before.Revision()
	for _, e := range out.Events {
		if at++; e.Revision != at {
			w.t.Fatalf("event of revision %d follows %d", e.Revision, at-1)
		}
		switch e.Kind {
		case contract.EventJoined:
			if in[e.Member.Peer] || e.Member.Epoch != e.Revision {
				w.t.Fatalf("joined twice or with a wrong epoch: %+v", e)
			}
			in[e.Member.Peer] = true
		case contract.EventLeft:
			if !in[e.Peer] {
				w.t.Fatalf("left without being in: %+v", e)
			}
			delete(in, e.Peer)
		default:
		}
	}
	if next.Revision() != at || out.Base != before.Revision() {
		w.t.Fatalf("revision %d after events up to %d", next.Revision(), at)
	}
	for _, m := range next.Members() {
		if !in[m.Peer] {
			w.t.Fatalf("%v is in without an event", m.Peer)
		}
		delete(in, m.Peer)
	}
	if len(in) > 0 {
		w.t.Fatalf("in by the events alone: %v", in)
	}
}

func (w *walk) document(next room.State) {
	last, identities := uint64(0), map[string]bool{}
	for _, m := range next.Members() {
		if m.Epoch <= last || m.Epoch > next.Revision() {
			w.t.Fatalf("epoch %d follows %d in a room at %d", m.Epoch, last, next.Revision())
		}
		last = m.Epoch
		if identities[m.Identity] && w.rules.Duplicates != contract.DuplicateAllow {
			w.t.Fatalf("%q is in twice under %s", m.Identity, w.rules.Duplicates)
		}
		identities[m.Identity] = true
	}
	if len(next.Members()) > w.rules.Capacity {
		w.t.Fatalf("%d members, the capacity is %d", len(next.Members()), w.rules.Capacity)
	}
	if len(next.Members()) == 0 && next.Document().Locked {
		w.t.Fatal("an empty room is locked")
	}
	value, err := next.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	if len(value) > w.rules.MaxBytes {
		w.t.Fatalf("the document takes %d bytes of %d", len(value), w.rules.MaxBytes)
	}
	back, err := room.Decode(must("a"), must("r"), value)
	if err != nil {
		w.t.Fatal(err)
	}
	if again, _ := back.Encode(); string(again) != string(value) {
		w.t.Fatalf("stored %s, read %s", value, again)
	}
}

// answers: a repeat is answered as the first time.
func (w *walk) answers(batch []contract.RoomChange, out room.Outcome) {
	for i, r := range batch {
		answer := out.Answers[i]
		key := fmt.Sprint(r.Edge, r.N)
		if answer.Standing == room.Applied {
			w.said[key] = answer
		}
		if answer.Standing == room.Repeated && fmt.Sprint(w.said[key].Results) != fmt.Sprint(answer.Results) {
			w.t.Fatalf("request %+v: said %v, then %v", r, w.said[key].Results, answer.Results)
		}
	}
}

// again: the same batch a second time does nothing.
func (w *walk) again(next room.State, batch []contract.RoomChange) {
	_, out := next.Apply(batch, w.rules)
	if out.Changed || len(out.Events) > 0 {
		w.t.Fatalf("a repeated batch did %+v", out.Events)
	}
}

func TestRoom_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &walk{
			t: t, state: room.New(must("a"), must("r")), n: map[string]uint64{},
			last: map[string]contract.RoomChange{}, said: map[string]room.Answer{},
			rules: room.Rules{
				Capacity:   rapid.IntRange(1, 12).Draw(t, "capacity"),
				Duplicates: rapid.SampledFrom([]contract.DuplicatePolicy{contract.DuplicateReplace, contract.DuplicateReject, contract.DuplicateAllow}).Draw(t, "duplicates"),
				MaxBytes:   room.Reserve + rapid.IntRange(0, 3000).Draw(t, "bytes"),
			},
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			w.step()
		}
	})
}

// TestRoom_bytes_property fills every part of a document at once: members up to
// the edge of the bytes, departures, idle writers, and refusals.
func TestRoom_bytes_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := room.Rules{Capacity: 1 << 20, Duplicates: contract.DuplicateAllow, MaxBytes: room.Reserve + 8<<10}
		state := room.New(must("a"), must("r"))
		peer := 0
		for e := range rapid.IntRange(1, 12).Draw(t, "edges") {
			r := contract.RoomChange{App: must("a"), Room: must("r"), N: 1 << 60, Edge: must(fmt.Sprintf("edge-%058d", e))}
			for range rapid.SampledFrom([]int{1, 2, 30, 300}).Draw(t, "ops") {
				peer++
				r.Ops = append(r.Ops, contract.RoomOp{
					Kind: contract.OpJoin, Identity: strings.Repeat("\"\\<\u2028", 20) + strconv.Itoa(peer),
					Peer: contract.ID(fmt.Sprintf("%0120d.%d", 0, peer)).Token(), // escaped: the longest there are
				})
			}
			if rapid.Bool().Draw(t, "leave") && len(state.Members()) > 0 {
				r.Ops[0] = contract.RoomOp{Kind: contract.OpLeave, Peer: state.Members()[0].Peer}
			}
			state, _ = state.Apply([]contract.RoomChange{r}, rules)
			if size := len(encoded(t, state)); size > rules.MaxBytes {
				t.Fatalf("the document takes %d bytes of %d", size, rules.MaxBytes)
			}
		}
		var parts map[string]json.RawMessage
		if err := json.Unmarshal(encoded(t, state), &parts); err != nil {
			t.Fatal(err)
		}
		if got, most := len(parts["members"]), rules.MaxBytes-room.Reserve+len("[]"); got > most {
			t.Fatalf("the members take %d bytes of the %d that aren't reserved", got, most)
		}
	})
}
