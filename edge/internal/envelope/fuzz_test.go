package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/parley-rtc/parley/services/contract"
)

var fuzzSeeds = []string{
	`{"type":"message","seq":1,"room":"r","data":{"a":[1,2.5e3,-0,true,false,null]}}`,
	`{"type":"offer","seq":2,"room":"r","to":"ada","negotiation":"n","description":{"type":"offer","sdp":"v=0\r\n"}}`,
	`{"type":"candidate","seq":3,"room":"r","to":"ada","negotiation":"n","candidates":[{"candidate":"","sdpMid":null}]}`,
	`{"type":"candidate","seq":3,"room":"r","to":"ada","negotiation":"n","candidate":{"candidate":"c","sdpMLineIndex":0}}`,
	`{"type":"presence","seq":4,"room":"é\ud83d\ude00","data":"\ud800 \"\\\/\b\f\n\r\t"}`,
	`{"a":1,"\u0061":2}`, `{"a":{"b":1,"b":2}}`, `[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]`, ` [ ] `, `{}`, `{"a":01}`,
	`[1,]`, `{"a":1,}`, `"\ud800\ud800"`, "\"\xff\"", "\"\x01\"", `-`, `1.`, `1e`, `tru`, ``, ` `, `{"type":"ping","t":[0]} x`,
	`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0,"a":0}`,
}

// oracle reads text with encoding/json and reports whether it is JSON as a
// frame may have it.
func oracle(text []byte) bool {
	if !json.Valid(text) || !utf8.Valid(text) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return oracleValue(d, 0) && errors.Is(oracleEnd(d), io.EOF)
}

func oracleEnd(d *json.Decoder) error {
	_, err := d.Token()
	return err
}

func oracleValue(d *json.Decoder, depth int) bool {
	t, err := d.Token()
	if err != nil {
		return false
	}
	bracket, nested := t.(json.Delim)
	if !nested {
		return true
	}
	if depth == contract.MaxJSONDepth {
		return false
	}
	keys := map[string]bool{}
	for d.More() {
		if bracket == '{' {
			key, _ := d.Token()
			name, _ := key.(string)
			if keys[name] {
				return false
			}
			keys[name] = true
		}
		if !oracleValue(d, depth+1) {
			return false
		}
	}
	_, err = d.Token()
	return err == nil
}

func FuzzScanner(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := scanner{in: text}
		_, ok := s.value()
		s.space()
		got, want := ok && s.at == len(text), oracle(text)
		if got != want {
			t.Fatalf("accepted %v, want %v (fault %v)", got, want, s.fault)
		}
		if want {
			sameMembers(t, text)
		}
	})
}

// sameMembers compares the members of an object with what encoding/json finds.
func sameMembers(t *testing.T, text []byte) {
	t.Helper()
	var want map[string]json.RawMessage
	if bytes.TrimLeft(text, " \t\r\n")[0] != '{' || json.Unmarshal(text, &want) != nil {
		return
	}
	var fault *contract.Error
	f := fields{in: text, err: &fault}
	s := scanner{in: text}
	s.space()
	s.object(func(m member) { f.members = append(f.members, m) })
	if got, want := len(f.members), len(want); got != want {
		t.Fatalf("%d members, want %d", got, want)
	}
	for name, raw := range want {
		v := f.find(name)
		if got := text[v.start:v.end]; !bytes.Equal(got, raw) {
			t.Fatalf("member %q is %q, want %q", name, got, raw)
		}
		if v.kind != kindText {
			continue
		}
		var meant string
		if err := json.Unmarshal(raw, &meant); err != nil {
			t.Fatal(err)
		}
		if got := f.text(name); got != meant {
			t.Fatalf("member %q means %q, want %q", name, got, meant)
		}
		quoted := appendQuoted(nil, meant)
		if !json.Valid(quoted) || string(appendUnescaped(nil, quoted[1:len(quoted)-1])) != meant {
			t.Fatalf("%q is quoted as %q", meant, quoted)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	limits := contract.DefaultLimits()
	f.Fuzz(func(t *testing.T, text []byte) {
		frame := Decode(text, &limits)
		if (frame.Err == nil) != (frame.Body != nil) {
			t.Fatalf("error %v, body %v", frame.Err, frame.Body)
		}
		isJSON := frame.Err == nil || frame.Err.Code != contract.CodeBadJSON
		if want := oracle(text); isJSON != want {
			t.Fatalf("taken for JSON: %v, want %v (%v)", isJSON, want, frame.Err)
		}
		body, err := AppendBody(nil, frame.Body)
		if err != nil {
			return
		}
		relayed := AppendRelayed(nil, Head{Type: frame.Type, Room: "r", From: []byte("ada"), Cursor: []byte("e.1.2")}, body)
		var got, plain contract.Relayed
		if err := json.Unmarshal(relayed, &got); err != nil {
			t.Fatalf("relayed %s: %v", relayed, err)
		}
		back, err := json.Marshal(frame.Body)
		if err != nil {
			t.Fatalf("marshal the body: %v", err)
		}
		if err := json.Unmarshal(back, &plain); err != nil {
			t.Fatalf("unmarshal the body: %v", err)
		}
		if !sameBody(&got, &plain) {
			t.Fatalf("relayed %s, want the body of %s", relayed, back)
		}
	})
}

// sameBody compares what a signal's body has.
func sameBody(a, b *contract.Relayed) bool {
	var x, y bytes.Buffer
	if len(a.Data) > 0 && json.Compact(&x, a.Data) != nil || len(b.Data) > 0 && json.Compact(&y, b.Data) != nil {
		return false
	}
	return a.Negotiation == b.Negotiation && a.ID == b.ID && a.Re == b.Re &&
		sameJSON(x.Bytes(), y.Bytes()) && reflect.DeepEqual(a.Description, b.Description) &&
		reflect.DeepEqual(a.Candidate, b.Candidate) && reflect.DeepEqual(a.Candidates, b.Candidates)
}

// sameJSON compares compact JSON but for how its strings are escaped.
func sameJSON(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	return bytes.Equal(htmlEscaped(a), htmlEscaped(b))
}

func htmlEscaped(in []byte) []byte {
	var out bytes.Buffer
	json.HTMLEscape(&out, in)
	return out.Bytes()
}
