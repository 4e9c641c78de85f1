package link_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/natstest"
)

// fate is what becomes of an attempt to commit an entry.
type fate string

const (
	passes      fate = "passes"
	lost        fate = "is lost"
	late        fate = "comes after the next one"
	twice       fate = "comes twice"
	unheard     fate = "is committed and nobody is told"
	unavailable fate = "is refused for now"
	garbled     fate = "gets an answer that is none"
	deserted    fate = "finds nobody"
)

// What a signal asks of the filter, in its negotiation.
const (
	asksNothing = ""
	asksRefusal = "refuse"
	asksStrip   = "strip"
	asksFull    = "full" // the log has no place for its entry
)

// filter is a candidatefilter that the test tells what goes wrong.
type filter struct {
	b  *bench
	nc *nats.Conn
	t  testing.TB

	mu    sync.Mutex
	fates map[string][]fate // still to come, by subject; then all passes
	held  map[string][]*nats.Msg
}

func newFilter(t *testing.T, b *bench) *filter {
	t.Helper()
	f := &filter{b: b, nc: natstest.Connect(t, b.server), t: t, fates: map[string][]fate{}, held: map[string][]*nats.Msg{}}
	if _, err := f.nc.Subscribe(contract.SubjectFilterAll, f.take); err != nil {
		t.Fatal(err)
	}
	if err := f.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return f
}

// expect has the attempts on a subject meet fates, behind those that are to come.
func (f *filter) expect(subject string, fates ...fate) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fates[subject] = append(f.fates[subject], fates...)
}

func (f *filter) take(m *nats.Msg) {
	f.mu.Lock()
	defer f.mu.Unlock()
	meets := passes
	if coming := f.fates[m.Subject]; len(coming) > 0 {
		meets, f.fates[m.Subject] = coming[0], coming[1:]
	}
	before := f.held[m.Subject]
	f.held[m.Subject] = nil
	switch meets {
	case passes:
		f.commit(m)
	case twice:
		f.commit(m)
		f.commit(m)
	case unheard:
		m.Reply = ""
		f.commit(m)
	case late:
		f.held[m.Subject] = []*nats.Msg{m}
	case unavailable:
		f.answer(m, contract.FilterAnswer{Filter: true, Error: &contract.WireError{Code: contract.CodeUnavailable, Message: "not now"}})
	case garbled:
		f.check(m.Respond([]byte("+OK")))
	case deserted:
		f.check(m.RespondMsg(&nats.Msg{Header: nats.Header{"Status": {"503"}}}))
	case lost:
	}
	for _, m := range before {
		f.commit(m)
	}
}

// awaitFates waits until as many attempts came on a subject as were expected.
func (f *filter) awaitFates(subject string) {
	for f.coming(subject) > 0 {
		time.Sleep(time.Millisecond)
	}
}

// coming is how many fates are still to be met on a subject.
func (f *filter) coming(subject string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.fates[subject])
}

// calm commits what is late, and has all that follows pass.
func (f *filter) calm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.fates)
	for _, held := range f.held {
		for _, m := range held {
			f.commit(m)
		}
	}
	clear(f.held)
}

// commit does with an entry what its signals ask for; mu is held.
func (f *filter) commit(m *nats.Msg) {
	data, verdicts, left := f.sanitise(m.Data)
	from, to, err := contract.ParseFilterSubject(m.Subject)
	f.check(err)
	out := &nats.Msg{Subject: f.b.log.Subject(from, to), Header: m.Header, Data: data, Reply: m.Reply}
	switch {
	case data == nil:
		if m.Reply != "" {
			f.check(m.Respond([]byte(`{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}`)))
		}
	case left == 0:
		f.answer(m, contract.FilterAnswer{Filter: true, Verdicts: verdicts})
	case len(verdicts) == 0:
		f.check(f.nc.PublishMsg(out))
	default:
		ack, err := f.nc.RequestMsg(out, 30*time.Second)
		f.check(err)
		var pub struct {
			Seq       uint64
			Duplicate bool
		}
		f.check(json.Unmarshal(ack.Data, &pub))
		if pub.Duplicate {
			verdicts = nil
		}
		f.answer(m, contract.FilterAnswer{Filter: true, Revision: pub.Seq, Duplicate: pub.Duplicate, Verdicts: verdicts})
	}
}

// sanitise returns nil for an entry that finds the log full.
func (f *filter) sanitise(entry []byte) (data []byte, verdicts []contract.Verdict, left int) {
	items, err := contract.ReadEntry(entry)
	f.check(err)
	data = contract.AppendEntry(nil)
	for {
		more, err := items.Next()
		f.check(err)
		if !more {
			break
		}
		var s contract.Signal
		f.check(items.Signal(&s))
		switch string(s.Negotiation) {
		case asksFull:
			return nil, nil, 0
		case asksRefusal:
			verdicts = append(verdicts, refusalOf(s.Seq))
			continue
		case asksStrip:
			verdicts = append(verdicts, stripOf(s.Seq))
		}
		data, left = contract.AppendSignal(data, &s), left+1
	}
	for i := range verdicts {
		data = contract.AppendVerdict(data, &verdicts[i])
	}
	return data, verdicts, left
}

func refusalOf(seq uint64) contract.Verdict {
	return contract.Verdict{From: "peer", Seq: seq, Refused: true, Code: contract.CodeBadCandidate, Rule: contract.RuleBadCandidate}
}

func stripOf(seq uint64) contract.Verdict {
	return contract.Verdict{From: "peer", Seq: seq, Rule: contract.RulePrivateAddress, Count: 2}
}

func (f *filter) answer(m *nats.Msg, answer contract.FilterAnswer) {
	if m.Reply == "" {
		return
	}
	text, err := json.Marshal(answer)
	f.check(err)
	f.check(m.Respond(text))
}

func (f *filter) check(err error) {
	if err != nil {
		f.t.Errorf("the filter of this test: %v", err)
	}
}
