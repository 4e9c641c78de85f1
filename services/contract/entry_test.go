package contract_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// The golden entry: the layout in entry.go, written by hand.
const (
	goldenOffer = "019701" + // signal of 151 bytes
		"01" + "0464656d6f" + "033d4b67" + "ac06" + "027061" + "ab06" + "07" + "027062" + // offer demo =Kg 812 pa 811 7 pb
		"067075626c6963" + // public
		"3730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031" + // traceparent
		"026e31" + // n1
		"3f7b226e65676f74696174696f6e223a226e31222c226465736372697074696f6e223a7b2274797065223a226f66666572222c22736470223a22763d30227d7d"
	goldenEvent = "0129" + "06" + "0464656d6f" + "033d4b67" + "ffffffffffffffffff01" +
		"0b726f6f6d7376632d312d78" + "00" + "00" + "00" + "00" + "00" + "00" + "027b7d"
	goldenFiltered = "0219" + "027061" + "07" + "00" + "00" + "0f707269766174655f61646472657373" + "ac02" + "00"
	goldenRefused  = "0229" + "027061" + "08" + "01" + "0d6261645f63616e646964617465" + "0d6261645f63616e646964617465" + "00" + "06706f72742030"
	goldenEntry    = "01" + goldenOffer + goldenEvent + goldenFiltered + goldenRefused
)

func goldenSignals() []contract.Signal {
	return []contract.Signal{
		{
			Kind: contract.KindOffer, App: []byte("demo"), Room: []byte("=Kg"), Revision: 812,
			From: []byte("pa"), Epoch: 811, Seq: 7, To: []byte("pb"), Policy: []byte("public"),
			Trace:       []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
			Negotiation: []byte("n1"),
			Body:        []byte(`{"negotiation":"n1","description":{"type":"offer","sdp":"v=0"}}`),
		},
		{
			Kind: contract.KindEvent, App: []byte("demo"), Room: []byte("=Kg"), Revision: math.MaxUint64,
			From: []byte("roomsvc-1-x"), To: []byte{}, Policy: []byte{}, Trace: []byte{}, Negotiation: []byte{}, Body: []byte("{}"),
		},
	}
}

func goldenVerdicts() []contract.Verdict {
	return []contract.Verdict{
		{From: "pa", Seq: 7, Rule: contract.RulePrivateAddress, Count: 300},
		{From: "pa", Seq: 8, Refused: true, Code: contract.CodeBadCandidate, Rule: contract.RuleBadCandidate, Message: "port 0"},
	}
}

func TestEntry_Golden(t *testing.T) {
	if got := hex.EncodeToString(encode(goldenSignals(), goldenVerdicts())); got != goldenEntry {
		t.Errorf("got  %s\nwant %s", got, goldenEntry)
	}
	signals, verdicts, err := decode(unhex(t, goldenEntry))
	if err != nil {
		t.Fatal(err)
	}
	if want := goldenSignals(); !reflect.DeepEqual(signals, want) {
		t.Errorf("got signals %+v, want %+v", signals, want)
	}
	if want := goldenVerdicts(); !slices.Equal(verdicts, want) {
		t.Errorf("got verdicts %+v, want %+v", verdicts, want)
	}
}

func TestReadVerdicts(t *testing.T) {
	got, err := contract.ReadVerdicts(unhex(t, goldenEntry))
	if want := goldenVerdicts(); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if got, err := contract.ReadVerdicts(encode(goldenSignals(), nil)); err != nil || got != nil {
		t.Errorf("an entry without verdicts gave %+v, %v", got, err)
	}
}

func TestReadEntry_Version(t *testing.T) {
	for _, bad := range [][]byte{nil, {}, {0}, {2}, {0xff, 1}, []byte("{}")} {
		if _, err := contract.ReadEntry(bad); !errors.Is(err, contract.ErrBadEntry) {
			t.Errorf("%q: got %v, want ErrBadEntry", bad, err)
		}
	}
	r, err := contract.ReadEntry([]byte{1})
	if err != nil {
		t.Fatalf("the empty entry: %v", err)
	}
	if more, err := r.Next(); more || err != nil {
		t.Errorf("the empty entry has an item: %t, %v", more, err)
	}
}

// What a newer process adds must pass through an older one.
func TestEntry_SkipsTheUnknown(t *testing.T) {
	item := func(kind byte, payload string) string {
		return string([]byte{kind}) + string(binary.AppendUvarint(nil, uint64(len(payload)))) + payload
	}
	// The payloads begin behind the item byte and a length of one or two bytes.
	longerOffer := item(1, string(unhex(t, goldenOffer)[3:])+"\x05"+"later")
	longerVerdict := item(2, string(unhex(t, goldenRefused)[2:])+"\x01")
	entry := "\x01" + item(3, "") + longerOffer + item(0, "zero") + item(0x7f, strings.Repeat("?", 300)) + longerVerdict + item(0xff, "end")

	signals, verdicts, err := decode([]byte(entry))
	if err != nil {
		t.Fatal(err)
	}
	want := goldenSignals()[:1]
	want[0].Session = 5
	if !reflect.DeepEqual(signals, want) {
		t.Errorf("got signals %+v, want %+v", signals, want)
	}
	if want := goldenVerdicts()[1:]; !slices.Equal(verdicts, want) {
		t.Errorf("got verdicts %+v, want %+v", verdicts, want)
	}
}

// A signal with a session is one more field longer, and as exact.
func TestEntry_session(t *testing.T) {
	s := goldenSignals()[1]
	s.Session = 7
	entry := encode([]contract.Signal{s}, nil)
	if got, want := string(entry), "\x01\x01\x2a"+string(unhex(t, goldenEvent)[2:])+"\x07"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !exact(t, entry) {
		t.Error("it isn't exact")
	}
}

func TestEntryReader_Exact(t *testing.T) {
	signal, payload := goldenSignals()[1], string(unhex(t, goldenEvent)[2:])
	golden := string(unhex(t, goldenEvent))
	tests := []struct {
		name, entry string
		want        bool
	}{
		{"as it is written", "\x01" + golden + golden, true},
		{"nothing in it", "\x01", true},
		{"an unknown item before", "\x01\x03\x00" + golden, false},
		{"an unknown item behind", "\x01" + golden + "\x03\x00", false},
		{"more bytes in a signal", "\x01\x01\x2a" + payload + "\x00" + golden, false},
		{"a long length of the item", "\x01\x01\xa9\x00" + payload, false},
		{"a long length of a field", "\x01\x01\x2a" + payload[:1] + "\x84\x00" + payload[2:], false},
		{"a long number", "\x01\x01\x2a" + strings.Replace(payload, "-x\x00", "-x\x80\x00", 1), false},
	}
	for _, tt := range tests {
		r, err := contract.ReadEntry([]byte(tt.entry))
		if err != nil {
			t.Fatal(err)
		}
		end := 1
		for {
			more, err := r.Next()
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if !more {
				break
			}
			var s contract.Signal
			if err := r.Signal(&s); err != nil || !reflect.DeepEqual(s, signal) {
				t.Fatalf("%s: got %+v, %v; want %+v", tt.name, s, err, signal)
			}
			var start int
			if start, end = r.Bounds(); tt.want && tt.entry[start:end] != golden {
				t.Errorf("%s: the item's bounds are %d and %d", tt.name, start, end)
			}
		}
		if got := r.Exact(); got != tt.want || got && end != len(tt.entry) {
			t.Errorf("%s: got %v and the last item ends at %d of %d", tt.name, got, end, len(tt.entry))
		}
	}
}

func TestEntry_Truncated(t *testing.T) {
	entry := unhex(t, goldenEntry)
	whole := map[int]int{1: 0} // items of the prefixes that end between two items
	end := 1
	for i, item := range []string{goldenOffer, goldenEvent, goldenFiltered, goldenRefused} {
		end += len(item) / 2
		whole[end] = i + 1
	}
	for n := range entry {
		signals, verdicts, err := decode(entry[:n])
		items, between := whole[n]
		if between && (err != nil || len(signals)+len(verdicts) != items) {
			t.Errorf("%d bytes: got %d items, %v; want %d", n, len(signals)+len(verdicts), err, items)
		}
		if !between && !errors.Is(err, contract.ErrBadEntry) {
			t.Errorf("%d bytes: got %v, want ErrBadEntry", n, err)
		}
	}
}

func TestEntry_Bad(t *testing.T) {
	tests := []struct{ name, entry string }{
		{"item longer than the entry", "010105060000"},
		{"length over 64 bits", "0101ffffffffffffffffffffff01"},
		{"length that is never done", "0101ffff"},
		{"length near 2^64", "0101ffffffffffffffffff0100"},
		{"signal without payload", "010100"},
		{"signal with only its kind", "01010101"},
		{"field longer than the item", "01010401" + "0561" + "61"},
		{"verdict without payload", "010200"},
		{"verdict cut off behind seq", "0102" + "04" + "027061" + "07"},
		{"signal without app", "01010d" + "01" + "00" + "0172" + "01" + "0170" + "01" + "01" + "00" + "00" + "00" + "00"},
		{"signal without room", "01010d" + "01" + "0161" + "00" + "01" + "0170" + "01" + "01" + "00" + "00" + "00" + "00"},
		{"signal without sender", "01010d" + "01" + "0161" + "0172" + "01" + "00" + "01" + "01" + "00" + "00" + "00" + "00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			signals, verdicts, err := decode(unhex(t, tt.entry))
			if !errors.Is(err, contract.ErrBadEntry) {
				t.Errorf("got %+v, %+v, %v; want ErrBadEntry", signals, verdicts, err)
			}
		})
	}
}

func TestEntry_SignalBorrows(t *testing.T) {
	entry := encode(goldenSignals(), nil)
	r, err := contract.ReadEntry(entry)
	if err != nil {
		t.Fatal(err)
	}
	if more, err := r.Next(); !more || err != nil {
		t.Fatal(more, err)
	}
	var s contract.Signal
	if err := r.Signal(&s); err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(entry)
	_ = append(s.App, "overwrites what follows?"...)
	if !bytes.Equal(entry, before) {
		t.Error("appending to a field changes the entry")
	}
}

func TestEntry_AllocatesNothing(t *testing.T) {
	signals, verdicts := goldenSignals(), goldenVerdicts()
	buffer := make([]byte, 0, 4096)
	write := func() {
		buffer = contract.AppendEntry(buffer[:0])
		for i := range signals {
			buffer = contract.AppendSignal(buffer, &signals[i])
		}
		for i := range verdicts {
			buffer = contract.AppendVerdict(buffer, &verdicts[i])
		}
	}
	if got := testing.AllocsPerRun(100, write); got != 0 {
		t.Errorf("writing: %v allocations", got)
	}
	var s contract.Signal
	read := func() {
		r, err := contract.ReadEntry(buffer)
		for more := err == nil; more; {
			if more, err = r.Next(); more && err == nil && r.IsSignal() {
				err = r.Signal(&s)
			}
		}
		if err != nil {
			panic(err)
		}
	}
	if got := testing.AllocsPerRun(100, read); got != 0 {
		t.Errorf("reading: %v allocations", got)
	}
	if string(s.From) != "roomsvc-1-x" {
		t.Errorf("the last signal read is from %q", s.From)
	}
}

func encode(signals []contract.Signal, verdicts []contract.Verdict) []byte {
	entry := contract.AppendEntry(nil)
	for i := range signals {
		entry = contract.AppendSignal(entry, &signals[i])
	}
	for i := range verdicts {
		entry = contract.AppendVerdict(entry, &verdicts[i])
	}
	return entry
}

// decode reads a whole entry, in copies.
func decode(entry []byte) (signals []contract.Signal, verdicts []contract.Verdict, err error) {
	r, err := contract.ReadEntry(entry)
	if err != nil {
		return nil, nil, err
	}
	for {
		more, err := r.Next()
		if err != nil || !more {
			return signals, verdicts, err
		}
		if r.IsSignal() {
			var s contract.Signal
			if err := r.Signal(&s); err != nil {
				return signals, verdicts, err
			}
			signals = append(signals, s)
			continue
		}
		var v contract.Verdict
		if err := r.Verdict(&v); err != nil {
			return signals, verdicts, err
		}
		verdicts = append(verdicts, v)
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
