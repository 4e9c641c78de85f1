package contract_test

import (
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestBuckets_JSON(t *testing.T) {
	app, room := mustToken(t, "demo"), mustID(t, "*").Token()
	peer, edge, old := mustToken(t, "pa"), mustToken(t, "edge-1-a"), mustToken(t, "edge-2-b")
	member := contract.Member{Peer: peer, Identity: "a b", Epoch: 3, Edge: edge, Capabilities: contract.Capabilities{Rollback: true}}
	checkShapes(t, []shape{
		{"room/all", contract.RoomDocument{
			Format: contract.DocumentFormat, App: app, Room: room, Revision: 4, Locked: true, Members: []contract.Member{member},
			Departures: []contract.Departure{{Peer: old, Revision: 4, Reason: contract.ReasonLeft}},
			Writers:    map[string]contract.WriterOp{"edge-1-a": {N: 2, Revision: 4, Refused: map[string]contract.Code{"pc": contract.CodeRoomFull}}},
		}, `{"v":1,"app":"demo","room":"=Kg","revision":4,"locked":true,` +
			`"members":[{"peer":"pa","identity":"a b","epoch":3,"edge":"edge-1-a","capabilities":{"rollback":true}}],` +
			`"departed":[{"peer":"edge-2-b","revision":4,"reason":"left"}],` +
			`"writers":{"edge-1-a":{"n":2,"revision":4,"refused":{"pc":"room_full"}}}}`},
		{"room/empty", contract.RoomDocument{Format: 1, App: app, Room: room, Revision: 9, Members: []contract.Member{}},
			`{"v":1,"app":"demo","room":"=Kg","revision":9,"members":[]}`},
		{"member/all", contract.MemberRecord{
			Peer: peer, Epoch: 3, Incarnation: 2, Attempt: 5, Edge: edge, Trail: []contract.Token{old, edge}, State: contract.StateGone,
			Reason: contract.ReasonExpired, Secret: []byte{0, 255}, Presence: raw(`{"x":1}`), Version: 8,
		}, `{"peer":"pa","epoch":3,"incarnation":2,"attempt":5,"edge":"edge-1-a","trail":["edge-2-b","edge-1-a"],"state":"gone",` +
			`"reason":"expired","secret":"AP8=","presence":{"x":1},"version":8}`},
		{"member/before the join", contract.MemberRecord{
			Peer: peer, Incarnation: 1, Edge: edge, Trail: []contract.Token{edge}, State: contract.StateHere, Version: 1,
		}, `{"peer":"pa","incarnation":1,"attempt":0,"edge":"edge-1-a","trail":["edge-1-a"],"state":"here","version":1}`},
		{"member/taken over", contract.MemberRecord{
			Peer: peer, Incarnation: 2, Edge: edge, Trail: []contract.Token{old, edge}, Past: []contract.Stay{{Until: 1800000000, Head: 7}}, Acked: 6, State: contract.StateHere,
			Version: 2, Grants: []string{"kick"}, ICE: contract.PolicyRelay, Expires: 1800000001, Until: 1800000002,
		}, `{"peer":"pa","incarnation":2,"attempt":0,"edge":"edge-1-a","trail":["edge-2-b","edge-1-a"],"past":[{"until":1800000000,"head":7}],"acked":6,"state":"here",` +
			`"version":2,"grants":["kick"],"ice":"relay","expires":1800000001,"until":1800000002}`},
		{"lease", contract.EdgeLease{Edge: edge, Address: "10.0.0.1:7420", Drain: true, Renewal: 6},
			`{"edge":"edge-1-a","address":"10.0.0.1:7420","drain":true,"renewal":6}`},
		{"key", contract.KeyRecord{KeyID: "k1", Algorithm: "EdDSA", Public: []byte{1}, Retired: true},
			`{"kid":"k1","alg":"EdDSA","public":"AQ==","retired":true}`},
		{"app/all", contract.AppRecord{App: app, APIKeys: [][]byte{{1}, {2}}, Capacity: 50, Duplicates: contract.DuplicateAllow, ICE: contract.PolicyRelay},
			`{"app":"demo","apiKeys":["AQ==","Ag=="],"capacity":50,"duplicates":"allow","ice":"relay"}`},
		{"app/least", contract.AppRecord{App: app, APIKeys: [][]byte{}}, `{"app":"demo","apiKeys":[]}`},
	})
}

func TestMessages_JSON(t *testing.T) {
	app, room := mustToken(t, "demo"), mustToken(t, "r")
	peer, edge := mustToken(t, "pa"), mustToken(t, "edge-1-a")
	failed := &contract.WireError{Code: contract.CodeUnavailable, Message: "m", RetryAfter: 9}
	checkShapes(t, []shape{
		{"room change", contract.RoomChange{App: app, Room: room, Edge: edge, N: 3, Ops: []contract.RoomOp{
			{Kind: contract.OpJoin, Peer: peer, Identity: "a", Presence: raw(`1`), Capabilities: contract.Capabilities{Rollback: true}, Trace: trace},
			{Kind: contract.OpLeave, Peer: peer, Reason: contract.ReasonExpired},
			{Kind: contract.OpLock},
		}}, `{"app":"demo","room":"r","edge":"edge-1-a","n":3,"ops":[` +
			`{"kind":"join","peer":"pa","identity":"a","presence":1,"capabilities":{"rollback":true},"traceparent":"` + trace + `"},` +
			`{"kind":"leave","peer":"pa","reason":"expired"},{"kind":"lock"}]}`},
		{"standstill", contract.Standstill{Leases: []contract.StandingLease{{Edge: edge, Revision: 7, Milliseconds: 12000}}},
			`{"leases":[{"edge":"edge-1-a","revision":7,"ms":12000}]}`},
		{"room changed/all", contract.RoomChanged{Revision: 5, Results: []contract.OpResult{{}, {Code: contract.CodeRoomFull, Message: "m"}}, Error: failed},
			`{"revision":5,"results":[{},{"code":"room_full","message":"m"}],"error":{"code":"unavailable","message":"m","retryAfter":9}}`},
		{"room changed/least", contract.RoomChanged{Revision: 5}, `{"revision":5}`},
		{"events", contract.RoomEvents{Base: 4, Revision: 6, Events: []contract.RoomEvent{
			{Kind: contract.EventJoined, Revision: 5, Member: &contract.Member{Peer: peer, Identity: "a", Epoch: 5, Edge: edge}, Presence: raw(`{}`), Trace: trace},
			{Kind: contract.EventLeft, Revision: 6, Peer: peer, Reason: contract.ReasonLeft},
		}}, `{"base":4,"events":[` +
			`{"kind":"joined","revision":5,"member":{"peer":"pa","identity":"a","epoch":5,"edge":"edge-1-a","capabilities":{}},"presence":{},"traceparent":"` + trace + `"},` +
			`{"kind":"left","revision":6,"peer":"pa","reason":"left"}],"revision":6}`},
		{"events/opening", contract.RoomEvents{Base: 0, Revision: 1, Events: []contract.RoomEvent{
			{Kind: contract.EventJoined, Revision: 1, Member: &contract.Member{Peer: peer, Identity: "a", Epoch: 1, Edge: edge}},
		}, Members: []contract.Member{{Peer: peer, Identity: "a", Epoch: 1, Edge: edge}}}, `{"base":0,"events":[` +
			`{"kind":"joined","revision":1,"member":{"peer":"pa","identity":"a","epoch":1,"edge":"edge-1-a","capabilities":{}}}],"revision":1,` +
			`"members":[{"peer":"pa","identity":"a","epoch":1,"edge":"edge-1-a","capabilities":{}}]}`},
		{"events/notice", contract.RoomEvents{Base: 6, Revision: 6}, `{"base":6,"revision":6}`},
		{"revisions", contract.Revisions{Rooms: []contract.RoomRevision{{App: app, Room: room, Revision: 6}}},
			`{"rooms":[{"app":"demo","room":"r","revision":6}]}`},
		{"moves", contract.Moves{Moves: []contract.Move{{App: app, Room: room, Peer: peer, Incarnation: 2, Acked: 6, Trail: []contract.Token{edge}}}},
			`{"moves":[{"app":"demo","room":"r","peer":"pa","incarnation":2,"acked":6,"trail":["edge-1-a"]}]}`},
		{"moved", contract.Moved{Ends: [][]contract.LinkEnd{{{To: edge, Revision: 8}}}}, `{"ends":[[{"to":"edge-1-a","revision":8}]]}`},
		{"filter answer/all", contract.FilterAnswer{Filter: true, Revision: 8, Duplicate: true, Error: failed, Verdicts: []contract.Verdict{
			{From: "pa", Seq: 7, Refused: true, Code: contract.CodeBadCandidate, Rule: contract.RuleBadCandidate, Message: "port 0"},
			{From: "pa", Seq: 8, Rule: contract.RuleLoopback, Count: 2},
		}}, `{"filter":true,"revision":8,"duplicate":true,"verdicts":[` +
			`{"from":"pa","seq":7,"refused":true,"code":"bad_candidate","rule":"bad_candidate","message":"port 0"},` +
			`{"from":"pa","seq":8,"rule":"loopback","count":2}],"error":{"code":"unavailable","message":"m","retryAfter":9}}`},
		{"filter answer/least", contract.FilterAnswer{Filter: true}, `{"filter":true}`},
		{"token request/all", contract.TokenRequest{App: "demo", APIKey: "k", Room: "*", Identity: "a b", TTL: 60, Grants: []string{"kick"}, MaxStay: 90, ICE: contract.PolicyRelay},
			`{"app":"demo","apiKey":"k","room":"*","identity":"a b","ttl":60,"grants":["kick"],"maxStay":90,"ice":"relay"}`},
		{"token request/least", contract.TokenRequest{Room: "r", Identity: "a"}, `{"room":"r","identity":"a"}`},
		{"token reply", contract.TokenReply{Token: "t", Expires: 1800000000}, `{"token":"t","expires":1800000000}`},
		{"token refusal", contract.TokenReply{Error: failed}, `{"error":{"code":"unavailable","message":"m","retryAfter":9}}`},
		{"claims/all", contract.Claims{Issuer: "i", Subject: "a b", Audience: contract.TokenAudience, Expires: 3, NotBefore: 1, ID: "j", App: "demo", Room: "*",
			Grants: contract.Grants(), MaxStay: 90, ICE: contract.PolicyPublic},
			`{"iss":"i","sub":"a b","aud":"parley","exp":3,"nbf":1,"jti":"j","app":"demo","room":"*","grants":["kick","lock","close"],"maxStay":90,"ice":"public"}`},
		{"claims/least", contract.Claims{Issuer: "i", Subject: "a", Audience: "parley", Expires: 3, NotBefore: 1, ID: "j", App: "demo", Room: "r"},
			`{"iss":"i","sub":"a","aud":"parley","exp":3,"nbf":1,"jti":"j","app":"demo","room":"r"}`},
	})
}
