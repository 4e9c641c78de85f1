package contract_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// pins holds every constant that stands on a wire or that two processes must
// agree on. A line that changes here is a new version of a protocol.
var pins = []struct {
	name string
	got  any
	want string
}{
	// buckets.go
	{"BucketRooms", contract.BucketRooms, "rooms"},
	{"BucketMembers", contract.BucketMembers, "members"},
	{"BucketEdges", contract.BucketEdges, "edges"},
	{"BucketKeys", contract.BucketKeys, "keys"},
	{"BucketApps", contract.BucketApps, "apps"},
	{"ShardsMetadata", contract.ShardsMetadata, "parley-shards"},
	{"MaxDocumentBytes", contract.MaxDocumentBytes, "524288"},
	{"MaxDepartures", contract.MaxDepartures, "64"},
	{"DocumentFormat", contract.DocumentFormat, "1"},
	{"ReasonLeft", contract.ReasonLeft, "left"},
	{"ReasonReplaced", contract.ReasonReplaced, "replaced"},
	{"ReasonKicked", contract.ReasonKicked, "kicked"},
	{"ReasonClosed", contract.ReasonClosed, "closed"},
	{"ReasonExpired", contract.ReasonExpired, "expired"},
	{"ReasonRevoked", contract.ReasonRevoked, "revoked"},
	{"StateHere", contract.StateHere, "here"},
	{"StateAway", contract.StateAway, "away"},
	{"StateGone", contract.StateGone, "gone"},
	{"DuplicateReplace", contract.DuplicateReplace, "replace"},
	{"DuplicateReject", contract.DuplicateReject, "reject"},
	{"DuplicateAllow", contract.DuplicateAllow, "allow"},
	// codes.go
	{"CodeBadJSON", contract.CodeBadJSON, "bad_json"},
	{"CodeBadFrame", contract.CodeBadFrame, "bad_frame"},
	{"CodeUnknownType", contract.CodeUnknownType, "unknown_type"},
	{"CodeBadID", contract.CodeBadID, "bad_id"},
	{"CodeBadPart", contract.CodeBadPart, "bad_part"},
	{"CodeHelloRequired", contract.CodeHelloRequired, "hello_required"},
	{"CodeSeqHole", contract.CodeSeqHole, "seq_hole"},
	{"CodeBadToken", contract.CodeBadToken, "bad_token"},
	{"CodeTokenExpired", contract.CodeTokenExpired, "token_expired"},
	{"CodeBadAPIKey", contract.CodeBadAPIKey, "bad_api_key"},
	{"CodeForbidden", contract.CodeForbidden, "forbidden"},
	{"CodeRoomNotFound", contract.CodeRoomNotFound, "room_not_found"},
	{"CodeNotInRoom", contract.CodeNotInRoom, "not_in_room"},
	{"CodeAlreadyJoined", contract.CodeAlreadyJoined, "already_joined"},
	{"CodePeerGone", contract.CodePeerGone, "peer_gone"},
	{"CodeBadDescription", contract.CodeBadDescription, "bad_description"},
	{"CodeBadCandidate", contract.CodeBadCandidate, "bad_candidate"},
	{"CodeGlare", contract.CodeGlare, "glare"},
	{"CodeTooLarge", contract.CodeTooLarge, "too_large"},
	{"CodeRateLimited", contract.CodeRateLimited, "rate_limited"},
	{"CodeTooManyRooms", contract.CodeTooManyRooms, "too_many_rooms"},
	{"CodeTooManyCands", contract.CodeTooManyCands, "too_many_candidates"},
	{"CodeRoomFull", contract.CodeRoomFull, "room_full"},
	{"CodeRoomLocked", contract.CodeRoomLocked, "room_locked"},
	{"CodeIdentityTaken", contract.CodeIdentityTaken, "identity_taken"},
	{"CodeUnavailable", contract.CodeUnavailable, "unavailable"},
	{"CodeInternal", contract.CodeInternal, "internal"},
	{"CloseNormal", contract.CloseNormal, "1000"},
	{"CloseGoingAway", contract.CloseGoingAway, "1001"},
	{"CloseUnsupported", contract.CloseUnsupported, "1003"},
	{"CloseInvalidUTF8", contract.CloseInvalidUTF8, "1007"},
	{"CloseTooBig", contract.CloseTooBig, "1009"},
	{"CloseInternal", contract.CloseInternal, "1011"},
	{"CloseRestart", contract.CloseRestart, "1012"},
	{"CloseTryLater", contract.CloseTryLater, "1013"},
	{"CloseTooLate", contract.CloseTooLate, "4408"},
	{"CloseRate", contract.CloseRate, "4429"},
	{"CloseSlowConsumer", contract.CloseSlowConsumer, "4440"},
	{"CloseBadToken", contract.CloseBadToken, "4501"},
	{"CloseForbidden", contract.CloseForbidden, "4503"},
	{"CloseReplaced", contract.CloseReplaced, "4509"},
	{"CloseKicked", contract.CloseKicked, "4510"},
	// entry.go
	{"KindOffer", contract.KindOffer, "1"},
	{"KindAnswer", contract.KindAnswer, "2"},
	{"KindCandidate", contract.KindCandidate, "3"},
	{"KindMessage", contract.KindMessage, "4"},
	{"KindPresence", contract.KindPresence, "5"},
	{"KindEvent", contract.KindEvent, "6"},
	// frames_client.go
	{"TypeHello", contract.TypeHello, "hello"},
	{"TypeJoin", contract.TypeJoin, "join"},
	{"TypeOffer", contract.TypeOffer, "offer"},
	{"TypeAnswer", contract.TypeAnswer, "answer"},
	{"TypeCandidate", contract.TypeCandidate, "candidate"},
	{"TypeMessage", contract.TypeMessage, "message"},
	{"TypePresence", contract.TypePresence, "presence"},
	{"TypeModerate", contract.TypeModerate, "moderate"},
	{"TypeRefresh", contract.TypeRefresh, "refresh"},
	{"TypeLeave", contract.TypeLeave, "leave"},
	{"TypePing", contract.TypePing, "ping"},
	{"TypePong", contract.TypePong, "pong"},
	{"TypeBye", contract.TypeBye, "bye"},
	{"TypePart", contract.TypePart, "part"},
	{"ActionKick", contract.ActionKick, "kick"},
	{"ActionLock", contract.ActionLock, "lock"},
	{"ActionUnlock", contract.ActionUnlock, "unlock"},
	{"ActionClose", contract.ActionClose, "close"},
	// frames_server.go
	{"TypeWelcome", contract.TypeWelcome, "welcome"},
	{"TypeJoined", contract.TypeJoined, "joined"},
	{"TypePeerJoined", contract.TypePeerJoined, "peer-joined"},
	{"TypePeerLeft", contract.TypePeerLeft, "peer-left"},
	{"TypePeerUpdated", contract.TypePeerUpdated, "peer-updated"},
	{"TypeLeft", contract.TypeLeft, "left"},
	{"TypeAcked", contract.TypeAcked, "acked"},
	{"TypeFiltered", contract.TypeFiltered, "filtered"},
	{"TypeError", contract.TypeError, "error"},
	{"TypeGap", contract.TypeGap, "gap"},
	{"TypeGoaway", contract.TypeGoaway, "goaway"},
	{"TypeICEServers", contract.TypeICEServers, "ice-servers"},
	{"TypeTokenExpiring", contract.TypeTokenExpiring, "token-expiring"},
	// ids.go
	{"MaxIDBytes", contract.MaxIDBytes, "128"},
	{"MaxNameBytes", contract.MaxNameBytes, "32"},
	// limits.go
	{"Subprotocol", contract.Subprotocol, "parley.v1"},
	{"MaxEntryBytes", contract.MaxEntryBytes, "524288"},
	{"MaxEntrySignals", contract.MaxEntrySignals, "1000"},
	{"MaxJSONDepth", contract.MaxJSONDepth, "16"},
	{"MaxPartIDBytes", contract.MaxPartIDBytes, "64"},
	{"MaxNameField", contract.MaxNameField, "128"},
	{"MaxSeq", contract.MaxSeq, "9007199254740991"},
	{"LeaseInterval", contract.LeaseInterval, "1s"},
	{"LeaseTimeout", contract.LeaseTimeout, "12s"},
	{"FenceAfter", contract.FenceAfter, "10s"},
	{"EntryBudget", contract.EntryBudget, "30s"},
	// messages.go
	{"HeaderTraceparent", contract.HeaderTraceparent, "traceparent"},
	{"HeaderMessageID", contract.HeaderMessageID, "Nats-Msg-Id"},
	{"OpJoin", contract.OpJoin, "join"},
	{"OpLeave", contract.OpLeave, "leave"},
	{"OpKick", contract.OpKick, "kick"},
	{"OpLock", contract.OpLock, "lock"},
	{"OpUnlock", contract.OpUnlock, "unlock"},
	{"OpClose", contract.OpClose, "close"},
	{"OpMessage", contract.OpMessage, "message"},
	{"EventJoined", contract.EventJoined, "joined"},
	{"EventLeft", contract.EventLeft, "left"},
	{"EventLocked", contract.EventLocked, "locked"},
	{"EventUnlocked", contract.EventUnlocked, "unlocked"},
	{"EventMessage", contract.EventMessage, "message"},
	{"TokenAudience", contract.TokenAudience, "parley"},
	{"GrantKick", contract.GrantKick, "kick"},
	{"GrantLock", contract.GrantLock, "lock"},
	{"GrantClose", contract.GrantClose, "close"},
	// policy.go
	{"PolicyPublic", contract.PolicyPublic, "public"},
	{"PolicyRelay", contract.PolicyRelay, "relay"},
	{"PolicyAll", contract.PolicyAll, "all"},
	// rules.go
	{"RulePrivateAddress", contract.RulePrivateAddress, "private_address"},
	{"RuleLoopback", contract.RuleLoopback, "loopback"},
	{"RuleLinkLocal", contract.RuleLinkLocal, "link_local"},
	{"RuleMulticast", contract.RuleMulticast, "multicast"},
	{"RuleBroadcast", contract.RuleBroadcast, "broadcast"},
	{"RuleUnspecified", contract.RuleUnspecified, "unspecified"},
	{"RuleReservedAddress", contract.RuleReservedAddress, "reserved_address"},
	{"RuleHostname", contract.RuleHostname, "hostname"},
	{"RuleNotRelay", contract.RuleNotRelay, "not_relay"},
	{"RuleBadPort", contract.RuleBadPort, "bad_port"},
	{"RuleRelatedAddress", contract.RuleRelatedAddress, "related_address"},
	{"RuleTooManyCandidates", contract.RuleTooManyCandidates, "too_many_candidates"},
	{"RuleSuperseded", contract.RuleSuperseded, "superseded"},
	{"RuleBadCandidate", contract.RuleBadCandidate, "bad_candidate"},
	{"RuleSDPAddress", contract.RuleSDPAddress, "sdp_address"},
	{"RuleSDPLine", contract.RuleSDPLine, "sdp_line"},
	{"RuleBadDescription", contract.RuleBadDescription, "bad_description"},
	// permissions.go
	{"UserEdge", contract.UserEdge, "edge"},
	{"UserRooms", contract.UserRooms, "roomsvc"},
	{"UserAuth", contract.UserAuth, "authsvc"},
	{"UserFilter", contract.UserFilter, "candidatefilter"},
	// subjects.go
	{"QueueFilter", contract.QueueFilter, "candidatefilter"},
	{"QueueRooms", contract.QueueRooms, "roomsvc"},
	{"QueueAuth", contract.QueueAuth, "authsvc"},
	{"SubjectRoomChange", contract.SubjectRoomChange, "room.change"},
	{"SubjectStandstill", contract.SubjectStandstill, "room.standstill"},
	{"SubjectAuthToken", contract.SubjectAuthToken, "auth.token"},
	{"SubjectAuthICE", contract.SubjectAuthICE, "auth.ice"},
	{"SubjectFilterAll", contract.SubjectFilterAll, "filter.*.*.*"},
}

func TestConstants(t *testing.T) {
	for _, pin := range pins {
		if got := fmt.Sprint(pin.got); got != pin.want {
			t.Errorf("%s is %q, it was released as %q", pin.name, got, pin.want)
		}
	}
}

func TestConstants_AreAllPinned(t *testing.T) {
	pinned := map[string]bool{}
	for _, pin := range pins {
		if pinned[pin.name] {
			t.Errorf("%s is pinned twice", pin.name)
		}
		pinned[pin.name] = true
	}
	for _, name := range exportedConstants(t) {
		if !pinned[name] {
			t.Errorf("%s has no line in pins", name)
		}
	}
}

// exportedConstants reads the names from the sources of the package.
func exportedConstants(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if group, ok := decl.(*ast.GenDecl); ok && group.Tok == token.CONST {
				names = append(names, exportedNames(group)...)
			}
		}
	}
	if len(names) < 100 {
		t.Fatalf("found only %d constants", len(names))
	}
	return names
}

func exportedNames(group *ast.GenDecl) []string {
	var names []string
	for _, spec := range group.Specs {
		values, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for _, id := range values.Names {
			if id.IsExported() {
				names = append(names, id.Name)
			}
		}
	}
	return names
}
