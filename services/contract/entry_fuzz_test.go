package contract_test

import (
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// FuzzEntry_RoundTrip makes an entry of any shape from a seed; every prefix of
// it must be refused or hold fewer of the same items.
func FuzzEntry_RoundTrip(f *testing.F) {
	for seed := range uint64(16) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		signals := make([]contract.Signal, g.IntN(4))
		for i := range signals {
			signals[i] = g.signal()
		}
		verdicts := make([]contract.Verdict, g.IntN(4))
		for i := range verdicts {
			verdicts[i] = g.verdict()
		}
		entry := encode(signals, verdicts)
		gotSignals, gotVerdicts, err := decode(entry)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(gotSignals, signals, equalSignals) || !slices.Equal(gotVerdicts, verdicts) {
			t.Fatalf("%+v %+v came back as %+v %+v", signals, verdicts, gotSignals, gotVerdicts)
		}
		for n := range entry {
			part, partVerdicts, err := decode(entry[:n])
			if err != nil && !errors.Is(err, contract.ErrBadEntry) {
				t.Fatalf("%d bytes: %v", n, err)
			}
			if len(part)+len(partVerdicts) >= len(signals)+len(verdicts) && len(signals)+len(verdicts) > 0 {
				t.Fatalf("%d of %d bytes hold all items", n, len(entry))
			}
			if !slices.EqualFunc(part, signals[:len(part)], equalSignals) || !slices.Equal(partVerdicts, verdicts[:len(partVerdicts)]) {
				t.Fatalf("%d bytes hold other items: %+v %+v", n, part, partVerdicts)
			}
		}
	})
}

// FuzzReadEntry takes any bytes: no panic, and what is read is the same after
// it was written again.
func FuzzReadEntry(f *testing.F) {
	golden, err := hex.DecodeString(goldenEntry)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte{1})
	f.Add([]byte{1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0})
	f.Fuzz(func(t *testing.T, entry []byte) {
		before := slices.Clone(entry)
		signals, verdicts, err := decode(entry)
		if err != nil && !errors.Is(err, contract.ErrBadEntry) {
			t.Fatalf("the error isn't an ErrBadEntry: %v", err)
		}
		if !slices.Equal(entry, before) {
			t.Fatal("reading changed the entry")
		}
		if len(verdicts) == 0 && err == nil {
			if got, want := exact(t, entry), slices.Equal(encode(signals, nil), entry); got != want {
				t.Fatalf("Exact says %v of %x, written anew it is %x", got, entry, encode(signals, nil))
			}
		}
		again, againVerdicts, err := decode(encode(signals, verdicts))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(again, signals, equalSignals) || !slices.Equal(againVerdicts, verdicts) {
			t.Fatalf("%+v %+v came back as %+v %+v", signals, verdicts, again, againVerdicts)
		}
	})
}

// exact reads an entry of signals to its end.
func exact(t *testing.T, entry []byte) bool {
	r, err := contract.ReadEntry(entry)
	for more := err == nil; more; {
		if more, err = r.Next(); more {
			var s contract.Signal
			err = r.Signal(&s)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return r.Exact()
}

type generator struct{ *rand.Rand }

// bytes returns least to most bytes, none of them special.
func (g generator) bytes(least, most int) []byte {
	b := make([]byte, least+g.IntN(most-least+1))
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

// uint returns numbers of every varint length.
func (g generator) uint() uint64 { return g.Uint64() >> g.IntN(64) }

func (g generator) signal() contract.Signal {
	return contract.Signal{
		Kind: contract.Kind(g.Uint32()), App: g.bytes(1, 20), Room: g.bytes(1, 200), Revision: g.uint(),
		From: g.bytes(1, 20), Epoch: g.uint(), Seq: g.uint(), To: g.bytes(0, 20), Policy: g.bytes(0, 6),
		Trace: g.bytes(0, 55), Negotiation: g.bytes(0, 128), Body: g.bytes(0, 300),
		Session: g.uint() | 1, // what a newer version adds stands behind it
	}
}

func (g generator) verdict() contract.Verdict {
	return contract.Verdict{
		From: string(g.bytes(0, 20)), Seq: g.uint(), Refused: g.IntN(2) == 1,
		Code: contract.Code(g.bytes(0, 20)), Rule: contract.Rule(g.bytes(0, 20)), Count: g.IntN(1 << 20), Message: string(g.bytes(0, 40)),
	}
}

func equalSignals(a, b contract.Signal) bool { return reflect.DeepEqual(a, b) }
