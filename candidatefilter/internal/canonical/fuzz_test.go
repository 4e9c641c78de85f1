package canonical

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzReader_Value: what is taken is what encoding/json takes, and in its form
// nothing is refused.
func FuzzReader_Value(f *testing.F) {
	for _, text := range values {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := Read(text)
		if r.Value() {
			if value := text[:r.At()]; !json.Valid(value) || !bytes.Equal(value, bytes.TrimSpace(value)) {
				t.Fatalf("%q is taken of %q", value, text)
			}
		}
		// A number, and only that, ends where another begins.
		whole := r.Ended() && r.at > 0
		if trimmed := bytes.Trim(text, " \t\r\n"); json.Valid(text) && len(trimmed) == len(text) && !whole && depth(text) <= maxDepth {
			t.Fatalf("%q isn't taken, encoding/json does", text)
		}
	})
}

// FuzzReader_strings: a string that is taken is for encoding/json the bytes
// between its quotes, and is written in them.
func FuzzReader_strings(f *testing.F) {
	for _, text := range append(values, `"candidate:1 1 udp <&>"`, "\"\u2028\"", "\"\xff\"", "\"\x7f\"") {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := Read(text)
		inside, ok := r.Plain()
		if !ok {
			return
		}
		var want string
		if err := json.Unmarshal(text[:r.At()], &want); err != nil || want != string(inside) {
			t.Fatalf("%q is %q, %v for encoding/json", text, want, err)
		}
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(want); err != nil || strings.TrimSpace(out.String()) != strings.TrimSpace(string(text[:r.At()])) {
			t.Fatalf("%q is written as %s, %v", text[:r.At()], out.Bytes(), err)
		}
	})
}

// FuzzReader_Number: a number that is taken is one of encoding/json's.
func FuzzReader_Number(f *testing.F) {
	for _, text := range []string{"0", "00", "01", "1", "65535", "65536", "99999", "-1", "1.0", "1e3", "", "18446744073709551616"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want uint16
		bare := bytes.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
		legal := json.Unmarshal(text, &want) == nil && bare
		r := Read(text)
		if got := r.Number(1<<16-1) && r.Ended(); got != legal {
			t.Fatalf("%q: got %v, encoding/json reads %d, %v", text, got, want, legal)
		}
	})
}

// depth is how deep the brackets of a valid text are nested.
func depth(text []byte) (most int) {
	now, inside, escaped := 0, false, false
	for _, b := range text {
		switch {
		case escaped:
			escaped = false
		case inside && b == '\\':
			escaped = true
		case b == '"':
			inside = !inside
		case !inside && (b == '{' || b == '['):
			now++
			most = max(most, now)
		case !inside && (b == '}' || b == ']'):
			now--
		}
	}
	return most
}
