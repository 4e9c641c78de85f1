package candidate

import (
	"strings"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
)

// Parse reads one candidate as browsers and pion write it, with or without
// "candidate:" or "a=candidate:" in front. The empty string, which ends the
// candidates of a generation, is for the caller to tell apart before.
//
// The error is a *[Fault].
func Parse(text string) (Candidate, error) {
	var c Candidate
	if f := c.parse(text); f != nil {
		return Candidate{}, f
	}
	return c, nil
}

func (c *Candidate) parse(text string) *Fault {
	if len(text) > MaxBytes {
		return errTooLong
	}
	if value, ok := strings.CutPrefix(text, "a=candidate:"); ok {
		text = value
	} else {
		text = strings.TrimPrefix(text, "candidate:")
	}
	if text == "" {
		return errEmpty
	}
	if f := checkBytes(text); f != nil {
		return f
	}
	r := reader{rest: text, more: true}
	if f := c.parseTransport(&r); f != nil {
		return f
	}
	if f := c.parseType(&r); f != nil {
		return f
	}
	if f := c.parseExtensions(&r); f != nil {
		return f
	}
	if c.Has(ExtTCPType) != (c.Transport == TCP) {
		return errTCPType
	}
	return nil
}

// checkBytes allows printable ASCII and single spaces between fields. Line
// ends, NUL, tabs, other controls and everything beyond ASCII stop here, before
// any field is looked at.
func checkBytes(s string) *Fault {
	last := byte(' ')
	for i := 0; i < len(s); i++ {
		b := s[i]
		if b < ' ' || b > '~' {
			return errByte
		}
		if b == ' ' && last == ' ' {
			return errSpace
		}
		last = b
	}
	if last == ' ' {
		return errSpace
	}
	return nil
}

// parseTransport reads foundation, component, transport, priority, address and
// port.
func (c *Candidate) parseTransport(r *reader) *Fault {
	if c.Foundation = r.next(); !abnf.IsICEChars(c.Foundation, 1, 32) {
		return errFoundation
	}
	component, ok := abnf.Number(r.next(), 256)
	if !ok || component == 0 {
		return r.orShort(errComponent)
	}
	c.Component = uint16(component)
	switch r.next() {
	case "udp":
		c.Transport = UDP
	case "UDP":
		c.Transport, c.upper = UDP, true
	case "tcp":
		c.Transport = TCP
	case "TCP":
		c.Transport, c.upper = TCP, true
	default:
		return r.orShort(errTransport)
	}
	priority, ok := abnf.Number(r.next(), 1<<31-1)
	if !ok || priority == 0 {
		return r.orShort(errPriority)
	}
	c.Priority = uint32(priority)
	address := r.next()
	port, ok := abnf.Number(r.next(), 65535)
	if !ok {
		return r.orShort(errPort)
	}
	c.Port = uint16(port)
	var f *Fault
	c.Address, f = parseAddress(address)
	return f
}

// parseType reads the type, and raddr and rport if they follow.
func (c *Candidate) parseType(r *reader) *Fault {
	if r.next() != "typ" {
		return r.orShort(errType)
	}
	switch r.next() {
	case "host":
		c.Type = Host
	case "srflx":
		c.Type = ServerReflexive
	case "prflx":
		c.Type = PeerReflexive
	case "relay":
		c.Type = Relay
	default:
		return r.orShort(errType)
	}
	if r.peek() != "raddr" {
		return nil
	}
	r.next()
	if c.Type == Host {
		return errRelated
	}
	var f *Fault
	if c.Related, f = parseAddress(r.next()); f != nil {
		return f
	}
	if r.next() != "rport" {
		return errRelated
	}
	port, ok := abnf.Number(r.next(), 65535)
	if !ok {
		return errPort
	}
	c.RelatedPort = uint16(port)
	return nil
}

// parseExtensions reads name and value pairs to the end.
func (c *Candidate) parseExtensions(r *reader) *Fault {
	for r.more {
		name := r.next()
		if !r.more {
			return errExtension
		}
		if f := c.parseExtension(name, r.next()); f != nil {
			return f
		}
	}
	return nil
}

func (c *Candidate) parseExtension(name, value string) *Fault {
	var e Extension
	var f *Fault
	switch name {
	case "tcptype":
		e, f = ExtTCPType, c.parseTCPType(value)
	case "generation":
		n, ok := abnf.Number(value, 1<<32-1)
		e, c.Generation, f = ExtGeneration, uint32(n), unless(ok, errGeneration)
	case "ufrag":
		e, c.Ufrag, f = ExtUfrag, value, unless(abnf.IsICEChars(value, 4, 256), errUfrag)
	case "network-id":
		n, ok := abnf.Number(value, 65535)
		e, c.NetworkID, f = ExtNetworkID, uint16(n), unless(ok, errNetwork)
	case "network-cost":
		n, ok := abnf.Number(value, 999)
		e, c.NetworkCost, f = ExtNetworkCost, uint16(n), unless(ok, errNetwork)
	case "raddr", "rport":
		// Where libwebrtc would not look for them, but another parser might.
		return errRelated
	default:
		return unless(abnf.IsToken(name), errExtension)
	}
	if f != nil {
		return f
	}
	return unless(c.record(e), errExtension)
}

func (c *Candidate) parseTCPType(value string) *Fault {
	switch value {
	case "active":
		c.TCPType = Active
	case "passive":
		c.TCPType = Passive
	case "so":
		c.TCPType = SimultaneousOpen
	default:
		return errTCPType
	}
	return nil
}

func unless(ok bool, f *Fault) *Fault {
	if ok {
		return nil
	}
	return f
}

// reader hands out the fields of a text whose spaces were checked.
type reader struct {
	rest string
	more bool // a field is left
	over bool // a field was asked for when none was left
}

// next returns the next field, or "" at the end.
func (r *reader) next() string {
	if !r.more {
		r.over = true
		return ""
	}
	// Fields are short: a search by machine words costs more than this loop.
	for i := 0; i < len(r.rest); i++ {
		if r.rest[i] == ' ' {
			field := r.rest[:i]
			r.rest = r.rest[i+1:]
			return field
		}
	}
	field := r.rest
	r.rest, r.more = "", false
	return field
}

// peek returns the next field and leaves it there.
func (r *reader) peek() string {
	ahead := *r
	return ahead.next()
}

// orShort returns f, or the fault that says that fields are missing.
func (r *reader) orShort(f *Fault) *Fault {
	if r.over {
		return errShort
	}
	return f
}
