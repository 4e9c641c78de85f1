package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/parley-rtc/parley/services/contract"
)

// The faults of a text. All say what to do.
var (
	ErrSyntax    = errors.New("it must be one JSON object (RFC 8259) in UTF-8")
	ErrDuplicate = errors.New("a name appears twice in one JSON object: give each once")
	ErrDepth     = fmt.Errorf("the JSON is nested over %d deep", contract.MaxJSONDepth)
)

// Object holds the members of one JSON object as they were written, by their
// exact names.
type Object map[string]json.RawMessage

// Parse reads one object, which keeps pieces of text: it must not be changed. The
// error is ErrSyntax, ErrDuplicate or ErrDepth.
func Parse(text []byte) (Object, error) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, ErrSyntax
	}
	s := scanner{text: text}
	if s.next() != '{' {
		return nil, ErrSyntax
	}
	o := Object{}
	if err := s.object(1, func(name string, value []byte) { o[name] = value }, o.Has); err != nil {
		return nil, err
	}
	return o, nil
}

// Has reports whether the object has a member of that name, null included.
func (o Object) Has(name string) bool {
	_, ok := o[name]
	return ok
}

// Read decodes a member into a *string, *int64 or *[]string, and leaves into as
// it is if there is no such member. Null, and a number that isn't whole, are of
// the wrong type. The error names the member and the type.
func (o Object) Read(name string, into any) error {
	text, ok := o[name]
	if !ok {
		return nil
	}
	switch into := into.(type) {
	case *string:
		if plain, ok := plainText(text); ok {
			*into = plain
			return nil
		}
		return read(name, "text", text, into)
	case *int64:
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			*into = n
			return nil
		}
		return read(name, "a whole number", text, into)
	case *[]string:
		var list []*string
		if err := read(name, "a list of texts", text, &list); err != nil {
			return err
		}
		for _, s := range list {
			if s == nil {
				return fmt.Errorf("%s must be a list of texts", name)
			}
			*into = append(*into, *s)
		}
		return nil
	default:
		panic("object: internal error: no such type to read into")
	}
}

// plainText is a text without escapes.
func plainText(text json.RawMessage) (string, bool) {
	if text[0] != '"' || bytes.IndexByte(text, '\\') >= 0 {
		return "", false
	}
	return string(text[1 : len(text)-1]), true
}

func read[T any](name, kind string, text json.RawMessage, into *T) error {
	var value *T // stays nil for null
	if err := json.Unmarshal(text, &value); err != nil || value == nil {
		return fmt.Errorf("%s must be %s", name, kind)
	}
	*into = *value
	return nil
}
