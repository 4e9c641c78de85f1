package object

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
)

// scanner walks over a text that is valid JSON, so it never meets its end inside
// a value.
type scanner struct {
	text []byte
	at   int
}

// next skips white space and returns what comes, without taking it.
func (s *scanner) next() byte {
	for {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
}

// more skips white space and a comma, and reports whether the object or list goes
// on; it takes the end.
func (s *scanner) more(end byte) bool {
	if s.next() == ',' {
		s.at++
	}
	if s.next() == end {
		s.at++
		return false
	}
	return true
}

// object takes an object and gives add each member. has tells of those that it
// was given.
func (s *scanner) object(depth int, add func(name string, value []byte), has func(name string) bool) error {
	if depth > contract.MaxJSONDepth {
		return ErrDepth
	}
	s.at++
	for s.more('}') {
		name := s.name()
		if has(name) {
			return ErrDuplicate
		}
		s.next()
		s.at++ // the colon
		s.next()
		start := s.at
		if err := s.value(depth); err != nil {
			return err
		}
		add(name, s.text[start:s.at:s.at])
	}
	return nil
}

// value takes a value that stands in an object or list of that depth.
func (s *scanner) value(depth int) error {
	switch s.next() {
	case '{':
		seen := map[string]bool{}
		return s.object(depth+1, func(name string, _ []byte) { seen[name] = true }, func(name string) bool { return seen[name] })
	case '[':
		return s.list(depth + 1)
	case '"':
		s.string()
		return nil
	default:
		return s.literal()
	}
}

func (s *scanner) list(depth int) error {
	if depth > contract.MaxJSONDepth {
		return ErrDepth
	}
	s.at++
	for s.more(']') {
		if err := s.value(depth); err != nil {
			return err
		}
	}
	return nil
}

// string takes a text, and reports whether it has an escape.
func (s *scanner) string() (escaped bool) {
	for s.at++; s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			escaped = true
			s.at++
		}
	}
	s.at++
	return escaped
}

// name takes a name.
func (s *scanner) name() (name string) {
	start := s.at
	if s.string() {
		_ = json.Unmarshal(s.text[start:s.at], &name) // it is valid
		return name
	}
	return string(s.text[start+1 : s.at-1])
}

// shortNumber is how long a number is at most that surely fits in a float64, if
// it has no exponent.
const shortNumber = 300

// literal takes a number, a boolean or null.
func (s *scanner) literal() error {
	start := s.at
	end := bytes.IndexAny(s.text[start:], ",]} \t\r\n") // it stands in an object
	s.at += end
	one := s.text[start:s.at]
	if one[0] > '9' || len(one) <= shortNumber && !bytes.ContainsAny(one, "eE") {
		return nil
	}
	if _, err := strconv.ParseFloat(string(one), 64); err != nil {
		return ErrSyntax
	}
	return nil
}
