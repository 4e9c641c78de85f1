package contract

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind is what a signal of an entry carries.
type Kind byte

// The kinds. Their numbers are on the wire and never change.
const (
	KindOffer     Kind = 1 // Body: {"negotiation","description"}
	KindAnswer    Kind = 2 // Body: {"negotiation","description"}
	KindCandidate Kind = 3 // Body: {"negotiation","candidate"} or {"negotiation","candidates"}
	KindMessage   Kind = 4 // Body: {"id","re","data"}
	KindPresence  Kind = 5 // Body: PeerUpdate, from the edge that holds the peer
	KindEvent     Kind = 6 // Body: RoomEvents, from roomsvc
)

// Type is the frame type of a relayed kind, "" for those that only edges read.
func (k Kind) Type() string {
	switch k {
	case KindOffer:
		return TypeOffer
	case KindAnswer:
		return TypeAnswer
	case KindCandidate:
		return TypeCandidate
	case KindMessage:
		return TypeMessage
	default:
		return ""
	}
}

// The layout of an entry (integers are unsigned varints, texts and bytes are
// length-prefixed):
//
//	version byte, 1
//	items until the end, each: item byte, length, payload
//	  item 1, signal:  kind byte, app, room, revision, from, epoch, seq, to, policy, trace, negotiation, body,
//	                   session, which may only be left out if it is 0 and nothing is behind it
//	  item 2, verdict: from, seq, refused byte, code, rule, count, message
//
// Unknown items, and unknown bytes at a payload's end, are skipped, so that old
// processes read what newer ones write.
const (
	entryVersion = 1
	itemSignal   = 1
	itemVerdict  = 2
)

// ErrBadEntry is wrapped by every error about an entry that doesn't parse.
var ErrBadEntry = errors.New("bad entry")

// Signal is one signal of an entry. When read, its byte slices borrow the
// entry: they must not be kept or changed.
type Signal struct {
	Kind        Kind
	App, Room   []byte // tokens
	Revision    uint64 // of the room, as the sender's edge knew it
	From        []byte // peer; of an event the roomsvc
	Epoch       uint64 // of the sender
	Seq         uint64 // of the sender's session; 0 for what no client sent
	To          []byte // peer; empty: all members on the receiving edge with an epoch of at most Revision
	Policy      []byte // Policy of the sender, may be empty
	Trace       []byte // traceparent, may be empty
	Negotiation []byte // may be empty
	Body        []byte // JSON object
	Session     uint64 // MemberRecord.Began of the sender's session; 0: unknown
}

// Verdict is what the filter said of one signal: refused whole, or stripped of
// Count things by Rule.
type Verdict struct {
	From    string `json:"from"` // peer
	Seq     uint64 `json:"seq"`
	Refused bool   `json:"refused,omitempty"`
	Code    Code   `json:"code,omitempty"` // of a refusal
	Rule    Rule   `json:"rule"`
	Count   int    `json:"count,omitempty"`
	Message string `json:"message,omitempty"` // of a refusal: safe to show, says what to do
}

// AppendEntry starts an entry.
func AppendEntry(dst []byte) []byte { return append(dst, entryVersion) }

// AppendSignal adds a signal to an entry.
func AppendSignal(dst []byte, s *Signal) []byte {
	dst = append(dst, itemSignal)
	dst = binary.AppendUvarint(dst, uint64(signalSize(s)))
	dst = append(dst, byte(s.Kind))
	dst = appendBytes(dst, s.App)
	dst = appendBytes(dst, s.Room)
	dst = binary.AppendUvarint(dst, s.Revision)
	dst = appendBytes(dst, s.From)
	dst = binary.AppendUvarint(dst, s.Epoch)
	dst = binary.AppendUvarint(dst, s.Seq)
	dst = appendBytes(dst, s.To)
	dst = appendBytes(dst, s.Policy)
	dst = appendBytes(dst, s.Trace)
	dst = appendBytes(dst, s.Negotiation)
	dst = appendBytes(dst, s.Body)
	if s.Session != 0 {
		dst = binary.AppendUvarint(dst, s.Session)
	}
	return dst
}

// AppendVerdict adds a verdict to an entry.
func AppendVerdict(dst []byte, v *Verdict) []byte {
	dst = append(dst, itemVerdict)
	dst = binary.AppendUvarint(dst, uint64(verdictSize(v)))
	dst = appendBytes(dst, v.From)
	dst = binary.AppendUvarint(dst, v.Seq)
	dst = append(dst, boolByte(v.Refused))
	dst = appendBytes(dst, v.Code)
	dst = appendBytes(dst, v.Rule)
	dst = binary.AppendUvarint(dst, uint64(v.Count))
	return appendBytes(dst, v.Message)
}

// EntryReader reads an entry item by item. The zero value is no reader; use
// ReadEntry.
type EntryReader struct {
	entry      []byte
	start, end int // of the current item
	payload    []byte
	kind       byte
	inexact    bool
}

// ReadEntry starts to read an entry, which it borrows.
func ReadEntry(entry []byte) (EntryReader, error) {
	if len(entry) == 0 || entry[0] != entryVersion {
		return EntryReader{}, fmt.Errorf("%w: version", ErrBadEntry)
	}
	return EntryReader{entry: entry, start: 1, end: 1}, nil
}

// Next goes to the next signal or verdict and reports whether there is one; it
// skips items it doesn't know.
func (r *EntryReader) Next() (bool, error) {
	for r.end < len(r.entry) {
		p := parser{rest: r.entry[r.end+1:]}
		payload := p.bytes()
		if p.failed {
			return false, fmt.Errorf("%w: item is cut off", ErrBadEntry)
		}
		r.kind, r.payload = r.entry[r.end], payload
		r.start, r.end = r.end, len(r.entry)-len(p.rest)
		known := r.kind == itemSignal || r.kind == itemVerdict
		r.inexact = r.inexact || p.long || !known
		if known {
			return true, nil
		}
	}
	return false, nil
}

// IsSignal reports whether the current item is a signal; otherwise it is a verdict.
func (r *EntryReader) IsSignal() bool { return r.kind == itemSignal }

// Bounds tells where in the entry the current item begins and ends; before the
// first item both are where that can begin.
func (r *EntryReader) Bounds() (start, end int) { return r.start, r.end }

// Exact reports whether the entry, as far as Next and Signal have read it, is
// what AppendEntry and AppendSignal write of what they gave: without unknown
// items, unknown bytes at a signal's end, and numbers in more bytes than they
// need. It says nothing of verdicts.
func (r *EntryReader) Exact() bool { return !r.inexact }

// Signal reads the current item into s.
func (r *EntryReader) Signal(s *Signal) error {
	p := parser{rest: r.payload}
	s.Kind = Kind(p.byte())
	s.App, s.Room = p.bytes(), p.bytes()
	s.Revision = p.uint()
	s.From = p.bytes()
	s.Epoch, s.Seq = p.uint(), p.uint()
	s.To, s.Policy, s.Trace, s.Negotiation = p.bytes(), p.bytes(), p.bytes(), p.bytes()
	s.Body = p.bytes()
	s.Session = 0
	if len(p.rest) > 0 {
		s.Session = p.uint()
		p.long = p.long || s.Session == 0
	}
	if p.failed || len(s.App) == 0 || len(s.Room) == 0 || len(s.From) == 0 {
		return fmt.Errorf("%w: signal", ErrBadEntry)
	}
	r.inexact = r.inexact || p.long || len(p.rest) > 0
	return nil
}

// Verdict reads the current item into v.
func (r *EntryReader) Verdict(v *Verdict) error {
	p := parser{rest: r.payload}
	v.From = string(p.bytes())
	v.Seq = p.uint()
	v.Refused = p.byte() == 1
	v.Code, v.Rule = Code(p.bytes()), Rule(p.bytes())
	v.Count = int(p.uint())
	v.Message = string(p.bytes())
	if p.failed {
		return fmt.Errorf("%w: verdict", ErrBadEntry)
	}
	return nil
}

// ReadVerdicts returns all verdicts of an entry.
func ReadVerdicts(entry []byte) ([]Verdict, error) {
	r, err := ReadEntry(entry)
	if err != nil {
		return nil, err
	}
	var all []Verdict
	for {
		more, err := r.Next()
		if err != nil || !more {
			return all, err
		}
		if r.IsSignal() {
			continue
		}
		var v Verdict
		if err := r.Verdict(&v); err != nil {
			return all, err
		}
		all = append(all, v)
	}
}

// parser cuts fields off a payload; after a failure every field is empty.
type parser struct {
	rest   []byte
	failed bool
	long   bool // a number had more bytes than it needs
}

func (p *parser) byte() byte {
	if len(p.rest) == 0 {
		p.failed = true
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return b
}

func (p *parser) uint() uint64 {
	if len(p.rest) > 0 && p.rest[0] < 0x80 { // most are
		return uint64(p.byte())
	}
	v, n := binary.Uvarint(p.rest)
	if n <= 0 {
		p.failed, p.rest = true, nil
		return 0
	}
	p.long = p.long || p.rest[n-1] == 0
	p.rest = p.rest[n:]
	return v
}

func (p *parser) bytes() []byte {
	size := p.uint()
	if p.failed || size > uint64(len(p.rest)) {
		p.failed, p.rest = true, nil
		return nil
	}
	field := p.rest[:size:size]
	p.rest = p.rest[size:]
	return field
}

func appendBytes[T ~string | ~[]byte](dst []byte, field T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(field)))
	return append(dst, field...)
}

func signalSize(s *Signal) int {
	size := 1 + uvarintSize(s.Revision) + uvarintSize(s.Epoch) + uvarintSize(s.Seq)
	for _, field := range [...][]byte{s.App, s.Room, s.From, s.To, s.Policy, s.Trace, s.Negotiation, s.Body} {
		size += uvarintSize(uint64(len(field))) + len(field)
	}
	if s.Session != 0 {
		size += uvarintSize(s.Session)
	}
	return size
}

func verdictSize(v *Verdict) int {
	size := 1 + uvarintSize(v.Seq) + uvarintSize(uint64(v.Count))
	for _, field := range [...]string{v.From, string(v.Code), string(v.Rule), v.Message} {
		size += uvarintSize(uint64(len(field))) + len(field)
	}
	return size
}

func uvarintSize(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
