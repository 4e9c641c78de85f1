package contract_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// clientVector is one entry of testdata/vectors/client_frames.json.
type clientVector struct {
	Name  string          `json:"name"`
	Text  string          `json:"text"`
	OK    bool            `json:"ok"`
	Frame json.RawMessage `json:"frame"`
	Error contract.Code   `json:"error"`
	Seq   uint64          `json:"seq"`
}

func TestVectors_ClientFrames(t *testing.T) {
	var vectors []clientVector
	readVectors(t, "client_frames.json", &vectors)
	good, refused := map[string]bool{}, map[contract.Code]bool{}
	for _, v := range vectors {
		frame, code, seq := reference(v.Text)
		if v.OK != (v.Error == "") || v.OK != (v.Frame != nil) {
			t.Errorf("%s: it must be either ok with a frame or an error", v.Name)
			continue
		}
		refused[v.Error] = true
		if code != v.Error {
			t.Errorf("%s: got %q, want %q", v.Name, code, v.Error)
			continue
		}
		if !v.OK {
			if seq != v.Seq {
				t.Errorf("%s: it uses seq %d, want %d", v.Name, seq, v.Seq)
			}
			continue
		}
		want := plain(v.Frame)
		if !reflect.DeepEqual(frame, want) {
			t.Errorf("%s: got  %s\nwant %s", v.Name, marshal(frame), marshal(want))
		}
		good[want.(map[string]any)["type"].(string)] = true
	}
	for name := range clientFrames {
		if !good[name] {
			t.Errorf("no good %s", name)
		}
	}
	for _, code := range []contract.Code{
		contract.CodeBadJSON, contract.CodeBadFrame, contract.CodeUnknownType, contract.CodeBadID, contract.CodeTooLarge,
		contract.CodeTooManyRooms,
	} {
		if !refused[code] {
			t.Errorf("no frame is refused with %s", code)
		}
	}
}

// serverVector is one entry of testdata/vectors/server_frames.json.
type serverVector struct {
	Name   string          `json:"name"`
	Text   string          `json:"text"`
	Texts  []string        `json:"texts"`
	Frame  json.RawMessage `json:"frame"`
	Ignore bool            `json:"ignore"`
	Client string          `json:"client"`
}

// serverFrames has an empty value for each type that an edge sends.
var serverFrames = map[string]any{
	"welcome": contract.Welcome{}, "joined": contract.Joined{}, "peer-joined": contract.PeerJoined{}, "peer-left": contract.PeerLeft{},
	"peer-updated": contract.PeerUpdated{}, "left": contract.Left{}, "offer": contract.Relayed{}, "answer": contract.Relayed{},
	"candidate": contract.Relayed{}, "message": contract.Relayed{}, "acked": contract.Acked{}, "filtered": contract.Filtered{},
	"error": contract.ErrorFrame{}, "gap": contract.Gap{}, "goaway": contract.Goaway{}, "ice-servers": contract.ICEServersFrame{},
	"token-expiring": contract.TokenExpiring{}, "ping": contract.Ping{}, "pong": contract.Ping{}, "part": contract.Part{},
}

func TestVectors_ServerFrames(t *testing.T) {
	var vectors []serverVector
	readVectors(t, "server_frames.json", &vectors)
	shown := map[string]bool{}
	for _, v := range vectors {
		if v.Client == "" {
			t.Errorf("%s: it doesn't say what a client does", v.Name)
		}
		text := v.Text
		for i, one := range v.Texts {
			var part contract.Part
			if err := json.Unmarshal([]byte(one), &part); err != nil || part.Type != "part" || part.Index != i || part.Of != len(v.Texts) {
				t.Errorf("%s: text %d is no part of it: %v", v.Name, i, err)
			}
			shown["part"] = true
			text += part.Chunk
		}
		if _, err := strict(text); err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		var head struct{ Type string }
		if err := json.Unmarshal([]byte(text), &head); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
		empty, known := serverFrames[head.Type]
		if known == v.Ignore {
			t.Errorf("%s: type %s is known: %t", v.Name, head.Type, known)
		}
		if v.Ignore || !known {
			continue
		}
		shown[head.Type] = true
		frame := reflect.New(reflect.TypeOf(empty))
		if err := json.Unmarshal([]byte(text), frame.Interface()); err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if got, want := plain(marshal(frame.Interface())), plain(v.Frame); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got  %s\nwant %s", v.Name, marshal(got), marshal(want))
		}
	}
	for name := range serverFrames {
		if !shown[name] {
			t.Errorf("no %s is shown", name)
		}
	}
}

// readVectors reads a file of named vectors, without unknown fields or names
// that stand twice.
func readVectors(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "vectors", file))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var heads []struct{ Name string }
	if err := json.Unmarshal(content, &heads); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, head := range heads {
		if head.Name == "" || seen[head.Name] {
			t.Errorf("%s: entry %d has no name of its own: %q", file, i, head.Name)
		}
		seen[head.Name] = true
	}
	if len(heads) < 10 {
		t.Errorf("%s has only %d entries", file, len(heads))
	}
}
