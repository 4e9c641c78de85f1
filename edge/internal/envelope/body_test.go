package envelope

import (
	"bytes"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// signal reads a frame that is relayed. fields are all but type, seq and room.
func signal(t testing.TB, frameType, fields string) *Signal {
	t.Helper()
	frame := Decode([]byte(`{"type":"`+frameType+`","seq":1,"room":"r",`+fields+`}`), limits())
	s, ok := frame.Body.(*Signal)
	if !ok {
		t.Fatalf("%v, want a signal (error %v)", frame.Body, frame.Err)
	}
	return s
}

func TestAppendBody(t *testing.T) {
	for _, test := range []struct{ name, frameType, fields, want string }{
		{"offer", "offer", `"to":"p","negotiation":"n","description":{"sdp":"v=0\r\n<&>` + "\u2028" + `\u0001\\","type":"offer"}`,
			`{"negotiation":"n","description":{"type":"offer","sdp":"v=0\r\n<&>` + "\u2028" + `\u0001\\"}}`},
		{"answer with foreign escapes", "answer", `"to":"p","negotiation":"\u006e","description":{"type":"answer","sdp":"\/\u0061\ud83d\ude00\ud800"}`,
			`{"negotiation":"n","description":{"type":"answer","sdp":"/a😀` + "\ufffd" + `"}}`},
		{"candidate", "candidate", `"to":"p","negotiation":"n","candidate":{"usernameFragment":"<&>","sdpMLineIndex":0,"sdpMid":"a\"","candidate":"c"}`,
			`{"negotiation":"n","candidate":{"candidate":"c","sdpMid":"a\"","sdpMLineIndex":0,"usernameFragment":"<&>"}}`},
		{"end of candidates", "candidate", `"to":"p","negotiation":"n","candidate":{}`,
			`{"negotiation":"n","candidate":{"candidate":""}}`},
		{"candidates", "candidate", `"to":"p","negotiation":"n","candidates":[{"sdpMid":null},{"candidate":"\u0063","sdpMLineIndex":65535,"x":[{}]}]`,
			`{"negotiation":"n","candidates":[{"candidate":""},{"candidate":"c","sdpMLineIndex":65535}]}`},
		{"message", "message", `"data":{"a": 1.0}`, `{"data":{"a": 1.0}}`},
		{"message with id and re", "message", `"id":"i","re":"\ud800","data":null`, `{"id":"i","re":"` + "\ufffd" + `","data":null}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := AppendBody([]byte("before"), signal(t, test.frameType, test.fields))
			if want := "before" + test.want; string(got) != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	t.Run("message of a backend", func(t *testing.T) {
		got := AppendBody(nil, &Signal{Kind: contract.KindMessage, ID: []byte(`"`), Data: []byte(`[]`)})
		if want := `{"id":"\"","data":[]}`; string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestSignal_Drop(t *testing.T) {
	s := signal(t, "candidate", `"to":"p","negotiation":"n","candidates":[{"usernameFragment":"a"},{"usernameFragment":"\u0062"},{},{"usernameFragment":"c"}]`)
	dropped := s.Drop(func(c *Candidate) bool { return string(c.Ufrag) == "b" || len(c.Ufrag) == 0 })
	got := string(AppendBody(nil, s))
	const want = `{"negotiation":"n","candidates":[{"candidate":"","usernameFragment":"a"},{"candidate":"","usernameFragment":"c"}]}`
	if dropped != 2 || got != want {
		t.Errorf("%d dropped and %s, want 2 and %s", dropped, got, want)
	}
}

func TestAppendRelayed(t *testing.T) {
	head := Head{Type: "message", Room: `a"<é`, From: []byte("ada"), Cursor: []byte("e.1.2"), Epoch: 3, Seq: contract.MaxSeq}
	const start = `{"type":"message","room":"a\"<é","from":"ada","epoch":3,"seq":9007199254740991,"cursor":"e.1.2"`
	for _, test := range []struct{ name, body, trace, want string }{
		{"with a body", `{"id":"i","data":[1, 2]}`, "", start + `,"id":"i","data":[1, 2]}`},
		{"with a trace", `{"data":1}`, "00-1-2-01", start + `,"traceparent":"00-1-2-01","data":1}`},
		{"with an empty body", `{}`, "", start + `}`},
		{"without a body", ``, "", start + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			head.Trace = []byte(test.trace)
			got := AppendRelayed([]byte(" "), head, []byte(test.body))
			if want := " " + test.want; string(got) != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	t.Run("of a backend", func(t *testing.T) {
		got := AppendRelayed(nil, Head{Type: "message", Room: "r", Cursor: []byte("e.1.2"), Seq: 9}, []byte(`{"data":1}`))
		if want := `{"type":"message","room":"r","seq":9,"cursor":"e.1.2","data":1}`; string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
	t.Run("allocates nothing", func(t *testing.T) {
		body := bytes.Repeat([]byte("x"), 300)
		dst := make([]byte, 0, 1024)
		got := testing.AllocsPerRun(1000, func() { dst = AppendRelayed(dst[:0], head, body) })
		if got != 0 {
			t.Errorf("%v allocations, want none", got)
		}
	})
}
