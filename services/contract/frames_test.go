package contract_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// shape is a value and the one text that it has on the wire.
type shape struct {
	name  string
	value any
	want  string
}

// checkShapes writes every value, compares the text, and reads it back.
func checkShapes(t *testing.T, shapes []shape) {
	t.Helper()
	for _, tt := range shapes {
		t.Run(tt.name, func(t *testing.T) {
			var text bytes.Buffer
			encoder := json.NewEncoder(&text)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(tt.value); err != nil {
				t.Fatal(err)
			}
			if got := string(bytes.TrimSpace(text.Bytes())); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			back := reflect.New(reflect.TypeOf(tt.value))
			decoder := json.NewDecoder(bytes.NewReader(text.Bytes()))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(back.Interface()); err != nil {
				t.Fatal(err)
			}
			if got := back.Elem().Interface(); !reflect.DeepEqual(got, tt.value) {
				t.Errorf("read back %+v, want %+v", got, tt.value)
			}
		})
	}
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }

func ptr[T any](v T) *T { return &v }

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestClientFrames_JSON(t *testing.T) {
	checkShapes(t, []shape{
		{"hello/all", contract.Hello{
			Type: "hello", Resume: []string{"s1", "s2"}, Next: "n", Attempt: 2, Acked: 7,
			Rooms:  map[string]contract.ResumeRoom{"*": {Peer: "p1", Cursor: "e.1.2"}, "b": {Peer: "p2"}},
			Client: contract.ClientInfo{Name: "sdk", Version: "1.0"}, Features: []string{"f"}, Trace: trace,
		}, `{"type":"hello","resume":["s1","s2"],"next":"n","attempt":2,"acked":7,` +
			`"rooms":{"*":{"peer":"p1","cursor":"e.1.2"},"b":{"peer":"p2"}},` +
			`"client":{"name":"sdk","version":"1.0"},"features":["f"],"traceparent":"` + trace + `"}`},
		{"hello/least", contract.Hello{Type: "hello", Next: "n"}, `{"type":"hello","next":"n"}`},
		{"join/all", contract.Join{
			Type: "join", Seq: contract.MaxSeq, Room: "r", Token: "t", Presence: raw(`{"a":[1,null]}`),
			Capabilities: contract.Capabilities{Rollback: true}, Trace: trace,
		}, `{"type":"join","seq":9007199254740991,"room":"r","token":"t","presence":{"a":[1,null]},` +
			`"capabilities":{"rollback":true},"traceparent":"` + trace + `"}`},
		{"join/least", contract.Join{Type: "join", Seq: 1, Room: "r", Token: "t"}, `{"type":"join","seq":1,"room":"r","token":"t"}`},
		{"offer", contract.Describe{
			Type: "offer", Seq: 2, Room: "r", To: "p", Negotiation: "n",
			Description: contract.SessionDescription{Type: "offer", SDP: "v=0\r\n<&>"}, Trace: trace,
		}, `{"type":"offer","seq":2,"room":"r","to":"p","negotiation":"n",` +
			`"description":{"type":"offer","sdp":"v=0\r\n<&>"},"traceparent":"` + trace + `"}`},
		{"candidate/one", contract.Trickle{
			Type: "candidate", Seq: 3, Room: "r", To: "p", Negotiation: "n",
			Candidate: &contract.ICECandidate{
				Candidate: "candidate:1", SDPMid: ptr("0"), SDPMLineIndex: ptr[uint16](0), UsernameFragment: ptr(""),
			}, Trace: trace,
		}, `{"type":"candidate","seq":3,"room":"r","to":"p","negotiation":"n",` +
			`"candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":""},"traceparent":"` + trace + `"}`},
		{"candidate/several", contract.Trickle{
			Type: "candidate", Seq: 3, Room: "r", To: "p", Negotiation: "n",
			Candidates: []contract.ICECandidate{{Candidate: "candidate:1"}, {}},
		}, `{"type":"candidate","seq":3,"room":"r","to":"p","negotiation":"n","candidates":[{"candidate":"candidate:1"},{"candidate":""}]}`},
		{"message/all", contract.Message{Type: "message", Seq: 4, Room: "r", To: "p", ID: "1", Re: "2", Data: raw(`"x"`), Trace: trace},
			`{"type":"message","seq":4,"room":"r","to":"p","id":"1","re":"2","data":"x","traceparent":"` + trace + `"}`},
		{"message/to the room", contract.Message{Type: "message", Seq: 4, Room: "r", Data: raw(`null`)},
			`{"type":"message","seq":4,"room":"r","data":null}`},
		{"presence", contract.SetPresence{Type: "presence", Seq: 5, Room: "r", Data: raw(`{}`), Trace: trace},
			`{"type":"presence","seq":5,"room":"r","data":{},"traceparent":"` + trace + `"}`},
		{"moderate/kick", contract.Moderate{Type: "moderate", Seq: 6, Room: "r", Action: contract.ActionKick, Peer: "p", Trace: trace},
			`{"type":"moderate","seq":6,"room":"r","action":"kick","peer":"p","traceparent":"` + trace + `"}`},
		{"moderate/lock", contract.Moderate{Type: "moderate", Seq: 6, Room: "r", Action: contract.ActionLock},
			`{"type":"moderate","seq":6,"room":"r","action":"lock"}`},
		{"refresh", contract.Refresh{Type: "refresh", Seq: 7, Room: "r", Token: "t", Trace: trace},
			`{"type":"refresh","seq":7,"room":"r","token":"t","traceparent":"` + trace + `"}`},
		{"leave", contract.Leave{Type: "leave", Seq: 8, Room: "r", Trace: trace},
			`{"type":"leave","seq":8,"room":"r","traceparent":"` + trace + `"}`},
		{"ping/all", contract.Ping{Type: "ping", T: raw(`[1]`), Cursors: map[string]string{"r": "e.1.2"}},
			`{"type":"ping","t":[1],"cursors":{"r":"e.1.2"}}`},
		{"pong", contract.Ping{Type: "pong"}, `{"type":"pong"}`},
		{"bye", contract.Bye{Type: "bye"}, `{"type":"bye"}`},
		{"part", contract.Part{Type: "part", ID: "i", Index: 0, Of: 2, Chunk: "{"},
			`{"type":"part","id":"i","index":0,"of":2,"chunk":"{"}`},
	})
}

func TestServerFrames_JSON(t *testing.T) {
	a, b := mustToken(t, "pa"), mustToken(t, "pb")
	peer := contract.Peer{
		Peer: b, Identity: "b@x", Epoch: 4, Presence: raw(`{"s":1}`), Version: 3, Polite: true,
		Capabilities: contract.Capabilities{Rollback: true}, State: contract.StateAway,
	}
	const peerText = `{"peer":"pb","identity":"b@x","epoch":4,"presence":{"s":1},"version":3,"polite":true,"capabilities":{"rollback":true},"state":"away"}`
	checkShapes(t, []shape{
		{"welcome", contract.Welcome{
			Type: "welcome", Session: "s", Resumed: true, Seq: 7, ResumeWindow: 60000, PingInterval: 20000,
			Limits: contract.Limits{Rooms: 16}, Features: []string{}, Edge: "edge-1-a",
		}, `{"type":"welcome","session":"s","resumed":true,"seq":7,"resumeWindow":60000,"pingInterval":20000,` +
			`"limits":{"messageBytes":0,"frameBytes":0,"partBytes":0,"frameRate":0,"frameBurst":0,"byteRate":0,"byteBurst":0,` +
			`"presenceRate":0,"presenceBurst":0,"presenceBytes":0,"candidates":0,"rooms":16,"outboundFrames":0,"outboundBytes":0,` +
			`"unsettledBytes":0,"unsettledFrames":0},"features":[],"edge":"edge-1-a"}`},
		{"joined", contract.Joined{
			Type: "joined", Re: 1, Room: "r", Self: contract.Self{Peer: a, Identity: "a@x", Epoch: 5}, Revision: 5,
			Peers: []contract.Peer{peer}, ICEServers: []contract.ICEServer{{URLs: []string{"stun:s"}, Username: "u", Credential: "c"}},
			ICEPolicy: contract.PolicyPublic, TokenExpires: 1800000000, Cursor: "e.1.2",
		}, `{"type":"joined","re":1,"room":"r","self":{"peer":"pa","identity":"a@x","epoch":5},"revision":5,"peers":[` + peerText + `],` +
			`"iceServers":[{"urls":["stun:s"],"username":"u","credential":"c"}],"icePolicy":"public","tokenExpires":1800000000,"cursor":"e.1.2"}`},
		{"joined/alone", contract.Joined{Type: "joined", Re: 1, Room: "r", Self: contract.Self{Peer: a, Identity: "a", Epoch: 1},
			Revision: 1, Peers: []contract.Peer{}, ICEServers: []contract.ICEServer{}, ICEPolicy: contract.PolicyAll},
			`{"type":"joined","re":1,"room":"r","self":{"peer":"pa","identity":"a","epoch":1},"revision":1,"peers":[],"iceServers":[],"icePolicy":"all","tokenExpires":0,"cursor":""}`},
		{"peer-joined", contract.PeerJoined{Type: "peer-joined", Room: "r", Revision: 4, Peer: peer},
			`{"type":"peer-joined","room":"r","revision":4,"peer":` + peerText + `}`},
		{"peer-joined/least", contract.PeerJoined{Type: "peer-joined", Room: "r", Revision: 4, Peer: contract.Peer{Peer: b, Identity: "b", Epoch: 4, Version: 1, State: contract.StateHere}},
			`{"type":"peer-joined","room":"r","revision":4,"peer":{"peer":"pb","identity":"b","epoch":4,"version":1,"polite":false,"capabilities":{},"state":"here"}}`},
		{"peer-left", contract.PeerLeft{Type: "peer-left", Room: "r", Revision: 6, Peer: b, Reason: contract.ReasonExpired},
			`{"type":"peer-left","room":"r","revision":6,"peer":"pb","reason":"expired"}`},
		{"peer-updated", contract.PeerUpdated{Type: "peer-updated", Room: "r", Peer: contract.PeerUpdate{Peer: b, Version: 9, Presence: raw(`null`), State: contract.StateHere}},
			`{"type":"peer-updated","room":"r","peer":{"peer":"pb","version":9,"presence":null,"state":"here"}}`},
		{"peer-updated/least", contract.PeerUpdated{Type: "peer-updated", Room: "r", Peer: contract.PeerUpdate{Peer: b, Version: 9}},
			`{"type":"peer-updated","room":"r","peer":{"peer":"pb","version":9}}`},
		{"left", contract.Left{Type: "left", Room: "r", Revision: 7, Reason: contract.ReasonKicked},
			`{"type":"left","room":"r","revision":7,"reason":"kicked"}`},
		{"relayed/offer", contract.Relayed{Type: "offer", Room: "r", From: b, Epoch: 4, Seq: 2, Cursor: "e.1.2", Negotiation: "n",
			Description: &contract.SessionDescription{Type: "offer", SDP: "v=0"}, Trace: trace},
			`{"type":"offer","room":"r","from":"pb","epoch":4,"seq":2,"cursor":"e.1.2","negotiation":"n","description":{"type":"offer","sdp":"v=0"},"traceparent":"` + trace + `"}`},
		{"relayed/candidate", contract.Relayed{Type: "candidate", Room: "r", From: b, Epoch: 4, Seq: 3, Cursor: "e.1.2", Negotiation: "n",
			Candidate: &contract.ICECandidate{SDPMid: ptr("")}},
			`{"type":"candidate","room":"r","from":"pb","epoch":4,"seq":3,"cursor":"e.1.2","negotiation":"n","candidate":{"candidate":"","sdpMid":""}}`},
		{"relayed/message", contract.Relayed{Type: "message", Room: "r", From: b, Epoch: 4, Seq: 4, Cursor: "e.1.2", ID: "1", Re: "2", Data: raw(`false`)},
			`{"type":"message","room":"r","from":"pb","epoch":4,"seq":4,"cursor":"e.1.2","id":"1","re":"2","data":false}`},
		{"acked", contract.Acked{Type: "acked"}, `{"type":"acked","seq":0}`},
		{"filtered", contract.Filtered{Type: "filtered", Re: 3, Rule: contract.RuleLoopback, Count: 2},
			`{"type":"filtered","re":3,"rule":"loopback","count":2}`},
		{"error/all", contract.ErrorFrame{Type: "error", Re: 3, Code: contract.CodeRateLimited, Status: 429, Message: "m", Retryable: true, RetryAfter: 20, Rule: contract.RuleBadPort},
			`{"type":"error","re":3,"code":"rate_limited","status":429,"message":"m","retryable":true,"retryAfter":20,"rule":"bad_port"}`},
		{"error/least", contract.ErrorFrame{Type: "error", Code: contract.CodeBadJSON, Status: 400, Message: "m"},
			`{"type":"error","code":"bad_json","status":400,"message":"m","retryable":false}`},
		{"gap/all", contract.Gap{Type: "gap", Room: "r", From: b, Reason: "too_old"}, `{"type":"gap","room":"r","from":"pb","reason":"too_old"}`},
		{"gap/least", contract.Gap{Type: "gap", Room: "r", Reason: "too_old"}, `{"type":"gap","room":"r","reason":"too_old"}`},
		{"goaway", contract.Goaway{Type: "goaway", After: 1500, Reason: "m"}, `{"type":"goaway","after":1500,"reason":"m"}`},
		{"ice-servers", contract.ICEServersFrame{Type: "ice-servers", Room: "r", ICEServers: []contract.ICEServer{{URLs: []string{"stun:s"}}}},
			`{"type":"ice-servers","room":"r","iceServers":[{"urls":["stun:s"]}]}`},
		{"token-expiring", contract.TokenExpiring{Type: "token-expiring", Room: "r", Expires: 1800000000},
			`{"type":"token-expiring","room":"r","expires":1800000000}`},
	})
}
