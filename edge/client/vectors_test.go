package client

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// vector is an entry of the golden vectors that come with package contract.
type vector struct {
	Name   string
	Text   string
	Texts  []string
	Frame  json.RawMessage
	OK     bool
	Ignore bool
}

func vectors(t *testing.T, file string) []vector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "services", "contract", "testdata", "vectors", file))
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("%s is empty", file)
	}
	return all
}

// serverFrames is what this client reads each server frame into.
var serverFrames = map[string]func(*Client, []byte) (any, bool){
	contract.TypeWelcome: decoded[contract.Welcome], contract.TypeJoined: decoded[contract.Joined],
	contract.TypePeerJoined: decoded[contract.PeerJoined], contract.TypePeerLeft: decoded[contract.PeerLeft],
	contract.TypePeerUpdated: decoded[contract.PeerUpdated], contract.TypeLeft: decoded[contract.Left],
	contract.TypeOffer: decoded[contract.Relayed], contract.TypeAnswer: decoded[contract.Relayed],
	contract.TypeCandidate: decoded[contract.Relayed], contract.TypeMessage: decoded[contract.Relayed],
	contract.TypeAcked: decoded[contract.Acked], contract.TypeFiltered: decoded[contract.Filtered],
	contract.TypeError: decoded[contract.ErrorFrame], contract.TypeGap: decoded[contract.Gap],
	contract.TypeGoaway: decoded[contract.Goaway], contract.TypeICEServers: decoded[contract.ICEServersFrame],
	contract.TypeTokenExpiring: decoded[contract.TokenExpiring], contract.TypePing: decoded[contract.Ping],
	contract.TypePong: decoded[contract.Ping],
}

func decoded[T any](c *Client, text []byte) (any, bool) { return decode[T](c, text) }

func testClient(t *testing.T) *Client {
	t.Helper()
	o, err := newOptions("ws://edge.test", []Option{WithToken(token)})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(o)
	close(c.done)
	t.Cleanup(func() { c.Close() })
	return c
}

func sameJSON(t *testing.T, got, want []byte) bool {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(a, b)
}

func TestVectors_ServerFrames(t *testing.T) {
	for _, v := range vectors(t, "server_frames.json") {
		t.Run(v.Name, func(t *testing.T) {
			c := testClient(t)
			s := &socket{limits: contract.DefaultLimits()}
			text := []byte(v.Text)
			for _, part := range v.Texts {
				var p contract.Part
				if err := json.Unmarshal([]byte(part), &p); err != nil {
					t.Fatal(err)
				}
				whole, err := s.parts.add(&p, s.limits.FrameBytes)
				if err != nil {
					t.Fatal(err)
				}
				text = whole
			}
			before := c.Stats()
			if err := c.receive(s, text); err != nil {
				t.Errorf("the frame ends the connection: %v", err)
			}
			after := c.Stats()
			read := serverFrames[frameType(text)]
			if v.Ignore {
				if read != nil || after.Unknown != before.Unknown+1 {
					t.Errorf("a frame to be ignored was taken for a %s", frameType(text))
				}
				return
			}
			if read == nil {
				t.Fatalf("type %q isn't known", frameType(text))
			}
			frame, ok := read(c, text)
			if !ok || after.Bad != before.Bad {
				t.Fatal("the frame doesn't parse")
			}
			got, err := marshal(frame)
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(t, got, v.Frame) {
				t.Errorf("read as\n%s\nwant\n%s", got, v.Frame)
			}
		})
	}
}

// clientFrames are the frames that go through the outbox, which puts the seq in.
var clientFrames = map[string]func() any{
	contract.TypeJoin:      func() any { return new(contract.Join) },
	contract.TypeOffer:     func() any { return new(contract.Describe) },
	contract.TypeAnswer:    func() any { return new(contract.Describe) },
	contract.TypeCandidate: func() any { return new(contract.Trickle) },
	contract.TypeMessage:   func() any { return new(contract.Message) },
	contract.TypePresence:  func() any { return new(contract.SetPresence) },
	contract.TypeModerate:  func() any { return new(contract.Moderate) },
	contract.TypeRefresh:   func() any { return new(contract.Refresh) },
	contract.TypeLeave:     func() any { return new(contract.Leave) },
}

func TestVectors_ClientFrames(t *testing.T) {
	written := map[string]int{}
	for _, v := range vectors(t, "client_frames.json") {
		kind := frameType([]byte(v.Text))
		if !v.OK || clientFrames[kind] == nil {
			continue
		}
		written[kind]++
		t.Run(v.Name, func(t *testing.T) {
			frame := clientFrames[kind]()
			if err := json.Unmarshal(v.Frame, frame); err != nil {
				t.Fatal(err)
			}
			seq := reflect.ValueOf(frame).Elem().FieldByName("Seq")
			want := seq.Uint()
			seq.SetUint(0)
			f, err := newOutFrame(kind, frame)
			if err != nil {
				t.Fatal(err)
			}
			f.seq = want
			if got := f.text(); !sameJSON(t, got, v.Frame) {
				t.Errorf("written as\n%s\nwant\n%s", got, v.Frame)
			}
		})
	}
	if len(written) != len(clientFrames) {
		t.Errorf("vectors of %d types were written, want %d", len(written), len(clientFrames))
	}
}
