package envelope

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// vector is one of the contract's golden client frames; their README says what
// the members mean.
type vector struct {
	Name  string          `json:"name"`
	Text  string          `json:"text"`
	OK    bool            `json:"ok"`
	Frame json.RawMessage `json:"frame"`
	Error contract.Code   `json:"error"`
	Seq   uint64          `json:"seq"`
}

func TestDecode_vectors(t *testing.T) {
	raw, err := os.ReadFile("../../../services/contract/testdata/vectors/client_frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 100 {
		t.Fatalf("%d vectors, there must be more", len(vectors))
	}
	limits := contract.DefaultLimits()
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			frame := Decode([]byte(v.Text), &limits)
			if v.OK {
				wantFrame(t, frame, v.Frame)
				return
			}
			if frame.Err == nil {
				t.Fatalf("no error, want %s", v.Error)
			}
			if frame.Err.Code != v.Error || frame.Seq != v.Seq {
				t.Errorf("error %v with seq %d, want %s with %d", frame.Err, frame.Seq, v.Error, v.Seq)
			}
		})
	}
}

// wantFrame compares the frame, written again, as a JSON value.
func wantFrame(t *testing.T, frame Frame, want json.RawMessage) {
	t.Helper()
	if frame.Err != nil {
		t.Fatalf("error %v, want a frame", frame.Err)
	}
	back := written(t, &frame)
	var a, b any
	if err := json.Unmarshal(back, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("frame %s, want %s", back, want)
	}
}

// written is the frame as JSON; of a signal it is the head and the body that
// goes on.
func written(t *testing.T, frame *Frame) []byte {
	t.Helper()
	signal, ok := frame.Body.(*Signal)
	if !ok {
		text, err := json.Marshal(frame.Body)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	head, err := json.Marshal(struct {
		Type  string `json:"type"`
		Seq   uint64 `json:"seq"`
		Room  string `json:"room"`
		To    string `json:"to,omitempty"`
		Trace string `json:"traceparent,omitempty"`
	}{frame.Type, frame.Seq, string(signal.Room), string(signal.To), string(frame.Trace)})
	if err != nil {
		t.Fatal(err)
	}
	return append(append(head[:len(head)-1], ','), AppendBody(nil, signal)[1:]...)
}
