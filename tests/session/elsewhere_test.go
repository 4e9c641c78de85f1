package session

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/parley-rtc/parley/tests/stack"
)

// adaAndBob have joined, ada on the first edge, bob on the second.
const adaAndBob = `
	{"conn": "ada", "hello": true},
	{"conn": "ada", "send": {"type": "join", "seq": 1, "room": "daily", "token": "${token.ada}"}},
	{"conn": "ada", "expect": {"type": "joined", "re": 1, "room": "daily"}},
	{"conn": "ada", "expect": {"type": "acked", "seq": 1}},
	{"conn": "bob", "hello": true},
	{"conn": "bob", "send": {"type": "join", "seq": 1, "room": "daily", "token": "${token.bob}"}},
	{"conn": "bob", "expect": {"type": "joined", "re": 1, "room": "daily"}},
	{"conn": "bob", "expect": {"type": "acked", "seq": 1}},
	{"conn": "ada", "expect": {"type": "peer-joined", "peer": {"peer": "${peer.bob}"}}},
`

// theSame is what must have come of it: nobody has left or joined, and signals
// go both ways. ada's connection is the given one, whose next seq is given, too.
const theSame = `
	{"conn": "%[1]s", "send": {"type": "message", "seq": %[2]d, "room": "daily", "to": "${peer.bob}", "data": "there"}},
	{"conn": "bob", "expect": {"type": "message", "from": "${peer.ada}", "seq": %[2]d, "data": "there"}},
	{"conn": "bob", "send": {"type": "message", "seq": 2, "room": "daily", "to": "${peer.ada}", "data": "back"}},
	{"conn": "%[1]s", "expect": {"type": "message", "from": "${peer.bob}", "seq": 2, "data": "back"}},
	{"conn": "bob", "never": {"type": "peer-left"}},
	{"conn": "bob", "never": {"type": "peer-joined"}}
`

// resumeAda is a hello of ada's: connection, edge, secrets, the connection whose
// secret it proposes, attempt.
func resumeAda(conn string, edge int, secrets, next string, attempt int) string {
	return fmt.Sprintf(`{"conn": %q, "edge": %d, "send": {"type": "hello", "resume": [%s], "next": "${next.%s}", "attempt": %d, "acked": 1,
		"rooms": {"daily": {"peer": "${peer.ada}", "cursor": "${cursor.ada}"}}}},`, conn, edge, secrets, next, attempt)
}

// A welcome that was lost is one that the client goes on as if it hadn't read.
func TestResume_elsewhere(t *testing.T) {
	s := stack.InProcess(t, stack.Options{})
	for i, tt := range []struct{ name, steps string }{
		{"a half-open socket is taken over at once, and a spent secret is refused for ever",
			adaAndBob +
				resumeAda("ada2", 1, `"${secret.ada}"`, "ada2", 2) + `
				{"conn": "ada2", "expect": {"type": "welcome", "resumed": true, "seq": 1}},
				{"conn": "ada", "expectClose": 4509},
				{"conn": "ada2", "expect": {"type": "joined", "room": "daily", "self": {"peer": "${peer.ada}", "epoch": 1}}},` +
				resumeAda("thief", 0, `"${secret.ada}"`, "thief", 3) + `
				{"conn": "thief", "expect": {"type": "welcome", "resumed": false, "seq": 0}},` +
				resumeAda("thief2", 1, `"${secret.ada}"`, "thief2", 9) + `
				{"conn": "thief2", "expect": {"type": "welcome", "resumed": false, "seq": 0}},` +
				fmt.Sprintf(theSame, "ada2", 2)},
		{"a lost welcome costs nothing",
			adaAndBob + `{"conn": "ada", "drop": true},` +
				resumeAda("ada2", 1, `"${secret.ada}"`, "ada2", 2) + `
				{"conn": "ada2", "expect": {"type": "welcome", "resumed": true}},
				{"conn": "ada2", "drop": true},` +
				resumeAda("ada3", 0, `"${secret.ada}", "${secret.ada2}"`, "ada2", 3) + `
				{"conn": "ada3", "expect": {"type": "welcome", "resumed": true, "seq": 1}},` +
				fmt.Sprintf(theSame, "ada3", 2)},
		{"a welcome that is lost on the edge that had the session before costs nothing either",
			adaAndBob +
				resumeAda("ada2", 1, `"${secret.ada}"`, "ada2", 2) + `
				{"conn": "ada2", "expect": {"type": "welcome", "resumed": true}},
				{"conn": "ada", "expectClose": 4509},` +
				resumeAda("ada3", 0, `"${secret.ada2}"`, "ada3", 3) + `
				{"conn": "ada3", "expect": {"type": "welcome", "resumed": true}},
				{"conn": "ada3", "drop": true},` +
				resumeAda("ada4", 1, `"${secret.ada2}", "${secret.ada3}"`, "ada3", 4) + `
				{"conn": "ada4", "expect": {"type": "welcome", "resumed": true, "seq": 1}},` +
				fmt.Sprintf(theSame, "ada4", 2)},
		{"hello 2 that was paused until after hello 3 takes nothing",
			adaAndBob +
				resumeAda("ada3", 1, `"${secret.ada}", "${secret.ada2}"`, "ada2", 3) + `
				{"conn": "ada3", "expect": {"type": "welcome", "resumed": true, "seq": 1}},` +
				resumeAda("ada2", 0, `"${secret.ada}", "${secret.ada2}"`, "ada2", 2) + `
				{"conn": "ada2", "expectClose": 4509},` +
				fmt.Sprintf(theSame, "ada3", 2)},
		{"the socket dies inside an entry of three frames for one receiver",
			adaAndBob + `
				{"conn": "bob", "send": {"type": "message", "seq": 2, "room": "daily", "data": "one"}},
				{"conn": "bob", "send": {"type": "message", "seq": 3, "room": "daily", "to": "${peer.ada}", "data": "two"}},
				{"conn": "bob", "send": {"type": "message", "seq": 4, "room": "daily", "data": "three"}},
				{"conn": "ada", "expect": {"type": "message", "seq": 2, "data": "one"}},
				{"conn": "ada", "drop": true},` +
				resumeAda("ada2", 1, `"${secret.ada}"`, "ada2", 2) + `
				{"conn": "ada2", "expect": {"type": "welcome", "resumed": true, "seq": 1}},
				{"conn": "ada2", "expect": {"type": "message", "seq": 2, "data": "one"}},
				{"conn": "ada2", "expect": {"type": "message", "seq": 3, "data": "two"}},
				{"conn": "ada2", "expect": {"type": "message", "seq": 4, "data": "three"}}`},
		{"who left while away hears why",
			adaAndBob + `{"conn": "ada", "drop": true},
				{"conn": "mod", "edge": 0, "hello": true},
				{"conn": "mod", "send": {"type": "join", "seq": 1, "room": "daily", "token": "${token.mod}"}},
				{"conn": "mod", "expect": {"type": "joined"}},
				{"conn": "mod", "send": {"type": "moderate", "seq": 2, "room": "daily", "action": "kick", "peer": "${peer.ada}"}},
				{"conn": "bob", "expect": {"type": "peer-left", "peer": "${peer.ada}", "reason": "kicked"}},
				{"conn": "mod", "expect": {"type": "acked", "seq": 2}},` +
				resumeAda("ada2", 1, `"${secret.ada}"`, "ada2", 2) + `
				{"conn": "ada2", "expect": {"type": "left", "room": "daily", "reason": "kicked"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sc := script{Name: tt.name, Tokens: map[string]tokenSpec{
				"ada": {Identity: "ada", Room: "daily"}, "bob": {Identity: "bob", Room: "daily"},
				"mod": {Identity: "mod", Room: "daily", Grants: []string{"kick"}},
			}}
			if err := json.Unmarshal([]byte("["+tt.steps+"]"), &sc.Steps); err != nil {
				t.Fatal(err)
			}
			if err := play(t.Context(), s, fmt.Sprintf("elsewhere-%d", i), &sc); err != nil {
				t.Error(err)
			}
		})
	}
}
