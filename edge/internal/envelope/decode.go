package envelope

import "github.com/parley-rtc/parley/services/contract"

// Frame is one client frame.
type Frame struct {
	// Type is one of contract's client frame types, or empty if it couldn't be
	// read or isn't known: it is safe as a label.
	Type string

	// Seq is 0 if the frame has none, or if it couldn't be read. A frame with
	// an Err and a Seq has used that seq.
	Seq uint64

	// Trace is a well-formed traceparent (W3C Trace Context) or empty. It
	// borrows the frame's text.
	Trace []byte

	// Body is what came: *contract.Hello, *contract.Join, *Signal (offer,
	// answer, candidate and message), *contract.SetPresence,
	// *contract.Moderate, *contract.Refresh, *contract.Leave, *contract.Ping
	// (ping and pong), *contract.Bye or *contract.Part. It is nil with an Err.
	// Of these only a *Signal borrows.
	Body any

	// Err says why the frame can't be used. Its text is safe to show.
	Err *contract.Error
}

// Reader reads the frames of a connection, or of several in turn. What it needs
// of memory it uses again, so that signals are read without any allocation. The
// zero Reader is ready. It must not be used by two goroutines at once.
type Reader struct {
	fields // of the frame itself
	common shared
	limits *contract.Limits
	frame  Frame
	signal Signal
}

// shared is what the objects of one frame share.
type shared struct {
	err    *contract.Error // the first fault of all
	nested []member        // of the objects in the frame
	keys   [][]byte        // of the scanner
	memory []byte          // texts that stand escaped in the frame
}

// frameTypes are the types of client frames, those that come most first, and
// whether frames of them have a seq.
var frameTypes = [...]struct {
	name string
	seq  bool
}{
	{contract.TypeCandidate, true}, {contract.TypeMessage, true}, {contract.TypeOffer, true}, {contract.TypeAnswer, true},
	{contract.TypePing, false}, {contract.TypePong, false}, {contract.TypePresence, true}, {contract.TypeJoin, true},
	{contract.TypeHello, false}, {contract.TypeModerate, true}, {contract.TypeRefresh, true}, {contract.TypeLeave, true},
	{contract.TypeBye, false}, {contract.TypePart, false},
}

// typeOf finds the type of that name; an unknown one is empty and may have a seq.
func typeOf(name []byte) (frameType string, seq bool) {
	for i := range frameTypes {
		if frameTypes[i].name == string(name) {
			return frameTypes[i].name, frameTypes[i].seq
		}
	}
	return "", true
}

// Decode is Reader.Read for a frame now and then: it allocates.
func Decode(text []byte, limits *contract.Limits) Frame { return *new(Reader).Read(text, limits) }

// Read reads the text of one client frame. What it returns, and what that
// borrows of text, is good until the next Read. limits gives the sizes that a
// frame's fields may have; the text's own size must have been checked.
func (r *Reader) Read(text []byte, limits *contract.Limits) *Frame {
	r.reset(text, limits)
	r.scan()
	r.head()
	if r.common.err == nil {
		if body := r.body(); r.common.err == nil {
			r.frame.Body = body
		}
	}
	r.frame.Err = r.common.err
	return &r.frame
}

// keepMemory is the most of each kind of memory that a Reader keeps.
const keepMemory = 64 << 10

// reset makes the Reader ready for a frame.
func (r *Reader) reset(text []byte, limits *contract.Limits) {
	if cap(r.common.memory) > keepMemory {
		r.common.memory = nil
	}
	r.limits, r.frame = limits, Frame{}
	r.common = shared{nested: r.common.nested[:0], keys: r.common.keys[:0], memory: r.common.memory[:0]}
	r.fields = fields{in: text, index: -1, members: r.members[:0], shared: &r.common}
}

// body reads what the type has.
func (r *Reader) body() any {
	switch r.frame.Type {
	case contract.TypeHello:
		return r.hello()
	case contract.TypePing, contract.TypePong:
		return r.ping()
	case contract.TypeBye:
		return r.bye()
	case contract.TypePart:
		return r.part()
	}
	r.integer("seq", 1, contract.MaxSeq)
	switch r.frame.Type {
	case contract.TypeOffer:
		return r.describe(contract.KindOffer)
	case contract.TypeAnswer:
		return r.describe(contract.KindAnswer)
	case contract.TypeCandidate:
		return r.trickle()
	case contract.TypeMessage:
		return r.message()
	case contract.TypeJoin:
		return r.join()
	case contract.TypePresence:
		return r.presence()
	case contract.TypeModerate:
		return r.moderate()
	case contract.TypeRefresh:
		return r.refresh()
	default:
		return r.leave()
	}
}

// scan checks the whole text and finds the frame's members.
func (r *Reader) scan() {
	s := scanner{in: r.in, keys: r.common.keys}
	s.space()
	if s.peek() == '{' {
		s.object(&r.members)
	} else if _, ok := s.value(); ok {
		r.common.err = contract.Errorf(contract.CodeBadFrame, "a frame is a JSON object")
	}
	s.space()
	if s.fault == nil && s.at < len(s.in) {
		s.fail(s.at, "nothing may follow the frame")
	}
	if s.fault != nil {
		r.common.err = s.fault
	}
	r.common.keys = s.keys
}

// head reads type, seq and trace, also of a frame that failed: what stood
// before the fault can be told.
func (r *Reader) head() {
	failed := r.common.err != nil
	seq := true
	if v := r.find("type"); v.kind == kindText {
		r.frame.Type, seq = typeOf(r.bytes(v))
		if r.frame.Type == "" && !failed {
			r.common.err = contract.Errorf(contract.CodeUnknownType, "%s has no such type of frame", contract.Subprotocol)
		}
	} else if !failed {
		r.refuse(contract.CodeBadFrame, "type", "a string is required")
	}
	if n, ok := r.digits(r.find("seq")); ok && seq && n <= contract.MaxSeq {
		r.frame.Seq = n
	}
	if v := r.find("traceparent"); v.kind == kindText {
		if t := r.bytes(v); isTraceparent(t) {
			r.frame.Trace = t
		}
	}
}
