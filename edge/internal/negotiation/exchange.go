package negotiation

import "bytes"

// maxUfrags is how many username fragments of one description are kept. With
// BUNDLE (RFC 9143) there is one.
const maxUfrags = 2

// mark stands for a negotiation id or a username fragment, so that a Pair has a
// fixed size and holds no client's text. Whoever makes two of his own collide
// spoils his own candidates only.
type mark uint64

// none is no mark.
const none mark = 0

// markOf is the FNV-1a hash of s.
func markOf(s []byte) mark {
	const offset, prime = 14695981039346656037, 1099511628211
	m := mark(offset)
	for i := range len(s) {
		m = (m ^ mark(s[i])) * prime
	}
	if m == none {
		return 1
	}
	return m
}

// exchange is one negotiation: an offer, then its answer. The zero exchange is
// none.
type exchange struct {
	id         mark
	ufrags     [maxUfrags]mark // of our description in it
	candidates int32           // that passed
	unknown    bool            // our description has fragments that aren't in ufrags
}

// describe notes the username fragments of our description.
func (e *exchange) describe(sdp []byte) {
	e.ufrags, e.unknown = [maxUfrags]mark{}, false
	found := 0
	for u := range ufragsOf(sdp) {
		m := markOf(u)
		if e.has(m) {
			continue
		}
		if found == maxUfrags {
			e.unknown = true
			return
		}
		e.ufrags[found] = m
		found++
	}
	e.unknown = found == 0
}

func (e *exchange) has(ufrag mark) bool {
	for _, u := range e.ufrags {
		if u == ufrag {
			return true
		}
	}
	return false
}

// ufragsOf yields the value of each a=ice-ufrag line (RFC 8839 section 5.4) of
// a description, of the session and of its media.
func ufragsOf(sdp []byte) func(yield func([]byte) bool) {
	const attribute = "a=ice-ufrag:"
	return func(yield func([]byte) bool) {
		for line := range bytes.Lines(sdp) {
			value, is := bytes.CutPrefix(line, []byte(attribute))
			if !is {
				continue
			}
			if value = bytes.TrimSpace(value); len(value) > 0 && !yield(value) {
				return
			}
		}
	}
}
