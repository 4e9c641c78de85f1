package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/parley-rtc/parley/services/contract"
)

// FuzzParse holds the scanner against encoding/json's own reader of tokens.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{}`, ` { "a" : 1 , "b" : [ ] } `, `{"a":{"a":1},"b":[{"c":null},{"c":true}]}`, `{"a":1,"\u0061":2}`, `{"\ud800":1,"\udfff":2}`,
		`{"a\"":"\\","b":"}"}`, `{"a":-0,"b":1e5,"c":1E999,"d":0.5}`, `{"a":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}`, `null`, `[{"a":1,"a":2}]`, `{"a":1}{}`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		got, err := Parse(text)
		want, wantErr := parseByTokens(text)
		if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("Parse(%q) = %q, %v, want %q, %v", text, got, err, want, wantErr)
		}
		if err != nil && got != nil || !bytes.Equal(before, text) {
			t.Fatalf("Parse(%q) gives %q with an error, or changed the text", text, got)
		}
	})
}

// parseByTokens is what Parse must do, by encoding/json alone.
func parseByTokens(text []byte) (o Object, err error) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, ErrSyntax
	}
	if err := walk(json.NewDecoder(bytes.NewReader(text)), 1); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &o); err != nil || o == nil {
		return nil, ErrSyntax
	}
	return o, nil
}

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
	_, err = dec.Token()
	return errors.Join(err)
}
