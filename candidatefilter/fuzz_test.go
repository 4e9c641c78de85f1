package candidatefilter

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// FuzzSanitiser_judge: whatever the body, nothing panics, what goes on is one
// JSON object that goes on as it is a second time, and a refusal has a message.
func FuzzSanitiser_judge(f *testing.F) {
	for _, text := range []string{publicHost, privateHost, mdnsHost, srflx, relayed, badPort, ""} {
		f.Add(byte(contract.KindCandidate), []byte(candidateBody(text)), "public")
		f.Add(byte(contract.KindCandidate), []byte(candidatesBody(text, relayed)), "all")
	}
	f.Add(byte(contract.KindOffer), []byte(offerBody(cleanSDP)), "relay")
	f.Add(byte(contract.KindAnswer), []byte(describe("answer", cleanSDP)), "")
	f.Add(byte(contract.KindMessage), []byte(`{"id":"a","re":"\u2028","data":[{"a":null}]}`), "newer")
	f.Add(byte(contract.KindPresence), []byte(`{"peer":"p","version":1,"presence":{}}`), "")
	f.Add(byte(contract.KindEvent), []byte(`{}`), "")
	n := sanitiserOf(contract.PolicyAll)
	f.Fuzz(func(t *testing.T, kind byte, body []byte, policy string) {
		s := signal(contract.Kind(kind), 1, string(body))
		s.Policy = []byte(policy)
		o := n.judge(s)
		switch {
		case o.refused != nil && o.refused.Code == contract.CodeInternal:
			t.Fatal("it panicked")
		case o.refused != nil && (o.refused.Message == "" || o.body != nil || len(o.rules) > 0):
			t.Fatalf("a refusal %+v with the body %q and the rules %v", o.refused, o.body, o.rules)
		case o.refused != nil:
			return
		case o.body == nil && len(o.rules) == 0:
			t.Fatal("nothing goes on and nobody is told why")
		case o.body == nil:
			return
		}
		if !json.Valid(o.body) {
			t.Fatalf("what goes on is no JSON: %q", o.body)
		}
		s.Body = o.body
		if again := n.judge(s); !bytes.Equal(again.body, o.body) {
			t.Fatalf("a second time\n%q\nbecomes\n%q, %+v", o.body, again.body, again.refused)
		}
	})
}

// FuzzSanitiser_entry: bytes that are no entry of an edge are refused whole, and
// a refusal says why.
func FuzzSanitiser_entry(f *testing.F) {
	f.Add(entryOf(signal(contract.KindCandidate, 1, candidateBody(srflx))))
	f.Add(entryOf(signal(contract.KindOffer, 1, offerBody(cleanSDP)), signal(contract.KindMessage, 2, `{"data":1}`)))
	f.Add([]byte{1, 1, 0})
	n := sanitiserOf(contract.PolicyPublic)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		e, wrong := n.entry(data)
		if !bytes.Equal(data, before) {
			t.Fatal("the entry that came was changed")
		}
		if wrong != nil {
			if wrong.text == "" || wrong.code == "" || wrong.reason == "" || e.data != nil {
				t.Fatalf("refused with %+v and %d bytes", wrong, len(e.data))
			}
			return
		}
		signals, verdicts := read(t, e.data)
		if len(signals) != e.signals || len(verdicts) != len(e.verdicts) || len(signals)+len(verdicts) == 0 {
			t.Fatalf("%d signals and %d verdicts, it says %d and %d", len(signals), len(verdicts), e.signals, len(e.verdicts))
		}
	})
}
