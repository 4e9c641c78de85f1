package canonical

import (
	"encoding/json"
	"strings"
	"testing"
)

// values are texts of every kind of value, good and bad.
var values = []string{
	`null`, `true`, `false`, `0`, `-0`, `12.5e-3`, `1E+9`, `"é\u00e9\n\/"`, `{}`, `[]`, `{ "a" : [ 1 , {"b":null} ] , "":"" }`,
	strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), "\"\xff\"", "[\t\r\n ]",
	``, `nul`, `tru e`, `01`, `-`, `+1`, `1.`, `.5`, `1e`, `1e+`, `"`, `"a`, `"\`, `"\x"`, `"\u12g4"`, `"\u123`, "\"\n\"", `{`, `[`,
	`{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `[1,]`, `[,1]`, `[1 2]`, `{"a":1 "b":2}`, `]`, `'a'`, `NaN`, "\"a\x00\"", `"\u00:0"`,
	`"\u00@0"`, `"\u00G0"`, "\"\\u00\x110\"",
	strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
}

func TestReader_Value(t *testing.T) {
	for _, text := range values {
		r := Read([]byte(text))
		got := r.Value() && r.Ended()
		if want := json.Valid([]byte(text)) && depth([]byte(text)) <= maxDepth; got != want {
			t.Errorf("%.60q: got %v, want %v", text, got, want)
		}
	}
}

func TestReader_stopsAtTheFirstDifference(t *testing.T) {
	r := Read([]byte(`{"id":"a b","n":17,"rest":[1]}`))
	if r.Is(`{"no":`) || r.At() != 0 {
		t.Fatal("another word was read")
	}
	if !r.Is(`{"id":`) {
		t.Fatal("the word wasn't read")
	}
	if inside, ok := r.Plain(); !ok || string(inside) != "a b" {
		t.Fatalf("got %q, %v", inside, ok)
	}
	if !r.Is(`,"n":`) || !r.Number(17) || !r.Is(`,"rest":`) || !r.Value() || r.Ended() || !r.Is("}") || !r.Ended() {
		t.Fatalf("stopped at %d", r.At())
	}
	if r.Is("}") || r.Value() || r.Number(9) {
		t.Fatal("something was read behind the end")
	}
	for _, text := range []string{``, `"`, `"a`, `a"`, `"\""`, `"\u0041"`, `17`} {
		r := Read([]byte(text))
		if inside, ok := r.Quoted(); ok {
			t.Errorf("%q: got %q", text, inside)
		}
	}
	for _, text := range []string{"\"\x1f\"", "\"\x7f\"", "\"é\""} {
		r := Read([]byte(text))
		if inside, ok := r.Plain(); ok {
			t.Errorf("%q: got %q", text, inside)
		}
	}
}

func TestReader_allocatesNothing(t *testing.T) {
	text := []byte(`{"id":"a","n":17,"rest":{"a":[1,2,"é",{"b":null}]}}`)
	got := testing.AllocsPerRun(100, func() {
		r := Read(text)
		if !r.Is(`{"id":`) {
			t.Fatal("no id")
		}
		if _, ok := r.Plain(); !ok || !r.Is(`,"n":`) || !r.Number(99) || !r.Is(`,"rest":`) || !r.Value() {
			t.Fatal("not read")
		}
	})
	if got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}
