package room_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// plain is a room as one would write it that needn't be stored, nor be asked
// twice.
type plain struct {
	rules    room.Rules
	revision uint64
	locked   bool
	members  []contract.Member
	gone     map[contract.Token]bool
	story    []string
}

func (p *plain) tell(format string, args ...any) {
	p.revision++
	p.story = append(p.story, fmt.Sprintf("%d ", p.revision)+fmt.Sprintf(format, args...))
}

func (p *plain) do(edge contract.Token, op *contract.RoomOp) contract.Code {
	switch op.Kind {
	case contract.OpJoin:
		return p.join(edge, op)
	case contract.OpLeave:
		p.leave(op.Reason, func(m *contract.Member) bool { return m.Peer == op.Peer })
	case contract.OpKick:
		p.leave(contract.ReasonKicked, func(m *contract.Member) bool {
			return m.Peer == op.Peer || op.Peer.IsZero() && m.Identity == op.Identity
		})
	case contract.OpClose:
		p.leave(contract.ReasonClosed, func(*contract.Member) bool { return true })
	case contract.OpLock:
		if !p.locked && len(p.members) > 0 {
			p.locked = true
			p.tell("locked")
		}
	case contract.OpUnlock:
		p.unlock()
	case contract.OpMessage:
		if len(p.members) == 0 {
			return contract.CodeRoomNotFound
		}
		if !op.Peer.IsZero() && !slices.ContainsFunc(p.members, func(m contract.Member) bool { return m.Peer == op.Peer }) {
			return contract.CodePeerGone
		}
		p.tell("message")
	}
	return ""
}

func (p *plain) join(edge contract.Token, op *contract.RoomOp) contract.Code {
	twin := func(m *contract.Member) bool { return m.Identity == op.Identity }
	twins := 0
	for i := range p.members {
		if p.members[i].Peer == op.Peer {
			return ""
		}
		if twin(&p.members[i]) {
			twins++
		}
	}
	replaced := twins
	if p.rules.Duplicates == contract.DuplicateAllow {
		replaced = 0
	}
	switch {
	case p.gone[op.Peer]:
		return ""
	case p.locked:
		return contract.CodeRoomLocked
	case twins > 0 && p.rules.Duplicates == contract.DuplicateReject:
		return contract.CodeIdentityTaken
	case len(p.members)-replaced >= p.rules.Capacity:
		return contract.CodeRoomFull
	case replaced > 0:
		p.leave(contract.ReasonReplaced, twin)
	}
	p.tell("joined %s", op.Peer)
	p.members = append(p.members, contract.Member{
		Peer: op.Peer, Identity: op.Identity, Epoch: p.revision, Edge: edge, Capabilities: op.Capabilities,
	})
	return ""
}

func (p *plain) leave(reason contract.LeaveReason, who func(*contract.Member) bool) {
	for i := 0; i < len(p.members); {
		m := p.members[i]
		if !who(&m) {
			i++
			continue
		}
		p.members = slices.Delete(p.members, i, i+1)
		p.gone[m.Peer] = true
		p.tell("left %s %s", m.Peer, reason)
		if len(p.members) == 0 {
			p.unlock()
		}
	}
}

func (p *plain) unlock() {
	if p.locked {
		p.locked = false
		p.tell("unlocked")
	}
}

// asker is an edge or a roomsvc with all that it has asked. A roomsvc with a name
// asks for the messages of backends, the one without for what it has found out itself.
type asker struct {
	name     contract.Token
	backends bool
	requests []contract.RoomChange
	answers  []room.Answer
	last     uint64 // N of the last that was to be remembered
}

// duel is a room and a plain one that are asked the same.
type duel struct {
	state   room.State
	plain   plain
	askers  []*asker
	known   []contract.Token
	speaker contract.Token
}

func (d *duel) peer(t *rapid.T, fresh bool) contract.Token {
	if fresh || len(d.known) == 0 {
		d.known = append(d.known, must(fmt.Sprintf("p%d", len(d.known)+1)))
		return d.known[len(d.known)-1]
	}
	return rapid.SampledFrom(d.known[max(0, len(d.known)-12):]).Draw(t, "peer")
}

func (d *duel) op(t *rapid.T, kinds ...contract.OpKind) contract.RoomOp {
	op := contract.RoomOp{Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
	identity := rapid.SampledFrom([]string{"ada", "bob", "cy", "<dé\u2028\">", "eve"})
	switch op.Kind {
	case contract.OpJoin:
		op.Peer, op.Identity = d.peer(t, rapid.IntRange(0, 4).Draw(t, "fresh") > 0), identity.Draw(t, "identity")
		op.Capabilities.Rollback = rapid.Bool().Draw(t, "rollback")
	case contract.OpLeave:
		op.Peer = d.peer(t, false)
		op.Reason = rapid.SampledFrom([]contract.LeaveReason{contract.ReasonLeft, contract.ReasonExpired}).Draw(t, "reason")
	case contract.OpKick:
		if op.Peer = d.peer(t, false); rapid.Bool().Draw(t, "all of an identity") {
			op.Peer, op.Identity = contract.Token{}, identity.Draw(t, "identity")
		}
	case contract.OpMessage:
		op.Data = json.RawMessage(`"<hello>"`)
		if rapid.Bool().Draw(t, "to one") {
			op.Peer = d.peer(t, false)
		}
	default:
	}
	return op
}

// request is a new one, or one that was sent before: the last, or an older one
// that is late.
func (d *duel) request(t *rapid.T) (*asker, contract.RoomChange) {
	a := d.askers[rapid.IntRange(0, len(d.askers)-1).Draw(t, "asker")]
	if len(a.requests) > 0 && !a.name.IsZero() && rapid.IntRange(0, 2).Draw(t, "again") == 0 {
		back := rapid.SampledFrom([]int{1, 1, 2, 3}).Draw(t, "back")
		return a, a.requests[max(0, len(a.requests)-back)]
	}
	r := contract.RoomChange{App: must("a"), Room: must("r"), Edge: a.name, N: uint64(len(a.requests) + 1)}
	switch {
	case a.name.IsZero():
		r.Ops = append(r.Ops, d.op(t, contract.OpLeave, contract.OpKick))
	case a.backends:
		r.Ops = append(r.Ops, d.op(t, contract.OpMessage))
	default:
		named := map[contract.Token]bool{}
		for range rapid.IntRange(1, 5).Draw(t, "ops") {
			op := d.op(t, contract.OpJoin, contract.OpJoin, contract.OpJoin, contract.OpJoin, contract.OpLeave, contract.OpKick,
				contract.OpLock, contract.OpUnlock, contract.OpClose)
			if op.Kind == contract.OpJoin && named[op.Peer] {
				op.Peer = d.peer(t, true) // an edge asks once for each
			}
			named[op.Peer] = true
			r.Ops = append(r.Ops, op)
		}
	}
	a.requests, a.answers = append(a.requests, r), append(a.answers, room.Answer{})
	return a, r
}

// want is what a request must be answered.
func (d *duel) want(a *asker, r *contract.RoomChange) room.Answer {
	switch {
	case a.name.IsZero():
	case r.N < a.last:
		return room.Answer{Standing: room.Stale}
	case r.N == a.last:
		said := a.answers[r.N-1]
		return room.Answer{Standing: room.Repeated, Results: said.Results, Revision: said.Revision}
	}
	before, members := d.plain.revision, len(d.plain.gone)
	answer := room.Answer{Results: make([]contract.OpResult, len(r.Ops))}
	for i := range r.Ops {
		answer.Results[i].Code = d.plain.do(a.name, &r.Ops[i])
	}
	answer.Revision, answer.Left = d.plain.revision, len(d.plain.gone)-members
	if a.backends && d.plain.revision == before {
		return answer // a message that was refused may be judged again
	}
	if a.backends {
		d.speaker = a.name
	}
	if !a.name.IsZero() {
		a.last, a.answers[r.N-1] = r.N, answer
	}
	return answer
}

// batch asks both rooms the same.
func (d *duel) batch(t *rapid.T) {
	var batch []contract.RoomChange
	var want []room.Answer
	d.plain.story = nil
	for range rapid.IntRange(1, 4).Draw(t, "requests") {
		a, r := d.request(t)
		batch = append(batch, r)
		want = append(want, d.want(a, &r))
	}
	before := encoded(t, d.state)
	next, out := d.state.Apply(batch, d.plain.rules)
	if got := encoded(t, d.state); !bytes.Equal(got, before) {
		t.Fatalf("Apply changed the state that it was given: %s, it was %s", got, before)
	}
	if got := story(out.Events); !slices.Equal(got, d.plain.story) {
		t.Fatalf("events %q, want %q", got, d.plain.story)
	}
	for i := range want {
		for j := range out.Answers[i].Results {
			out.Answers[i].Results[j].Message = "" // a text for people
		}
		if !reflect.DeepEqual(out.Answers[i], want[i]) {
			t.Fatalf("request %+v: answer %+v, want %+v", batch[i], out.Answers[i], want[i])
		}
	}
	d.cut(t, out)
	d.oneByOne(t, batch, next)
	d.state = next
}

// cut checks that the bodies of a batch's events are the events.
func (d *duel) cut(t *rapid.T, out room.Outcome) {
	limit := rapid.IntRange(0, 600).Draw(t, "limit")
	bodies, err := room.Bodies(out.Base, out.Events, limit)
	if err != nil {
		t.Fatal(err)
	}
	base, all := out.Base, []contract.RoomEvent(nil)
	for _, body := range bodies {
		var read contract.RoomEvents
		if err := json.Unmarshal(body.JSON, &read); err != nil {
			t.Fatal(err)
		}
		if read.Base != base || read.Revision != body.Revision || len(read.Events) == 0 {
			t.Fatalf("a body from %d to %d with %d events follows revision %d", read.Base, read.Revision, len(read.Events), base)
		}
		if len(body.JSON) > limit && len(read.Events) > 1 {
			t.Fatalf("a body of %d events has %d bytes, at most %d are allowed", len(read.Events), len(body.JSON), limit)
		}
		base, all = read.Revision, append(all, read.Events...)
	}
	if !reflect.DeepEqual(all, out.Events) || base != d.plain.revision {
		t.Fatalf("the bodies end at %d and hold %+v, the events are %+v", base, all, out.Events)
	}
}

// oneByOne: requests that are committed together do what they do alone.
func (d *duel) oneByOne(t *rapid.T, batch []contract.RoomChange, together room.State) {
	alone := d.state
	for i := range batch {
		alone, _ = alone.Apply(batch[i:i+1], d.plain.rules)
	}
	if got, want := encoded(t, together), encoded(t, alone); !bytes.Equal(got, want) {
		t.Fatalf("together: %s, one by one: %s", got, want)
	}
}

// store has another roomsvc go on from the document.
func (d *duel) store(t *rapid.T) {
	back, err := room.Decode(must("a"), must("r"), encoded(t, d.state))
	if err != nil {
		t.Fatal(err)
	}
	d.state = back
}

func encoded(t *rapid.T, s room.State) []byte {
	value, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func (d *duel) check(t *rapid.T) {
	if got, want := d.state.Members(), d.plain.members; len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("members %+v, want %+v", got, want)
	}
	if got, want := d.state.Document().Locked, d.plain.locked; got != want {
		t.Fatalf("locked %v, want %v", got, want)
	}
	if got, want := d.state.Speaker(), d.speaker; got != want {
		t.Fatalf("the last message is of %q, want %q", got, want)
	}
}

// TestRoom_model_properties: a room does what a plain one does, whoever asks
// again, and whatever is committed together or stored in between.
func TestRoom_model_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &duel{state: room.New(must("a"), must("r"))}
		d.plain = plain{gone: map[contract.Token]bool{}, rules: room.Rules{
			Capacity:   rapid.IntRange(1, 6).Draw(t, "capacity"),
			Duplicates: rapid.SampledFrom([]contract.DuplicatePolicy{contract.DuplicateReplace, contract.DuplicateReject, contract.DuplicateAllow}).Draw(t, "duplicates"),
			MaxBytes:   contract.MaxDocumentBytes,
		}}
		d.askers = []*asker{
			{name: must("edge-1")}, {name: must("edge-2")}, {name: must("edge-3")},
			{name: must("roomsvc-1"), backends: true}, {name: must("roomsvc-2"), backends: true}, {},
		}
		t.Repeat(map[string]func(*rapid.T){"": d.check, "batch": d.batch, "batch 2": d.batch, "store": d.store})
	})
}
