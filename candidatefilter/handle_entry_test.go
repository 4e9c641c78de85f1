package candidatefilter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/natstest"
)

func TestFilter_cleanEntriesGoOnByteForByteAndJetStreamAnswers(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	presence := signal(contract.KindPresence, 0, `{"peer":"`+sender+`","version":7,"presence":{"a": [1, 2]},"state":"here"}`)
	presence.To = nil
	traced := signal(contract.KindCandidate, 4, candidatesBody(publicHost, mdnsHost, srflxBlank, relayed, ""))
	traced.Trace, traced.Negotiation, traced.Policy = []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), []byte("n1"), []byte("public")
	odd := signal(contract.KindMessage, 5, `{"id":"<&>","re":"\u0001 \" 🎉","data":{"x": [1,  2.50e3], "sdp":"192.168.1.1","<":"\u2028"}}`)
	encoded := signal(contract.KindMessage, 6, `{"data":null}`)
	encoded.App, encoded.Room = []byte(contract.ID("*").Token().String()), []byte(contract.ID("a.b 🎉 >").Token().String())
	sent := [][]byte{
		entryOf(signal(contract.KindOffer, 1, offerBody(cleanSDP)), signal(contract.KindAnswer, 2, describe("answer", cleanSDP))),
		entryOf(signal(contract.KindCandidate, 3, candidateBody(publicHost))),
		entryOf(traced, odd, encoded, presence),
	}
	for i, data := range sent {
		r := b.ask(uint64(i+1), data)
		if r.Filter || r.Stream != "KV_signals-0" || r.Sequence != uint64(i+1) || r.Duplicate || r.Error != nil {
			t.Errorf("entry %d: answer %s, want JetStream's own acknowledgement", i+1, r.text)
		}
	}
	b.wantStored(sent...)
}

func TestFilter_whatWasTakenOutIsToldAndStandsInTheEntry(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	message := signal(contract.KindMessage, 1, `{"data":1}`)
	leaky := strings.Replace(cleanSDP, "c=IN IP4 0.0.0.0", "c=IN IP4 192.168.7.8", 1)
	r := b.ask(1, entryOf(
		message,
		signal(contract.KindOffer, 2, offerBody(leaky)),
		signal(contract.KindCandidate, 3, candidatesBody(privateHost, publicHost, srflx, privateHost)),
		signal(contract.KindCandidate, 4, candidateBody(privateHost)),
		signal(contract.KindCandidate, 5, candidateBody(badPort)),
	))
	want := []contract.Verdict{
		{From: sender, Seq: 2, Rule: contract.RuleSDPAddress, Count: 1},
		{From: sender, Seq: 3, Rule: contract.RulePrivateAddress, Count: 2},
		{From: sender, Seq: 3, Rule: contract.RuleRelatedAddress, Count: 1},
		{From: sender, Seq: 4, Rule: contract.RulePrivateAddress, Count: 1},
		{From: sender, Seq: 5, Refused: true, Code: contract.CodeBadCandidate, Rule: contract.RuleBadCandidate,
			Message: "candidate: port must be a number from 0 to 65535"},
	}
	if !r.Filter || r.Revision != 1 || r.Duplicate || r.Error != nil || !reflect.DeepEqual(r.Verdicts, want) {
		t.Errorf("answer %s\nwant revision 1 and %+v", r.text, want)
	}
	b.wantStored(withVerdicts(entryOf(
		message,
		signal(contract.KindOffer, 2, offerBody(cleanSDP)),
		signal(contract.KindCandidate, 3, candidatesBody(publicHost, srflxBlank)),
	), want...))
}

func TestFilter_nothingIsStoredWhenAllIsRefused(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	r := b.ask(1, entryOf(
		signal(contract.KindOffer, 1, offerBody("v=1\r\n")),
		signal(contract.KindCandidate, 2, candidateBody(privateHost)),
	))
	if !r.Filter || r.Revision != 0 || r.Error != nil || len(r.Verdicts) != 2 ||
		r.Verdicts[0].Code != contract.CodeBadDescription || !r.Verdicts[0].Refused ||
		r.Verdicts[1].Rule != contract.RulePrivateAddress || r.Verdicts[1].Refused {
		t.Errorf("answer %s, want two verdicts and no revision", r.text)
	}
	b.wantStored()
}

func TestFilter_aRetryIsStoredOnceAndTheFirstVerdictsCount(t *testing.T) {
	b := newBench(t, 1, -1)
	stop := b.start(DefaultConfig())
	mixed := entryOf(signal(contract.KindCandidate, 1, candidatesBody(privateHost, publicHost)))
	clean := entryOf(signal(contract.KindCandidate, 2, candidateBody(publicHost)))
	first := b.ask(1, mixed)
	b.ask(2, clean)
	want := b.stored()
	if again := b.ask(1, mixed); !again.Filter || !again.Duplicate || again.Revision != first.Revision || len(again.Verdicts) != 0 {
		t.Errorf("second try: %s, want a duplicate of revision %d that leaves the verdicts to the entry", again.text, first.Revision)
	}
	if again := b.ask(2, clean); again.Filter || !again.Duplicate || again.Sequence != 2 {
		t.Errorf("second try of a clean entry: %s, want JetStream's duplicate of 2", again.text)
	}
	stop()
	all := DefaultConfig()
	all.Policy = contract.PolicyAll // this filter takes nothing out, and so JetStream answers
	b.start(all)
	again := b.ask(1, mixed)
	if again.Filter || !again.Duplicate || again.Sequence != first.Revision {
		t.Errorf("third try, by a filter of another policy: %s, want JetStream's duplicate of %d", again.text, first.Revision)
	}
	data, err := b.log.Entry(t.Context(), b.to, again.Sequence)
	if err != nil {
		t.Fatal(err)
	}
	if verdicts, err := contract.ReadVerdicts(data); err != nil || !reflect.DeepEqual(verdicts, first.Verdicts) {
		t.Errorf("verdicts of the entry: %+v, %v, want the first ones, %+v", verdicts, err, first.Verdicts)
	}
	b.wantStored(want...)
}

func TestFilter_refusesWhatNoEdgeSends(t *testing.T) {
	good := entryOf(signal(contract.KindCandidate, 1, candidateBody(publicHost)))
	verdict := contract.Verdict{From: sender, Seq: 1, Rule: contract.RulePrivateAddress, Count: 1}
	tooMany := contract.AppendEntry(nil)
	for seq := range uint64(contract.MaxEntrySignals + 1) {
		tooMany = contract.AppendSignal(tooMany, signal(contract.KindMessage, seq+1, `{"data":1}`))
	}
	tests := []struct {
		name, reason string
		data         []byte
		code         contract.Code
	}{
		{"nothing", reasonMalformed, nil, contract.CodeBadFrame},
		{"an unknown version", reasonMalformed, []byte{2}, contract.CodeBadFrame},
		{"no signals", reasonMalformed, contract.AppendEntry(nil), contract.CodeBadFrame},
		{"JSON", reasonMalformed, []byte(`{"candidate":""}`), contract.CodeBadFrame},
		{"a verdict beside a signal", reasonVerdict, withVerdicts(good, verdict), contract.CodeForbidden},
		{"a verdict alone", reasonVerdict, withVerdicts(contract.AppendEntry(nil), verdict), contract.CodeForbidden},
		{"an item of a newer edge", reasonUnknown, append(append([]byte(nil), good...), 9, 2, 'x', 'y'), contract.CodeBadFrame},
		{"a field of a newer edge", reasonUnknown, longer(good), contract.CodeBadFrame},
		{"1,001 signals", reasonTooLarge, tooMany, contract.CodeTooLarge},
		{"one byte over 512 KiB", reasonTooLarge, sized(contract.MaxEntryBytes + 1), contract.CodeTooLarge},
	}
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	for i, tt := range tests {
		counter := `parley_candidatefilter_refused_entries_total{reason="` + tt.reason + `"}`
		before := figure(t, counter)
		r := b.ask(uint64(i+1), tt.data)
		if !r.Filter || r.Revision != 0 || r.Error == nil || r.Error.Code != tt.code || r.Error.Message == "" {
			t.Errorf("%s: answer %.300s, want the error %s", tt.name, r.text, tt.code)
		}
		if got := figure(t, counter) - before; got != 1 {
			t.Errorf("%s: %s rose by %v, want 1", tt.name, counter, got)
		}
	}
	b.wantStored()
}

// sized is an entry of one message that has exactly so many bytes.
func sized(bytes int) []byte {
	text := bytes
	for range 8 { // the length of the length may change
		data := entryOf(signal(contract.KindMessage, 1, `{"data":"`+strings.Repeat("x", text)+`"}`))
		if len(data) == bytes {
			return data
		}
		text += bytes - len(data)
	}
	panic("no entry has this size")
}

// longer adds a field at the end of the only signal of an entry.
func longer(data []byte) []byte {
	grown := append([]byte(nil), data...)
	grown[2]++ // the low byte of the item's length
	return append(grown, 0)
}

func TestFilter_takesEntriesAtTheirLimits(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	most := contract.AppendEntry(nil)
	for seq := range uint64(contract.MaxEntrySignals) {
		most = contract.AppendSignal(most, signal(contract.KindMessage, seq+1, `{"data":1}`))
	}
	largest := sized(contract.MaxEntryBytes)
	for i, data := range [][]byte{most, largest} {
		if r := b.ask(uint64(i+1), data); r.Sequence != uint64(i+1) {
			t.Errorf("entry %d: %s, want it stored", i+1, r.text)
		}
	}
	b.wantStored(most, largest)
}

func TestFilter_refusesAnEntryCutAtAnyByte(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	whole := entryOf(signal(contract.KindCandidate, 1, candidateBody(srflx)))
	for size := range whole {
		if r := b.ask(1, whole[:size]); !r.Filter || r.Error == nil || r.Error.Code != contract.CodeBadFrame {
			t.Errorf("cut to %d of %d bytes: %s, want bad_frame", size, len(whole), r.text)
		}
	}
	b.wantStored()
	if r := b.ask(1, whole); r.Revision != 1 {
		t.Errorf("the whole entry: %s, want it stored", r.text)
	}
}

func TestFilter_refusesNamesThatAreNoTokens(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	names := map[string]string{
		"a star": "*", "a wildcard": ">", "a dot": "a.b", "4,096 characters": strings.Repeat("a", 4096),
		"65 characters": strings.Repeat("a", 65), "a line end": "a\r\nb", "an emoji": "🎉", "a space": "a b", "NUL": "a\x00",
		"invalid UTF-8": "\xff", "an encoding without need": "=YQ", "half an encoding": "=", "too long an id": "=" + strings.Repeat("Kg", 100),
	}
	fields := map[string]func(*contract.Signal) *[]byte{
		"app":  func(s *contract.Signal) *[]byte { return &s.App },
		"room": func(s *contract.Signal) *[]byte { return &s.Room },
		"from": func(s *contract.Signal) *[]byte { return &s.From },
		"to":   func(s *contract.Signal) *[]byte { return &s.To },
	}
	for name, text := range names {
		for field, of := range fields {
			bad := signal(contract.KindMessage, 2, `{"data":1}`)
			*of(bad) = []byte(text)
			r := b.ask(1, entryOf(signal(contract.KindMessage, 1, `{"data":1}`), bad))
			if r.Error == nil || r.Error.Code != contract.CodeBadID || strings.Contains(r.text, "aaaa") {
				t.Errorf("%s as %s: %s, want bad_id", name, field, r.text)
			}
		}
	}
	for name, text := range map[string]string{
		"a star": "*", "a wildcard": ">", "an emoji": "🎉", "65 characters": strings.Repeat("a", 65),
		"2,000 characters": strings.Repeat("a", 2000), "an encoding without need": "=YQ", "a dollar": "$KV",
	} {
		for _, subject := range []string{"filter." + text + "." + text + ".to", "filter.from.from." + text} {
			r := b.send(subject, text+".to.1", entryOf(signal(contract.KindMessage, 1, `{"data":1}`)))
			if r.Error == nil || r.Error.Code != contract.CodeBadID || strings.Contains(r.text, "aaaa") {
				t.Errorf("%s in the subject: %s, want bad_id", name, r.text)
			}
		}
	}
	b.wantStored()
}

// What isn't even a subject of two names never reaches a filter.
func TestFilter_isNotReachedByOtherSubjects(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	data := entryOf(signal(contract.KindMessage, 1, `{"data":1}`))
	for subject, want := range map[string]error{
		"filter.a.a.b.c": nats.ErrNoResponders, "filter.a.b": nats.ErrNoResponders,
		"filter.a.a.b\r\nPUB x 0\r\n": nats.ErrBadSubject, "filter.a.a b.c": nats.ErrBadSubject, "filter.a..b": nats.ErrNoResponders,
	} {
		if _, err := b.nc.Request(subject, data, time.Second); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", subject, err, want)
		}
	}
	raw, err := net.Dial("tcp", strings.TrimPrefix(b.server.ClientURL(), "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	fmt.Fprintf(raw, "CONNECT {\"verbose\":false}\r\nPUB filter.%s.b 0\r\n\r\n", strings.Repeat("a", 4096))
	if err := raw.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	heard := make([]byte, 0, 8<<10)
	for {
		n, err := raw.Read(heard[len(heard):cap(heard)])
		heard = heard[:len(heard)+n]
		if err != nil {
			break
		}
	}
	if !strings.Contains(string(heard), "maximum control line") {
		t.Errorf("a subject of 4,096 characters: the server says %q, want it to end the connection", heard)
	}
	if r := b.ask(1, data); r.Sequence != 1 {
		t.Errorf("afterwards: %s, want an entry stored as ever", r.text)
	}
}

func TestFilter_refusesAMessageIDThatIsNotOfTheLink(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	data := entryOf(signal(contract.KindMessage, 1, `{"data":1}`))
	link := b.from.String() + "." + b.to.String() + "."
	for _, id := range []string{
		"", "1", link, link + "x", link + "-1", link + "01", link + "+1", link + "1.2", link + "18446744073709551616", link + "1 x",
		b.to.String() + "." + b.from.String() + ".1", b.from.String() + ".1", "x" + link + "1",
	} {
		r := b.send(contract.FilterSubject(b.from, b.to), id, data)
		if r.Error == nil || r.Error.Code != contract.CodeBadFrame || !strings.Contains(r.Error.Message, contract.HeaderMessageID) {
			t.Errorf("%q: %s, want bad_frame", id, r.text)
		}
	}
	b.wantStored()
	if r := b.send(contract.FilterSubject(b.from, b.to), link+"18446744073709551615", data); r.Sequence != 1 {
		t.Errorf("the highest number: %s, want it stored", r.text)
	}
}

// A reply subject would be published to by the filter and by JetStream, which
// may publish where an edge may not.
func TestFilter_answersOnlyInboxes(t *testing.T) {
	b := newBench(t, 1, -1)
	cfg := DefaultConfig()
	cfg.Workers = 1
	b.start(cfg)
	target := b.log.Subject(b.from, b.to)
	counter := `parley_candidatefilter_refused_entries_total{reason="reply"}`
	before := figure(t, counter)
	forged := 0
	for _, subject := range []string{"", target, "filter.a.b", "$JS.API.STREAM.PURGE.KV_signals-0", "_INBOX", "_INBOX." + strings.Repeat("a", maxReplyBytes)} {
		for _, data := range [][]byte{
			entryOf(signal(contract.KindMessage, 1, `{"data":1}`)),
			entryOf(signal(contract.KindCandidate, 1, candidateBody(badPort))),
			{2},
		} {
			m := nats.NewMsg(contract.FilterSubject(b.from, b.to))
			m.Header[contract.HeaderMessageID] = []string{contract.MessageID(b.from, b.to, 1)}
			m.Reply, m.Data = subject, data
			if err := b.nc.PublishMsg(m); err != nil {
				t.Fatal(err)
			}
			forged++
		}
	}
	data := entryOf(signal(contract.KindMessage, 2, `{"data":2}`))
	if r := b.ask(2, data); r.Sequence != 1 {
		t.Errorf("after them: %s, want the first entry of the log", r.text)
	}
	b.wantStored(data)
	if got := figure(t, counter) - before; got != float64(forged) {
		t.Errorf("%v were counted, want %d", got, forged)
	}
}

// What JetStream would do by a header is not for an edge to ask.
func TestFilter_passesNoHeaderButTheMessageID(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	m := nats.NewMsg(contract.FilterSubject(b.from, b.to))
	m.Data = entryOf(signal(contract.KindMessage, 1, `{"data":1}`))
	for i, more := range []nats.Header{
		{"Nats-Rollup": {"all"}, "KV-Operation": {"PURGE"}, "Nats-Expected-Stream": {"other"}, "Nats-Expected-Last-Sequence": {"99"}, "Nats-TTL": {"1s"}},
		{contract.HeaderMessageID: {"another"}},
	} {
		revision := uint64(i + 1)
		id := contract.MessageID(b.from, b.to, revision)
		m.Header = nats.Header{contract.HeaderMessageID: append([]string{id}, more[contract.HeaderMessageID]...)}
		for name, values := range more {
			if name != contract.HeaderMessageID {
				m.Header[name] = values
			}
		}
		if answer, err := b.nc.RequestMsg(m, patience); err != nil || !strings.Contains(string(answer.Data), `"seq"`) {
			t.Fatalf("%v, %v, want it stored", answer, err)
		}
		stored, err := b.log.Stream(b.to).GetMsg(t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}
		if want := (nats.Header{contract.HeaderMessageID: {id}}); !maps.EqualFunc(stored.Header, want, slices.Equal) {
			t.Errorf("the stored headers are %v, want the message id alone", stored.Header)
		}
	}
}

func TestFilter_aPanicRefusesItsSignalAlone(t *testing.T) {
	b := newBench(t, 1, -1)
	f := newFilter(DefaultConfig(), natstest.Connect(t, b.server), b.log)
	f.sanitiser.kinds[contract.KindPresence] = func(*contract.Signal, contract.Policy) outcome { panic("on purpose") }
	b.runFilter(f)
	one, three := signal(contract.KindMessage, 1, `{"data":1}`), signal(contract.KindMessage, 3, `{"data":3}`)
	before := figure(t, "parley_candidatefilter_panics_total")
	r := b.ask(1, entryOf(one, signal(contract.KindPresence, 2, `{}`), three))
	if len(r.Verdicts) != 1 || !r.Verdicts[0].Refused || r.Verdicts[0].Seq != 2 || r.Verdicts[0].Code != contract.CodeInternal ||
		strings.Contains(r.text, "purpose") {
		t.Errorf("answer %s, want signal 2 refused as internal", r.text)
	}
	b.wantStored(withVerdicts(entryOf(one, three), r.Verdicts...))
	if got := figure(t, "parley_candidatefilter_panics_total") - before; got != 1 {
		t.Errorf("%v panics were counted, want 1", got)
	}
}

func (b *bench) runFilter(f *filter) (stop func()) {
	b.t.Helper()
	return b.run(func(ctx context.Context) error { return f.serve(ctx) })
}
