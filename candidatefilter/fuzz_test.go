package candidatefilter

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
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
		o := judgedOnce(n, s)
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
		if o.kept != bytes.Equal(o.body, body) {
			t.Fatalf("%q goes on as %q, and it says kept: %v", body, o.body, o.kept)
		}
		s.Body = o.body
		if again := judgedOnce(n, s); !bytes.Equal(again.body, o.body) {
			t.Fatalf("a second time\n%q\nbecomes\n%q, %+v", o.body, again.body, again.refused)
		}
	})
}

// judgedOnce judges a signal in memory of its own.
func judgedOnce(n *sanitiser, s *contract.Signal) outcome { return n.judge(&workspace{signal: *s}) }

// FuzzSanitiser_judgeCanonical: what is judged without encoding/json is judged
// as with it, to the byte and to the last count.
func FuzzSanitiser_judgeCanonical(f *testing.F) {
	for _, one := range canonicalBodies() {
		f.Add(byte(one.kind), []byte(one.body), "public")
		f.Add(byte(one.kind), []byte(one.body), "relay")
	}
	for _, one := range otherBodies {
		f.Add(byte(one.kind), []byte(one.body), "all")
	}
	n := sanitiserOf(contract.PolicyAll)
	f.Fuzz(func(t *testing.T, kind byte, body []byte, policy string) {
		w := workspace{signal: *signal(contract.Kind(kind), 1, string(body))}
		p := contract.Stricter(n.policy, contract.Policy(policy))
		got, ok := n.judgeCanonical(&w, p)
		if !ok {
			return
		}
		want := n.judgeAny(signal(contract.Kind(kind), 1, string(body)), p)
		if !bytes.Equal(got.body, want.body) || got.kept != want.kept || got.refused != want.refused || !slices.Equal(got.rules, want.rules) {
			t.Fatalf("%q under %s\n got %q, kept %v, %v, %+v\nwant %q, kept %v, %v, %+v",
				body, p, got.body, got.kept, got.rules, got.refused, want.body, want.kept, want.rules, want.refused)
		}
		if !bytes.Equal(w.signal.Body, body) {
			t.Fatal("the body that came was changed")
		}
	})
}

// FuzzPolicyOf: a policy is what contract.Stricter takes it for.
func FuzzPolicyOf(f *testing.F) {
	for _, text := range []string{"", "all", "public", "relay", "newer", "All"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, own := range contract.Policies() {
			if got, want := contract.Stricter(own, policyOf([]byte(text))), contract.Stricter(own, contract.Policy(text)); got != want {
				t.Errorf("%q with %s: got %s, want %s", text, own, got, want)
			}
		}
	})
}

// FuzzRoute_isMessageID: an id is of a link if it is what contract.MessageID
// makes of some number.
func FuzzRoute_isMessageID(f *testing.F) {
	for _, id := range []string{"a.b.1", "a.b.0", "a.b.01", "a.b.-1", "a.b.+1", "a.b.", "a.b", "", "a.c.1", "a.b.18446744073709551615", "a.b.18446744073709551616"} {
		f.Add(id)
	}
	from, to := token(f, "a"), token(f, "b")
	r := route{names: "a.b."}
	f.Fuzz(func(t *testing.T, id string) {
		n, err := strconv.ParseUint(id[strings.LastIndexByte(id, '.')+1:], 10, 64)
		want := err == nil && id == contract.MessageID(from, to, n)
		if got := r.isMessageID(id); got != want {
			t.Errorf("%q: got %v, want %v", id, got, want)
		}
	})
}

func token(t testing.TB, text string) contract.Token {
	t.Helper()
	parsed, err := contract.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// FuzzSanitiser_entry: bytes that are no entry of an edge are refused whole, and
// a refusal says why.
func FuzzSanitiser_entry(f *testing.F) {
	f.Add(entryOf(signal(contract.KindCandidate, 1, candidateBody(srflx))))
	f.Add(entryOf(signal(contract.KindOffer, 1, offerBody(cleanSDP)), signal(contract.KindMessage, 2, `{"data":1}`)))
	f.Add([]byte{1, 1, 0})
	n, w := sanitiserOf(contract.PolicyPublic), new(workspace)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		e, wrong := n.entry(w, data)
		if !bytes.Equal(data, before) {
			t.Fatal("the entry that came was changed")
		}
		if wrong != nil {
			if wrong.text == "" || wrong.code == "" || wrong.reason == "" || e.data != nil {
				t.Fatalf("refused with %+v and %d bytes", wrong, len(e.data))
			}
			return
		}
		if !e.anew && !bytes.Equal(e.data, data) {
			t.Fatalf("%q goes on as a part of it, %q", data, e.data)
		}
		signals, verdicts := read(t, e.data)
		if len(signals) != e.signals || len(verdicts) != len(e.verdicts) || len(signals)+len(verdicts) == 0 {
			t.Fatalf("%d signals and %d verdicts, it says %d and %d", len(signals), len(verdicts), e.signals, len(e.verdicts))
		}
	})
}
