package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// Parse reads one object. The error is ErrSyntax, ErrDuplicate or ErrDepth.
func Parse(text []byte) (Object, error) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, ErrSyntax
	}
	if err := walk(json.NewDecoder(bytes.NewReader(text)), 1); err != nil {
		return nil, err
	}
	var o Object
	if err := json.Unmarshal(text, &o); err != nil || o == nil {
		return nil, ErrSyntax
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
		return read(name, "text", text, into)
	case *int64:
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

func read[T any](name, kind string, text json.RawMessage, into *T) error {
	var value *T // stays nil for null
	if err := json.Unmarshal(text, &value); err != nil || value == nil {
		return fmt.Errorf("%s must be %s", name, kind)
	}
	*into = *value
	return nil
}

// walk reads one value, whose syntax was checked before.
func walk(dec *json.Decoder, depth int) error {
	opening, err := dec.Token()
	if err != nil {
		return ErrSyntax // a number that float64 can't hold
	}
	if _, nested := opening.(json.Delim); !nested {
		return nil
	}
	if depth > contract.MaxJSONDepth {
		return ErrDepth
	}
	seen := map[string]bool{}
	for dec.More() {
		if opening == json.Delim('{') {
			name, err := dec.Token()
			if err != nil {
				return ErrSyntax
			}
			text, _ := name.(string)
			if seen[text] {
				return ErrDuplicate
			}
			seen[text] = true
		}
		if err := walk(dec, depth+1); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return ErrSyntax
	}
	return nil
}
