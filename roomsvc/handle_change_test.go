package roomsvc

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// request is a good request with parts of its JSON replaced.
func request(replacements ...string) string {
	good := `{"app":"app","room":"hall","edge":"edge-1","n":1,"ops":[{"kind":"join","peer":"p1","identity":"ada"}]}`
	return strings.NewReplacer(replacements...).Replace(good)
}

// badRequests is what a broken or hostile edge may send, with the code that it
// gets.
func badRequests() map[string]struct {
	data string
	code contract.Code
} {
	type bad = struct {
		data string
		code contract.Code
	}
	cases := map[string]bad{
		"nothing":                      {"", contract.CodeBadJSON},
		"not JSON":                     {"{", contract.CodeBadJSON},
		"two values":                   {request() + request(), contract.CodeBadJSON},
		"not an object":                {"[]", contract.CodeBadFrame},
		"null":                         {"null", contract.CodeBadID},
		"no app":                       {request(`"app":"app",`, ``), contract.CodeBadID},
		"no room":                      {request(`"room":"hall",`, ``), contract.CodeBadID},
		"no edge":                      {request(`"edge":"edge-1",`, ``), contract.CodeBadID},
		"an app that is a number":      {request(`"app":"app"`, `"app":7`), contract.CodeBadFrame},
		"n of 0":                       {request(`"n":1`, `"n":0`), contract.CodeBadFrame},
		"n under 0":                    {request(`"n":1`, `"n":-1`), contract.CodeBadFrame},
		"n over 64 bits":               {request(`"n":1`, `"n":18446744073709551616`), contract.CodeBadFrame},
		"no operations":                {request(`[{"kind":"join","peer":"p1","identity":"ada"}]`, `[]`), contract.CodeBadFrame},
		"an unknown operation":         {request(`"kind":"join"`, `"kind":"dance"`), contract.CodeBadFrame},
		"an operation without a kind":  {request(`"kind":"join",`, ``), contract.CodeBadFrame},
		"a join without a peer":        {request(`"peer":"p1",`, ``), contract.CodeBadID},
		"a join without an identity":   {request(`,"identity":"ada"`, ``), contract.CodeBadID},
		"an identity that is too long": {request(`"ada"`, `"`+strings.Repeat("a", 4096)+`"`), contract.CodeBadID},
		"an identity with CR LF":       {request(`"ada"`, `"a\r\nda"`), contract.CodeBadID},
		"a kick without a peer":        {request(`{"kind":"join","peer":"p1","identity":"ada"}`, `{"kind":"kick"}`), contract.CodeBadID},
		"a leave without a peer":       {request(`{"kind":"join","peer":"p1","identity":"ada"}`, `{"kind":"leave"}`), contract.CodeBadID},
		"an unknown reason":            {request(`"kind":"join"`, `"kind":"leave","reason":"bored"`), contract.CodeBadFrame},
		"a presence that is too large": {request(`"peer":"p1"`, `"peer":"p1","presence":"`+strings.Repeat("x", maxPresenceBytes)+`"`), contract.CodeTooLarge},
		"one peer twice":               {request(`[`, `[{"kind":"join","peer":"p1","identity":"bob"},`), contract.CodeBadFrame},
		"too many operations": {request(`[`, `[`+strings.Repeat(`{"kind":"lock"},`, room.MaxOps)),
			contract.CodeTooLarge},
	}
	for _, id := range []string{"*", ">", "a.b", strings.Repeat("x", 4096), `a\r\nb`, "🦜", " ", "$KV", `a\u0000b`, "=", "=YQ", "=YQ=="} {
		for _, field := range []string{`"app":"app"`, `"room":"hall"`, `"edge":"edge-1"`, `"peer":"p1"`} {
			key, _, _ := strings.Cut(field, ":")
			cases[fmt.Sprintf("%s of %.10q", key, id)] = bad{request(field, key+`:"`+id+`"`), contract.CodeBadID}
		}
	}
	return cases
}

func TestParseChange(t *testing.T) {
	for name, c := range badRequests() {
		t.Run(name, func(t *testing.T) {
			got, fault := parseChange([]byte(c.data))
			if fault == nil {
				t.Fatalf("got %+v, want %s", got, c.code)
			}
			want(t, "code", fault.Code, c.code)
			if fault.Message == "" || len(fault.Message) > 200 || strings.ContainsAny(fault.Message, "\r\n\x00🦜") {
				t.Errorf("message: got %q, want a short one that is safe to show", fault.Message)
			}
		})
	}
	t.Run("a good one", func(t *testing.T) {
		got, fault := parseChange([]byte(request(`"peer":"p1"`, `"peer":"p1","presence":null,"traceparent":"junk\n"`)))
		if fault != nil {
			t.Fatal(fault)
		}
		want(t, "operations", got.Ops, []contract.RoomOp{{Kind: contract.OpJoin, Peer: token("p1"), Identity: "ada"}})
	})
	t.Run("as many operations as are allowed", func(t *testing.T) {
		many := request(`[`, `[`+strings.Repeat(`{"kind":"lock"},`, room.MaxOps-1))
		if _, fault := parseChange([]byte(many)); fault != nil {
			t.Error(fault)
		}
	})
	t.Run("ids that need an escape", func(t *testing.T) {
		name := contract.ID("a.b > *").Token()
		got, fault := parseChange([]byte(request(`"hall"`, `"`+name.String()+`"`)))
		if fault != nil || got.Room != name {
			t.Errorf("got %v, %v, want %v", got.Room, fault, name)
		}
	})
}

func TestIsTraceparent(t *testing.T) {
	good := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	want(t, good, isTraceparent(good), true)
	for _, bad := range []string{
		"", good[1:], good + "0", strings.ToUpper(good), strings.Replace(good, "-", "0", 1),
		strings.Replace(good, "a", "-", 1), strings.Replace(good, "a", "\n", 1),
	} {
		want(t, bad, isTraceparent(bad), false)
	}
}

func FuzzParseChange(f *testing.F) {
	for _, c := range badRequests() {
		f.Add([]byte(c.data))
	}
	f.Add([]byte(request()))
	rules := DefaultConfig().rules()
	f.Fuzz(func(t *testing.T, data []byte) {
		change, fault := parseChange(data)
		if fault != nil {
			if fault.Code.Status() >= 500 {
				t.Errorf("bad input is answered by %v", fault)
			}
			return
		}
		state, out := room.New(change.App, change.Room).Apply([]contract.RoomChange{change}, rules)
		if len(out.Answers[0].Results) != len(change.Ops) {
			t.Errorf("%d results for %d operations", len(out.Answers[0].Results), len(change.Ops))
		}
		value, err := state.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := room.Decode(change.App, change.Room, value); err != nil {
			t.Errorf("%s: %v", value, err)
		}
		if _, err := room.Bodies(out.Base, out.Events, maxEventsBytes); err != nil {
			t.Error(err)
		}
	})
}

func TestHandleChange_badInput(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	ask := func(data string) contract.RoomChanged {
		m, err := s.nc.Request(contract.SubjectRoomChange, []byte(data), 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		var reply contract.RoomChanged
		if err := json.Unmarshal(m.Data, &reply); err != nil {
			t.Fatalf("reply %s: %v", m.Data, err)
		}
		return reply
	}
	for name, c := range badRequests() {
		t.Run(name, func(t *testing.T) {
			reply := ask(c.data)
			if reply.Error == nil || reply.Error.Code != c.code {
				t.Errorf("got %+v, want %s", reply, c.code)
			}
		})
	}
	t.Run("a request without a reply is not applied", func(t *testing.T) {
		if err := s.nc.Publish(contract.SubjectRoomChange, []byte(request())); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("nothing was lost", func(t *testing.T) {
		reply := ask(request(`"p1"`, `"p2"`))
		if reply.Error != nil || reply.Revision != 1 || reply.Results[0].Code != "" {
			t.Errorf("got %+v", reply)
		}
	})
}
