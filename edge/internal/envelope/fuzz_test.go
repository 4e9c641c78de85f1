package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
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
	f := fields{in: text, shared: &shared{}}
	s := scanner{in: text}
	s.space()
	s.object(&f.members)
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
		if got := f.text(name); string(got) != meant {
			t.Fatalf("member %q means %q, want %q", name, got, meant)
		}
		quoted := appendQuoted(nil, meant)
		if got := f.quoted(v); !bytes.Equal(got, quoted) {
			t.Fatalf("member %q is quoted as %q, want %q", name, got, quoted)
		}
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
		sameAgain(t, text, &frame)
		signal, ok := frame.Body.(*Signal)
		if !ok {
			return
		}
		var got contract.Relayed
		relayed := AppendRelayed(nil, Head{Type: frame.Type, Room: "r", From: []byte("ada"), Cursor: []byte("e.1.2")}, AppendBody(nil, signal))
		if err := json.Unmarshal(relayed, &got); err != nil {
			t.Fatalf("relayed %s: %v", relayed, err)
		}
		want, to := meant(t, frame.Type, text)
		if frame.Type != want.Type || frame.Seq != want.Seq || string(signal.Room) != want.Room || string(signal.To) != to {
			t.Fatalf("type %q, seq %d, room %q, to %q of %s", frame.Type, frame.Seq, signal.Room, signal.To, text)
		}
		if string(signal.Negotiation) != want.Negotiation || want.Description != nil && string(signal.SDP) != want.Description.SDP {
			t.Fatalf("negotiation %q, sdp %q of %s", signal.Negotiation, signal.SDP, text)
		}
		if !sameBody(&got, want) {
			t.Fatalf("relayed %s of %s", relayed, text)
		}
	})
}

// meant is what a frame says, by encoding/json.
func meant(t *testing.T, frameType string, text []byte) (r *contract.Relayed, to string) {
	t.Helper()
	switch frameType {
	case contract.TypeCandidate:
		var f contract.Trickle
		exactly(t, text, &f)
		return &contract.Relayed{Type: f.Type, Seq: f.Seq, Room: f.Room, Negotiation: f.Negotiation, Candidate: f.Candidate, Candidates: f.Candidates}, f.To
	case contract.TypeMessage:
		var f contract.Message
		exactly(t, text, &f)
		return &contract.Relayed{Type: f.Type, Seq: f.Seq, Room: f.Room, ID: f.ID, Re: f.Re, Data: f.Data}, f.To
	default:
		var f contract.Describe
		exactly(t, text, &f)
		return &contract.Relayed{Type: f.Type, Seq: f.Seq, Room: f.Room, Negotiation: f.Negotiation, Description: &f.Description}, f.To
	}
}

// sameAgain reads the frame with a Reader that has read others before.
func sameAgain(t *testing.T, text []byte, want *Frame) {
	t.Helper()
	var r Reader
	limits := contract.DefaultLimits()
	for _, other := range fuzzSeeds {
		r.Read([]byte(other), &limits)
	}
	got := r.Read(text, &limits)
	if !reflect.DeepEqual(got.Err, want.Err) || got.Type != want.Type || got.Seq != want.Seq || !bytes.Equal(got.Trace, want.Trace) {
		t.Fatalf("again it is %+v, want %+v", got, want)
	}
	if got.Err == nil && !bytes.Equal(written(t, got), written(t, want)) {
		t.Fatalf("again it is %s, want %s", written(t, got), written(t, want))
	}
}

// exactly reads text into a struct by encoding/json, but names as they are
// written, of which it would take "SDP" for "sdp", and no trace, which may be
// anything.
func exactly(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(exactNames(text, reflect.TypeOf(into).Elem()), into); err != nil {
		t.Fatalf("encoding/json: %v", err)
	}
}

// exactNames leaves out of an object what the struct has no field for.
func exactNames(text []byte, of reflect.Type) []byte {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	var members map[string]json.RawMessage
	if of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct {
		var list []json.RawMessage
		if json.Unmarshal(text, &list) != nil {
			return text
		}
		for i := range list {
			list[i] = exactNames(list[i], of.Elem())
		}
		return marshaled(list)
	}
	if of.Kind() != reflect.Struct || json.Unmarshal(text, &members) != nil || members == nil {
		return text
	}
	kept := map[string]json.RawMessage{}
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if value, ok := members[name]; ok && name != "traceparent" {
			kept[name] = exactNames(value, of.Field(i).Type)
		}
	}
	return marshaled(kept)
}

func marshaled(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
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
