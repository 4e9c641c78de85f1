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

	// Trace is a well-formed traceparent (W3C Trace Context) or empty.
	Trace string

	// Body is what came: *contract.Hello, *contract.Join, *contract.Describe,
	// *contract.Trickle, *contract.Message, *contract.SetPresence,
	// *contract.Moderate, *contract.Refresh, *contract.Leave, *contract.Ping
	// (ping and pong), *contract.Bye or *contract.Part. It is nil with an Err.
	Body any

	// Err says why the frame can't be used. Its text is safe to show.
	Err *contract.Error
}

// reader reads one frame.
type reader struct {
	fields
	limits *contract.Limits
	frame  Frame
}

// hasSeq tells whether frames of a type have a seq, and whether the type is one
// of a client frame at all.
func hasSeq(frameType []byte) (seq, known bool) {
	switch string(frameType) {
	case contract.TypeJoin, contract.TypeOffer, contract.TypeAnswer, contract.TypeCandidate, contract.TypeMessage,
		contract.TypePresence, contract.TypeModerate, contract.TypeRefresh, contract.TypeLeave:
		return true, true
	case contract.TypeHello, contract.TypePing, contract.TypePong, contract.TypeBye, contract.TypePart:
		return false, true
	default:
		return true, false
	}
}

// Decode reads the text of one client frame. Nothing in the Frame borrows text.
// limits gives the sizes that a frame's fields may have; the text's own size
// must have been checked.
func Decode(text []byte, limits *contract.Limits) Frame {
	r := reader{limits: limits}
	r.in, r.index, r.err = text, -1, &r.frame.Err
	var few [fewMembers]member
	r.members = few[:0]
	r.scan()
	r.head()
	if r.frame.Err != nil {
		return r.frame
	}
	if body := r.body(); r.frame.Err == nil {
		r.frame.Body = body
	}
	return r.frame
}

// body reads what the type has; its faults are in frame.Err.
func (r *reader) body() any {
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
	case contract.TypeJoin:
		return r.join()
	case contract.TypeOffer, contract.TypeAnswer:
		return r.describe()
	case contract.TypeCandidate:
		return r.trickle()
	case contract.TypeMessage:
		return r.message()
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
func (r *reader) scan() {
	var few [2 * fewMembers][]byte
	s := scanner{in: r.in, keys: few[:0]}
	s.space()
	if s.peek() == '{' {
		s.object(func(m member) { r.members = append(r.members, m) })
	} else if _, ok := s.value(); ok {
		r.frame.Err = contract.Errorf(contract.CodeBadFrame, "a frame is a JSON object")
	}
	s.space()
	if s.fault == nil && s.at < len(s.in) {
		s.fail(s.at, "nothing may follow the frame")
	}
	if s.fault != nil {
		r.frame.Err = s.fault
	}
}

// head reads type, seq and trace, also of a frame that failed: what stood
// before the fault can be told.
func (r *reader) head() {
	failed := r.frame.Err != nil
	seq := true
	if v := r.find("type"); v.kind == kindText {
		name := r.bytes(v)
		var known bool
		if seq, known = hasSeq(name); known {
			r.frame.Type = string(name)
		} else if !failed {
			r.frame.Err = contract.Errorf(contract.CodeUnknownType, "%s has no such type of frame", contract.Subprotocol)
		}
	} else if !failed {
		r.refuse(contract.CodeBadFrame, "type", "a string is required")
	}
	if n, ok := r.digits(r.find("seq")); ok && seq && n <= contract.MaxSeq {
		r.frame.Seq = n
	}
	if v := r.find("traceparent"); v.kind == kindText {
		if t := r.bytes(v); isTraceparent(t) {
			r.frame.Trace = string(t)
		}
	}
}
