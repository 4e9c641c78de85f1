package contract_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// rounds is how many made-up values a property is tried with. The contract's
// tests import the standard library alone, so they make them up themselves; the
// seed of a failure is in its text.
const rounds = 3000

// token is one of any id, plain or escaped.
func (g generator) token() contract.Token {
	letters := []rune("abcXYZ019-_.*> \"<é\U0001f389")
	if g.IntN(2) == 0 {
		letters = letters[:11]
	}
	var name []byte
	for range 1 + g.IntN(30) {
		name = append(name, string(letters[g.IntN(len(letters))])...)
	}
	return contract.ID(name).Token()
}

// TestCursor_properties: every cursor comes back from its text, which has no
// character that any protocol would have to escape.
func TestCursor_properties(t *testing.T) {
	for seed := range uint64(rounds) {
		g := generator{rand.New(rand.NewPCG(seed, 2))}
		c := contract.Cursor{Edge: g.token(), Epoch: g.uint(), Revision: g.uint()}
		text := c.Append(nil)
		if back, err := contract.ParseCursor(string(text)); err != nil || back != c {
			t.Fatalf("seed %d: %+v came back as %+v, %v", seed, c, back, err)
		}
		c.App = g.token()
		if got, want := string(contract.AppendCursorApp(text, c.App)), c.String(); got != want {
			t.Fatalf("seed %d: with an app added it is %q, want %q", seed, got, want)
		}
		if back, err := contract.ParseCursor(c.String()); err != nil || back != c {
			t.Fatalf("seed %d: %+v came back as %+v, %v", seed, c, back, err)
		}
		if at := bytes.IndexFunc([]byte(c.String()), func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '.' && r != '_' && r != '-' && r != '='
		}); at >= 0 {
			t.Fatalf("seed %d: the text %q has %q in it", seed, c, c.String()[at])
		}
	}
}

// newer writes an entry as a later version of Parley may: with items that this
// one doesn't know, and with fields at the end of those it does.
type newer struct {
	generator
	entry []byte
	extra int // things that this version doesn't know
}

func (w *newer) item(kind byte, payload []byte) {
	w.entry = append(w.entry, kind)
	w.entry = binary.AppendUvarint(w.entry, uint64(len(payload)))
	w.entry = append(w.entry, payload...)
}

func (w *newer) stranger() {
	if w.IntN(2) == 0 {
		w.extra++
		w.item(byte(3+w.IntN(253)), w.bytes(0, 200))
	}
}

// known adds an item of this version, which was written alone.
func (w *newer) known(item []byte) {
	_, head := binary.Uvarint(item[1:])
	payload := item[1+head:]
	if w.IntN(3) == 0 {
		w.extra++
		payload = append(slices.Clone(payload), w.bytes(1, 20)...)
	}
	w.item(item[0], payload)
}

// TestEntry_newer_properties: what this version knows of an entry reads the same
// whatever a newer one has put around it, and Exact tells whether it has.
func TestEntry_newer_properties(t *testing.T) {
	for seed := range uint64(rounds) {
		w := newer{generator: generator{rand.New(rand.NewPCG(seed, 3))}, entry: contract.AppendEntry(nil)}
		signals := make([]contract.Signal, w.IntN(4))
		w.stranger()
		for i := range signals {
			signals[i] = w.signal()
			w.known(contract.AppendSignal(nil, &signals[i]))
			w.stranger()
		}
		if got, want := exact(t, w.entry), w.extra == 0; got != want {
			t.Fatalf("seed %d: Exact is %v of an entry with %d things that aren't known", seed, got, w.extra)
		}
		verdicts := make([]contract.Verdict, w.IntN(3))
		for i := range verdicts {
			verdicts[i] = w.verdict()
			w.known(contract.AppendVerdict(nil, &verdicts[i]))
			w.stranger()
		}
		gotSignals, gotVerdicts, err := decode(w.entry)
		if err != nil || !slices.EqualFunc(gotSignals, signals, equalSignals) || !slices.Equal(gotVerdicts, verdicts) {
			t.Fatalf("seed %d: %+v %+v came back as %+v %+v, %v", seed, signals, verdicts, gotSignals, gotVerdicts, err)
		}
		if only, err := contract.ReadVerdicts(w.entry); err != nil || !slices.Equal(only, verdicts) {
			t.Fatalf("seed %d: the verdicts %+v came back as %+v, %v", seed, verdicts, only, err)
		}
	}
}

// TestEntry_damage_properties: an entry with a byte changed or left out, or without
// its end, is refused, or reads as some entry; it never panics, nor reads beyond
// its end.
func TestEntry_damage_properties(t *testing.T) {
	for seed := range uint64(rounds) {
		g := generator{rand.New(rand.NewPCG(seed, 4))}
		entry := encode([]contract.Signal{g.signal()}, []contract.Verdict{g.verdict()})
		beyond := append(entry, g.bytes(300, 300)...)
		switch at := g.IntN(len(entry)); g.IntN(3) {
		case 0:
			entry = slices.Delete(entry, at, at+1)
		case 1:
			entry[at] ^= byte(1 + g.IntN(255))
		default:
			entry = beyond[:at]
		}
		signals, verdicts, err := decode(entry)
		if err != nil && !errors.Is(err, contract.ErrBadEntry) {
			t.Fatalf("seed %d: the error isn't an ErrBadEntry: %v", seed, err)
		}
		size := 0
		for _, s := range signals {
			size += len(s.Body) + len(s.Room) + len(s.Negotiation) + len(s.Trace)
		}
		for _, v := range verdicts {
			size += len(v.Message) + len(v.Rule)
		}
		if size > len(entry) {
			t.Fatalf("seed %d: %d bytes were read from an entry of %d", seed, size, len(entry))
		}
	}
}
