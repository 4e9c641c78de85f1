package envelope

import (
	"bytes"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestAppendBody(t *testing.T) {
	zero, mid, ufrag := uint16(0), `a"`, "<&>"
	for _, test := range []struct {
		name string
		body any
		want string
	}{
		{"offer", &contract.Describe{Type: "offer", To: "p", Negotiation: "n", Description: contract.SessionDescription{Type: "offer", SDP: "v=0\r\n<&>\u2028\x01\\"}},
			`{"negotiation":"n","description":{"type":"offer","sdp":"v=0\r\n<&>` + "\u2028" + `\u0001\\"}}`},
		{"candidate", &contract.Trickle{Negotiation: "n", Candidate: &contract.ICECandidate{Candidate: "c", SDPMid: &mid, SDPMLineIndex: &zero, UsernameFragment: &ufrag}},
			`{"negotiation":"n","candidate":{"candidate":"c","sdpMid":"a\"","sdpMLineIndex":0,"usernameFragment":"<&>"}}`},
		{"end of candidates", &contract.Trickle{Negotiation: "n", Candidate: &contract.ICECandidate{}},
			`{"negotiation":"n","candidate":{"candidate":""}}`},
		{"candidates", &contract.Trickle{Negotiation: "n", Candidates: []contract.ICECandidate{{}, {Candidate: "c", SDPMLineIndex: &zero}}},
			`{"negotiation":"n","candidates":[{"candidate":""},{"candidate":"c","sdpMLineIndex":0}]}`},
		{"message", &contract.Message{Data: []byte(`{"a": 1.0}`)}, `{"data":{"a": 1.0}}`},
		{"message with id and re", &contract.Message{ID: "i", Re: "\ufffd", Data: []byte(`null`)}, `{"id":"i","re":"` + "\ufffd" + `","data":null}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := AppendBody([]byte("before"), test.body)
			if want := "before" + test.want; err != nil || string(got) != want {
				t.Errorf("%s, %v, want %s", got, err, want)
			}
		})
	}
	for name, body := range map[string]any{
		"nothing": nil, "a type that isn't relayed": &contract.Leave{}, "no candidate": &contract.Trickle{},
		"both candidates": &contract.Trickle{Candidate: &contract.ICECandidate{}, Candidates: []contract.ICECandidate{{}}},
		"no data":         &contract.Message{},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := AppendBody([]byte("before"), body); err == nil || string(got) != "before" {
				t.Errorf("%s, %v, want an error and nothing added", got, err)
			}
		})
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
