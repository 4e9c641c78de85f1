package envelope

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func limits() *contract.Limits {
	l := contract.DefaultLimits()
	return &l
}

// refused decodes a frame that must fail with code.
func refused(t *testing.T, text string, code contract.Code) Frame {
	t.Helper()
	frame := Decode([]byte(text), limits())
	if frame.Err == nil || frame.Err.Code != code {
		t.Fatalf("error %v, want %s", frame.Err, code)
	}
	if frame.Body != nil {
		t.Errorf("body %v beside an error", frame.Body)
	}
	return frame
}

// accepted decodes a frame that must pass.
func accepted(t *testing.T, text string) Frame {
	t.Helper()
	frame := Decode([]byte(text), limits())
	if frame.Err != nil {
		t.Fatalf("error %v, want none", frame.Err)
	}
	return frame
}

func TestDecode_refusal_says_what_to_do(t *testing.T) {
	const message = `{"type":"message","seq":7,"room":"r","data":1`
	for _, test := range []struct {
		text string
		code contract.Code
		want string
	}{
		{`{"type":"message",`, contract.CodeBadJSON, "byte 18: expected '\"' and the name of a member"},
		{`{"type":"bye"} {}`, contract.CodeBadJSON, "byte 15: nothing may follow the frame"},
		{`{"type":"bye","type":"bye"}`, contract.CodeBadJSON, "byte 14: this name is in the object already"},
		{`[1]`, contract.CodeBadFrame, "a frame is a JSON object"},
		{`{"seq":1}`, contract.CodeBadFrame, "type: a string is required"},
		{`{"type":"SECRET"}`, contract.CodeUnknownType, "parley.v1 has no such type of frame"},
		{`{"type":"leave","seq":0,"room":"r"}`, contract.CodeBadFrame, "seq: a whole number from 1 to 9007199254740991 is required"},
		{`{"type":"leave","seq":1,"Room":"SECRET"}`, contract.CodeBadFrame, "room: a string is required"},
		{`{"type":"leave","seq":1,"room":"SECRET\n"}`, contract.CodeBadID, "room: bad id: control character at byte 6"},
		{message + `,"to":"SECRET.*"}`, contract.CodeBadID, "to: not the id of a peer; send it back as the roster has it"},
		{message + `,"id":"` + strings.Repeat("SECRET", 22) + `"}`, contract.CodeTooLarge, "id: 132 bytes, at most 128 are allowed"},
		{`{"type":"candidate","seq":1,"room":"r","to":"p","negotiation":"n","candidates":[{},{},{"sdpMid":5}]}`,
			contract.CodeBadFrame, "candidates[2].sdpMid: a string or null is required"},
		{`{"type":"answer","seq":1,"room":"r","to":"p","negotiation":"n","description":{"type":"pranswer","sdp":"SECRET"}}`,
			contract.CodeBadFrame, `description.type: "answer" is required, as the frame has it`},
		{`{"type":"hello","next":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","rooms":{"SECRET":{}}}`,
			contract.CodeBadFrame, "rooms[0].peer: a string is required"},
	} {
		t.Run(test.want, func(t *testing.T) {
			got := refused(t, test.text, test.code).Err.Message
			if got != test.want {
				t.Errorf("message %q, want %q", got, test.want)
			}
			if strings.Contains(got, "SECRET") {
				t.Error("it repeats what came in")
			}
		})
	}
}

func TestDecode_tells_type_and_seq_of_what_it_refuses(t *testing.T) {
	for _, test := range []struct {
		name, text string
		code       contract.Code
		typ        string
		seq        uint64
	}{
		{"a bad field", `{"type":"leave","seq":7}`, contract.CodeBadFrame, "leave", 7},
		{"an unknown type", `{"type":"dance","seq":7}`, contract.CodeUnknownType, "", 7},
		{"no type", `{"seq":7}`, contract.CodeBadFrame, "", 7},
		{"a type without a seq", `{"type":"hello","seq":7}`, contract.CodeBadFrame, "hello", 0},
		{"a fault behind the seq", `{"type":"message","seq":7,"data":{"a":1,"a":1}}`, contract.CodeBadJSON, "message", 7},
		{"a fault before the seq", `{"type":"message","data":{"a":1,"a":1},"seq":7}`, contract.CodeBadJSON, "message", 0},
		{"a seq that may go on", `{"type":"message","seq":7`, contract.CodeBadJSON, "message", 0},
		{"a seq over the limit", `{"type":"leave","seq":9007199254740992,"room":"r"}`, contract.CodeBadFrame, "leave", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			frame := refused(t, test.text, test.code)
			if frame.Type != test.typ || frame.Seq != test.seq {
				t.Errorf("type %q, seq %d, want %q, %d", frame.Type, frame.Seq, test.typ, test.seq)
			}
		})
	}
}

func TestDecode_limits_at_their_edge(t *testing.T) {
	fill := func(n int) string { return strings.Repeat("x", n) }
	list := func(n int) string { return strings.TrimSuffix(strings.Repeat("{},", n), ",") }
	rooms := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"r%d":{"peer":"p"}`, i))
		}
		return strings.Join(all, ",")
	}
	nested := func(n int) string { return strings.Repeat("[", n-1) + strings.Repeat("]", n-1) } // in the frame's object
	const trickle = `{"type":"candidate","seq":1,"room":"r","to":"p","negotiation":"n","candidates":[%s]}`
	const hello = `{"type":"hello","next":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","rooms":{%s}}`
	for _, test := range []struct {
		name, format string
		value        func(n int) string
		most         int
		code         contract.Code
	}{
		{"presence", `{"type":"presence","seq":1,"room":"r","data":"%s"}`, fill, limits().PresenceBytes - 2, contract.CodeTooLarge},
		{"presence of join", `{"type":"join","seq":1,"room":"r","token":"t","presence":"%s"}`, fill, limits().PresenceBytes - 2, contract.CodeTooLarge},
		{"token", `{"type":"refresh","seq":1,"room":"r","token":"%s"}`, fill, maxTokenBytes, contract.CodeTooLarge},
		{"negotiation", `{"type":"candidate","seq":1,"room":"r","to":"p","negotiation":"%s","candidate":{}}`, fill, contract.MaxNameField, contract.CodeTooLarge},
		{"re", `{"type":"message","seq":1,"room":"r","data":0,"re":"%s"}`, fill, contract.MaxNameField, contract.CodeTooLarge},
		{"room", `{"type":"leave","seq":1,"room":"%s"}`, fill, contract.MaxIDBytes, contract.CodeBadID},
		{"part id", `{"type":"part","id":"%s","index":0,"of":1,"chunk":"c"}`, fill, contract.MaxPartIDBytes, contract.CodeBadFrame},
		{"candidates", trickle, list, limits().Candidates, contract.CodeBadFrame},
		{"rooms of hello", hello, rooms, limits().Rooms, contract.CodeTooManyRooms},
		{"depth", `{"type":"message","seq":1,"room":"r","data":%s}`, nested, contract.MaxJSONDepth, contract.CodeBadJSON},
	} {
		t.Run(test.name, func(t *testing.T) {
			accepted(t, fmt.Sprintf(test.format, test.value(test.most)))
			refused(t, fmt.Sprintf(test.format, test.value(test.most+1)), test.code)
		})
	}
}

func TestDecode_borrows_for_signals_only(t *testing.T) {
	const head = `"seq":1,"room":"r","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",`
	const secret = `47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU`
	for _, text := range []string{
		`{"type":"hello","next":"` + secret + `","resume":["` + secret + `"],"rooms":{"r":{"peer":"p","cursor":"c"}},"client":{"name":"n","version":"v"},"features":["f"]}`,
		`{"type":"join",` + head + `"token":"t","presence":{"a":1}}`,
		`{"type":"presence",` + head + `"data":{"a":1}}`,
		`{"type":"moderate",` + head + `"action":"kick","peer":"p"}`,
		`{"type":"refresh",` + head + `"token":"t"}`,
		`{"type":"leave",` + head + `"x":1}`,
		`{"type":"ping","t":{"a":1}}`,
		`{"type":"part","id":"i","index":0,"of":1,"chunk":"c"}`,
	} {
		raw := []byte(text)
		var r Reader
		body := r.Read(raw, limits()).Body
		want := fmt.Sprintf("%+v", body)
		for i := range raw {
			raw[i] = '?'
		}
		r.Read([]byte(`{"type":"message","seq":1,"room":"\u003f\u003f\u003f","data":[{"\u003f":"\u003f"}]}`), limits())
		if got := fmt.Sprintf("%+v", body); got != want || body == nil {
			t.Errorf("%.30s became %s, want %s", text, got, want)
		}
	}
}

// hotFrames are the frames that make up a session.
var hotFrames = map[string]string{
	"candidate": `{"type":"candidate","seq":4,"room":"daily","to":"b2d4f6h2j4k6m2n4p6q2","negotiation":"n1","candidate":` +
		`{"candidate":"candidate:1 1 udp 2122260223 203.0.113.7 50000 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"EEtu"}}`,
	"candidates": `{"type":"candidate","seq":4,"room":"täglich","to":"b2d4f6h2j4k6m2n4p6q2","negotiation":"n1","candidates":[` +
		strings.Repeat(`{"candidate":"candidate:1 1 udp 2122260223 203.0.113.7 50000 typ host","sdpMid":"\u0030","sdpMLineIndex":0},`, 20) + `{}]}`,
	"message": `{"type":"message","seq":4,"room":"daily","id":"a","re":"b","data":{"hand":{"raised":true}},` +
		`"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}`,
	"offer": `{"type":"offer","seq":4,"room":"daily","to":"b2d4f6h2j4k6m2n4p6q2","negotiation":"n1","description":{"type":"offer","sdp":"` +
		strings.Repeat(`a=candidate:1 1 udp 2122260223 203.0.113.7 50000 typ host\r\na=ice-ufrag:EEtu\r\n`, 30) + `"}}`,
	"answer": `{"type":"answer","seq":4,"room":"daily","to":"b2d4f6h2j4k6m2n4p6q2","negotiation":"n1","description":{"type":"answer","sdp":"v=0\/\r\n"}}`,
}

func TestReader_allocates_nothing_for_signals(t *testing.T) {
	for name, text := range hotFrames {
		t.Run(name, func(t *testing.T) {
			var (
				r    Reader
				body []byte
				raw  = []byte(text)
				l    = limits()
			)
			got := testing.AllocsPerRun(100, func() {
				s, ok := r.Read(raw, l).Body.(*Signal)
				if !ok {
					t.Fatal(r.frame.Err)
				}
				body = AppendBody(body[:0], s)
			})
			if got != 0 {
				t.Errorf("%v allocations, want none", got)
			}
		})
	}
}

// The names of an object are looked up in linear time, however many there are:
// over fewKeys none is compared with the others one by one.
func TestKeySet_is_linear(t *testing.T) {
	var s scanner
	k := keySet{}
	const names = 10_000
	for i := range names {
		if !k.add(&s, fmt.Append(nil, i)) {
			t.Fatalf("name %d was taken for a duplicate", i)
		}
	}
	if got, want := len(s.keys), fewKeys; got != want {
		t.Errorf("%d names are searched one by one, want %d", got, want)
	}
	if got, want := len(k.more), names; got != want {
		t.Errorf("%d names in the map, want %d", got, want)
	}
	for _, i := range []int{0, fewKeys - 1, fewKeys, names - 1} {
		if k.add(&s, fmt.Append(nil, i)) {
			t.Errorf("the second %d wasn't taken for a duplicate", i)
		}
	}
}

func TestDecode_many_names(t *testing.T) {
	var text bytes.Buffer
	text.WriteString(`{"type":"bye"`)
	for i := range 20_000 {
		fmt.Fprintf(&text, `,"\u0061%d":{"a%d":0}`, i, i)
	}
	accepted(t, text.String()+`}`)
	refused(t, text.String()+`,"a7777":0}`, contract.CodeBadJSON)
}

func TestIsTraceparent(t *testing.T) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for text, want := range map[string]bool{
		good:            true,
		"cc" + good[2:]: true,
		"ff" + good[2:]: false,
		"":              false,
		good[1:]:        false,
		good + "-00":    false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false,
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false,
		"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": false,
		"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": false,
		"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01": false,
		"00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01": false,
		"00-00000000000000000000000000000001-0000000000000001-00": true,
	} {
		if got := isTraceparent([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	for _, name := range []string{"candidate", "message", "offer"} {
		b.Run(name, func(b *testing.B) {
			var (
				r    Reader
				body []byte
				text = []byte(hotFrames[name])
				l    = limits()
			)
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				s, ok := r.Read(text, l).Body.(*Signal)
				if !ok {
					b.Fatal(r.frame.Err)
				}
				body = AppendBody(body[:0], s)
			}
		})
	}
}
