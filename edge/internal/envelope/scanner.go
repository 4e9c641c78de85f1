package envelope

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"

	"github.com/parley-rtc/parley/services/contract"
)

// kind is what a JSON value is.
type kind byte

const (
	kindAbsent kind = iota
	kindObject
	kindArray
	kindText
	kindNumber
	kindBoolean
	kindNull
)

// value is where a JSON value stands in the scanned text. The zero value is
// absent.
type value struct {
	kind       kind
	escapes    escapes // of a text
	start, end int
}

// escapes is which escape sequences a text has.
type escapes byte

const (
	noEscapes    escapes = iota // none: it stands there as it is meant
	ownEscapes                  // none but those that appendQuoted writes, too
	otherEscapes                // others
)

// member is one name and value of an object. The key is unescaped and borrows
// the text if it can.
type member struct {
	key   []byte
	value value
}

// scanner reads JSON (RFC 8259) strictly and once: grammar, UTF-8, no duplicate
// keys, at most contract.MaxJSONDepth levels. Its methods report false once
// there is a fault, which is then in fault.
type scanner struct {
	in    []byte
	at    int
	depth int
	again bool // the text has passed a scan before: its names aren't compared again
	fault *contract.Error
	keys  [][]byte // of the objects around the position, the outermost first
}

// fail notes what is wrong at a byte of the text, and never what is there.
func (s *scanner) fail(at int, what string) bool {
	if s.fault == nil {
		s.fault = contract.Errorf(contract.CodeBadJSON, "byte %d: %s", at, what)
	}
	return false
}

// space goes to the next byte that isn't white space (section 2).
func (s *scanner) space() {
	for s.at < len(s.in) {
		switch s.in[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// peek is the byte at the position, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.in) {
		return s.in[s.at]
	}
	return 0
}

// value reads one value of any kind.
func (s *scanner) value() (v value, ok bool) {
	s.space()
	v.start = s.at
	switch c := s.peek(); c {
	case '{':
		v.kind, ok = kindObject, s.object(nil)
	case '[':
		v.kind, ok = kindArray, s.array(nil)
	case '"':
		v.kind = kindText
		v.escapes, ok = s.text()
	case 't':
		v.kind, ok = kindBoolean, s.literal("true")
	case 'f':
		v.kind, ok = kindBoolean, s.literal("false")
	case 'n':
		v.kind, ok = kindNull, s.literal("null")
	default:
		v.kind, ok = kindNumber, s.number()
	}
	v.end = s.at
	return v, ok
}

// enter goes into an object or array.
func (s *scanner) enter() bool {
	if s.depth == contract.MaxJSONDepth {
		return s.fail(s.at, fmt.Sprintf("nested deeper than %d levels", contract.MaxJSONDepth))
	}
	s.depth++
	s.at++
	s.space()
	return true
}

// leave goes out of it, behind the closing bracket.
func (s *scanner) leave() bool {
	s.depth--
	s.at++
	return true
}

// object reads an object. Its members are appended to members, if that isn't
// nil, as they are complete.
func (s *scanner) object(members *[]member) bool {
	if !s.enter() {
		return false
	}
	seen := keySet{base: len(s.keys)}
	if s.peek() == '}' {
		return s.leave()
	}
	for {
		key, ok := s.key(&seen)
		if !ok {
			return false
		}
		v, ok := s.value()
		if !ok {
			return false
		}
		s.space()
		c := s.peek()
		if c != ',' && c != '}' {
			return s.fail(s.at, "expected ',' or '}' after a member of an object")
		}
		if members != nil {
			*members = append(*members, member{key, v})
		}
		if c == '}' {
			s.keys = s.keys[:seen.base]
			return s.leave()
		}
		s.at++
		s.space()
	}
}

// key reads a name and the colon behind it.
func (s *scanner) key(seen *keySet) (key []byte, ok bool) {
	start := s.at
	if s.peek() != '"' {
		return nil, s.fail(s.at, "expected '\"' and the name of a member")
	}
	escapes, ok := s.text()
	if !ok {
		return nil, false
	}
	key = s.in[start+1 : s.at-1]
	if escapes != noEscapes {
		key = appendUnescaped(nil, key)
	}
	if !s.again && !seen.add(s, key) {
		return key, s.fail(start, "this name is in the object already")
	}
	s.space()
	if s.peek() != ':' {
		return nil, s.fail(s.at, "expected ':' after the name of a member")
	}
	s.at++
	return key, true
}

// array reads an array. Its values go to each, if there is one.
func (s *scanner) array(each func(value)) bool {
	if !s.enter() {
		return false
	}
	if s.peek() == ']' {
		return s.leave()
	}
	for {
		v, ok := s.value()
		if !ok {
			return false
		}
		if each != nil {
			each(v)
		}
		s.space()
		switch s.peek() {
		case ']':
			return s.leave()
		case ',':
			s.at++
		default:
			return s.fail(s.at, "expected ',' or ']' after a value of an array")
		}
	}
}

// text reads a string (section 7) and tells which escape sequences it has.
func (s *scanner) text() (found escapes, ok bool) {
	s.at++
	for {
		s.plain()
		if s.at == len(s.in) {
			return found, s.fail(s.at, "the text ends inside a string")
		}
		switch c := s.in[s.at]; {
		case c == '"':
			s.at++
			return found, true
		case c == '\\':
			one, ok := s.escape()
			if !ok {
				return found, false
			}
			found = max(found, one)
		case c < ' ':
			return found, s.fail(s.at, "a control character must be escaped")
		default:
			r, size := utf8.DecodeRune(s.in[s.at:])
			if r == utf8.RuneError && size == 1 {
				return found, s.fail(s.at, "not UTF-8")
			}
			s.at += size
		}
	}
}

// plain goes to the next byte of a string that isn't an ASCII character which
// stands for itself, eight bytes at a time.
func (s *scanner) plain() {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for s.at+8 <= len(s.in) {
		// Each term has the high bit of the bytes that it is about; a borrow can
		// spoil only bytes behind the first of them.
		w := binary.LittleEndian.Uint64(s.in[s.at:])
		quote, slash := w^each*'"', w^each*'\\'
		found := (w | (w-each*' ')&^w | (quote-each)&^quote | (slash-each)&^slash) & high
		if found != 0 {
			s.at += bits.TrailingZeros64(found) / 8
			return
		}
		s.at += 8
	}
	for s.at < len(s.in) {
		if c := s.in[s.at]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return
		}
		s.at++
	}
}

// escape reads one escape sequence.
func (s *scanner) escape() (found escapes, ok bool) {
	at := s.at
	s.at++
	switch s.peek() {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		s.at++
		return ownEscapes, true
	case '/':
		s.at++
		return otherEscapes, true
	case 'u':
		if _, ok := hexUnit(s.in[s.at+1:]); ok {
			s.at += 5
			return otherEscapes, true
		}
	}
	return noEscapes, s.fail(at, "not an escape sequence")
}

// number reads a number (section 6).
func (s *scanner) number() bool {
	start := s.at
	if s.peek() == '-' {
		s.at++
	}
	switch c := s.peek(); {
	case c == '0':
		s.at++
	case c >= '1' && c <= '9':
		s.digits()
	default:
		return s.fail(start, "expected a value")
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return s.fail(s.at, "expected a digit after the decimal point")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		if !s.digits() {
			return s.fail(s.at, "expected a digit of the exponent")
		}
	}
	return true
}

// digits reads digits and reports whether there was one.
func (s *scanner) digits() bool {
	start := s.at
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > start
}

func (s *scanner) literal(word string) bool {
	if len(s.in)-s.at < len(word) || string(s.in[s.at:s.at+len(word)]) != word {
		return s.fail(s.at, "expected a value")
	}
	s.at += len(word)
	return true
}
