package canonical

import (
	"bytes"
	"encoding/json"
	"testing"
)

var lineTexts = []string{
	`""`, `"v=0\r\na=x:\"y\" \\ <&>\r\n"`, `"a"b`,
	``, `"`, `"a`, `"a\`, `"a\"`, `"\t"`, `"\/"`, `"\u000d"`, "\"\r\n\"", "\"\x7f\"", `"é"`,
}

// FuzzReader_AppendLines: a string of lines that is taken means to encoding/json
// the same, and is written as that writes it.
func FuzzReader_AppendLines(f *testing.F) {
	for _, text := range lineTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := Read(text)
		lines, ok := r.AppendLines([]byte("before"))
		if !ok {
			return
		}
		quoted, lines := text[:r.At()], bytes.TrimPrefix(lines, []byte("before"))
		var want string
		if err := json.Unmarshal(quoted, &want); err != nil || want != string(lines) {
			t.Fatalf("%q is %q, and %q, %v for encoding/json", quoted, lines, want, err)
		}
		if got, ok := QuoteLines([]byte("before"), lines); !ok || string(got) != "before"+string(quoted) {
			t.Fatalf("%q is written as %q, %v", quoted, got, ok)
		}
	})
}

// FuzzQuoteLines: what is written is what encoding/json writes without HTML
// escapes, and all that AppendLines reads.
func FuzzQuoteLines(f *testing.F) {
	for _, text := range []string{"", "v=0\r\n", `a="\"`, "\t", "<&>", "\x7f", "é", "\u2028"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := QuoteLines(nil, text)
		legal := bytes.IndexFunc(text, func(r rune) bool { return (r < ' ' || r > '~') && r != '\r' && r != '\n' }) < 0
		if ok != legal {
			t.Fatalf("%q: got %v, want %v", text, ok, legal)
		}
		if !ok {
			return
		}
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(string(text)); err != nil || string(got)+"\n" != want.String() {
			t.Fatalf("%q is written as %s, encoding/json writes %s, %v", text, got, want.Bytes(), err)
		}
		r := Read(got)
		if back, ok := r.AppendLines(nil); !ok || !r.Ended() || !bytes.Equal(back, text) {
			t.Fatalf("%q comes back as %q, %v", text, back, ok)
		}
	})
}

func TestReader_AppendLines(t *testing.T) {
	const taken = 3 // of the texts, the first ones
	for i, text := range lineTexts {
		r := Read([]byte(text))
		if _, ok := r.AppendLines(nil); ok != (i < taken) {
			t.Errorf("%q: got %v", text, ok)
		}
	}
}
