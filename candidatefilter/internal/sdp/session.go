package sdp

import (
	"math"
	"strings"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
)

// sessionOrder is the order of the session part (RFC 8866 section 9).
const sessionOrder = "vosiuepcbtrzka"

// Places in sessionOrder that the walk asks for.
const (
	placeNone = -1
	placeName = 2 // s=, the last of those that every description starts with
	placeTime = 9 // t=, without which there is no description
)

// session writes the lines before the first m=.
func (s *sanitiser) session(l *lines) *Fault {
	place := placeNone
	for l.peek() != 0 && l.peek() != 'm' {
		ln := l.next()
		next := strings.IndexByte(sessionOrder, ln.kind)
		switch {
		case place < placeName && next != place+1:
			return ln.fault("a description starts with v=, o=, s=")
		case next < place:
			return ln.fault("out of order, want " + sessionOrder)
		case next == place && strings.IndexByte("epbra", ln.kind) < 0:
			return ln.fault("a second line of its kind")
		case next > placeTime && place < placeTime:
			return ln.fault("t= is missing before it")
		}
		place = next
		if f := s.sessionLine(ln); f != nil {
			return f
		}
	}
	if place < placeTime {
		return &Fault{Line: l.number, Reason: "v=, o=, s= and t= must come before the first m="}
	}
	return nil
}

func (s *sanitiser) sessionLine(ln line) *Fault {
	switch ln.kind {
	case 'v':
		if ln.value != "0" {
			return ln.fault("version must be 0")
		}
		s.write('v', "0")
	case 'o':
		return s.origin(ln)
	case 's':
		if ln.value != "-" && ln.value != " " && ln.value != "" {
			s.remove()
		}
		s.write('s', "-")
	case 'c':
		return s.connection(ln)
	case 'b':
		s.bandwidth(ln)
	case 't':
		return s.timing(ln)
	case 'a':
		return s.attribute(ln, false)
	default: // i u e p r z k
		s.remove()
	}
	return nil
}

// timing writes t=. WebRTC always says "0 0" and ignores what it reads (RFC 8829
// section 5.2.1).
func (s *sanitiser) timing(ln line) *Fault {
	start, stop, _ := strings.Cut(ln.value, " ")
	if !isUint64(start) || !isUint64(stop) {
		return ln.fault("time must be two numbers")
	}
	s.write('t', ln.value)
	return nil
}

// bandwidth writes b= of a kind that RFC 8866 section 5.8, RFC 3556 and RFC 3890
// know, and drops others.
func (s *sanitiser) bandwidth(ln line) {
	kind, value, _ := strings.Cut(ln.value, ":")
	switch kind {
	case "CT", "AS", "TIAS", "RS", "RR":
		if isUint64(value) {
			s.write('b', ln.value)
			return
		}
	}
	s.remove()
}

func isUint64(s string) bool {
	_, ok := abnf.Number(s, math.MaxUint64)
	return ok
}
