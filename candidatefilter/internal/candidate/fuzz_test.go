package candidate

import (
	"strings"
	"testing"

	"github.com/pion/ice/v4"
)

// growth is the most by which Append may lengthen a candidate: the prefix, and
// a mapped address written with dots, twice.
const growth = len("candidate:") + 2*8

func FuzzParse(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s.text)
	}
	for _, group := range refused {
		for _, text := range group.texts {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		out := string(c.Append(nil))
		if len(out) > len(text)+growth {
			t.Errorf("grew from %d to %d bytes", len(text), len(out))
		}
		for i := 0; i < len(out); i++ {
			if out[i] < ' ' || out[i] > '~' {
				t.Fatalf("byte %#x in %q", out[i], out)
			}
		}
		again, err := Parse(out)
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if got := string(again.Append(nil)); got != out {
			t.Errorf("got  %q\nwant %q", got, out)
		}
		sameToPion(t, &c, out)
	})
}

// sameToPion compares with what pion, by a parser of its own, finds in the text
// that was written. pion refuses names on other candidates than host ones, takes
// every candidate with a name for UDP, and unmaps mapped addresses.
func sameToPion(t *testing.T, c *Candidate, out string) {
	if c.Address.Name != "" && c.Type != Host {
		return
	}
	p, err := ice.UnmarshalCandidate(out)
	if err != nil {
		t.Fatalf("pion on %q: %v", out, err)
	}
	address := string(c.Address.Append(nil))
	if c.Address.IP.Is4In6() {
		address = c.Address.IP.Unmap().String()
	}
	types := map[Type]ice.CandidateType{
		Host: ice.CandidateTypeHost, ServerReflexive: ice.CandidateTypeServerReflexive,
		PeerReflexive: ice.CandidateTypePeerReflexive, Relay: ice.CandidateTypeRelay,
	}
	switch {
	case !strings.EqualFold(p.Address(), address) && p.Address() != c.Address.IP.String():
		t.Errorf("address: pion reads %s, we %s", p.Address(), address)
	case p.Port() != int(c.Port):
		t.Errorf("port: pion reads %d, we %d", p.Port(), c.Port)
	case p.Type() != types[c.Type]:
		t.Errorf("type: pion reads %s, we %d", p.Type(), c.Type)
	case p.Component() != c.Component:
		t.Errorf("component: pion reads %d, we %d", p.Component(), c.Component)
	case p.Priority() != c.Priority:
		t.Errorf("priority: pion reads %d, we %d", p.Priority(), c.Priority)
	case c.Address.Name == "" && p.NetworkType().IsTCP() != (c.Transport == TCP):
		t.Errorf("transport: pion reads %s, we %d", p.NetworkType(), c.Transport)
	}
}
