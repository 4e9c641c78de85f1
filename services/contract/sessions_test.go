package contract_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// script is one entry of testdata/vectors/sessions.json; its README.md says
// what a runner does with it. Here only its form is checked: the edge runs it.
type script struct {
	Name   string                     `json:"name"`
	Limits json.RawMessage            `json:"limits"`
	Tokens map[string]json.RawMessage `json:"tokens"`
	Steps  []struct {
		Conn        string              `json:"conn"`
		Hello       bool                `json:"hello"`
		Send        json.RawMessage     `json:"send"`
		SendText    *string             `json:"sendText"`
		SendBinary  []byte              `json:"sendBinary"`
		Drop        bool                `json:"drop"`
		Expect      json.RawMessage     `json:"expect"`
		InParts     bool                `json:"inParts"`
		Never       json.RawMessage     `json:"never"`
		ExpectClose *contract.CloseCode `json:"expectClose"`
	} `json:"steps"`
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

func TestVectors_Sessions(t *testing.T) {
	var scripts []script
	readVectors(t, "sessions.json", &scripts)
	codes, closes := map[contract.Code]bool{}, map[contract.CloseCode]bool{}
	for _, s := range scripts {
		t.Run(s.Name, func(t *testing.T) {
			s.checkSetting(t)
			s.checkSteps(t)
			s.checkPlaceholders(t)
		})
		for _, step := range s.Steps {
			var frame struct{ Code contract.Code }
			if step.Expect != nil && json.Unmarshal(step.Expect, &frame) == nil {
				codes[frame.Code] = true
			}
			if step.ExpectClose != nil {
				closes[*step.ExpectClose] = true
			}
		}
	}
	// What takes a full log, a full room or a broken service is shown by the tests of those, and what answers a
	// backend by those of its services.
	elsewhere := []contract.Code{
		contract.CodeRoomFull, contract.CodeIdentityTaken, contract.CodeTooManyCands, contract.CodeUnavailable, contract.CodeInternal,
		contract.CodeBadAPIKey, contract.CodeRoomNotFound,
	}
	for _, code := range contract.Codes() {
		if !codes[code] && !slices.Contains(elsewhere, code) {
			t.Errorf("no session shows %s", code)
		}
	}
	for _, code := range []contract.CloseCode{
		contract.CloseNormal, contract.CloseUnsupported, contract.CloseTooBig, contract.CloseReplaced, contract.CloseKicked,
	} {
		if !closes[code] {
			t.Errorf("no session is closed with %d", code)
		}
	}
}

// checkSetting checks what a script asks of its edge and its tokens.
func (s *script) checkSetting(t *testing.T) {
	t.Helper()
	limits := contract.DefaultLimits()
	if s.Limits != nil {
		decodeStrictly(t, s.Limits, &limits)
	}
	if err := limits.Validate(); err != nil {
		t.Errorf("limits: %v", err)
	}
	for name, text := range s.Tokens {
		var token struct {
			Identity, Room string
			Grants         []string
			ICE            contract.Policy
			ExpiresIn      int
			Forged         bool
		}
		decodeStrictly(t, text, &token)
		for _, id := range []string{token.Identity, token.Room} {
			if _, err := contract.ParseID(id); err != nil {
				t.Errorf("token %s: %v", name, err)
			}
		}
	}
}

// checkSteps checks that each step does one thing, and that a frame that can't
// be read is refused with the code that the script expects.
func (s *script) checkSteps(t *testing.T) {
	t.Helper()
	for i, step := range s.Steps {
		actions := 0
		for _, does := range []bool{
			step.Hello, step.Send != nil, step.SendText != nil, step.SendBinary != nil, step.Drop,
			step.Expect != nil, step.Never != nil, step.ExpectClose != nil,
		} {
			if does {
				actions++
			}
		}
		if step.Conn == "" || actions != 1 || step.InParts && step.Expect == nil {
			t.Errorf("step %d does %d things on connection %q", i, actions, step.Conn)
		}
		for _, match := range []json.RawMessage{step.Expect, step.Never} {
			var frame struct{ Type string }
			if match != nil && (json.Unmarshal(match, &frame) != nil || serverFrames[frame.Type] == nil || frame.Type == "part") {
				t.Errorf("step %d waits for a frame of type %q", i, frame.Type)
			}
		}
		text := string(step.Send)
		if step.SendText != nil {
			text = *step.SendText
		}
		if step.Send == nil && step.SendText == nil {
			continue
		}
		_, refused, _ := reference(placeholder.ReplaceAllStringFunc(text, stand))
		if refused != "" && !s.expectsError(i+1, step.Conn, refused) && !s.expectsClose(i+1, step.Conn) {
			t.Errorf("step %d is refused with %s, which nobody expects", i, refused)
		}
	}
}

// stand is something of the form that a placeholder will have.
func stand(one string) string {
	if one == "${next}" || strings.HasPrefix(one, "${secret.") {
		return strings.Repeat("A", 43)
	}
	return "x"
}

func (s *script) expectsError(from int, conn string, code contract.Code) bool {
	for _, step := range s.Steps[from:] {
		var frame struct{ Code contract.Code }
		if step.Conn == conn && step.Expect != nil && json.Unmarshal(step.Expect, &frame) == nil && frame.Code == code {
			return true
		}
	}
	return false
}

func (s *script) expectsClose(from int, conn string) bool {
	for _, step := range s.Steps[from:] {
		if step.Conn == conn && step.ExpectClose != nil {
			return true
		}
	}
	return false
}

// checkPlaceholders checks that each stands for something by the time it is used.
func (s *script) checkPlaceholders(t *testing.T) {
	t.Helper()
	conns, joined := map[string]bool{}, map[string]bool{}
	for i, step := range s.Steps {
		conns[step.Conn] = true
		var frame struct{ Type string }
		if step.Expect != nil && json.Unmarshal(step.Expect, &frame) == nil && frame.Type == "joined" {
			joined[step.Conn] = true
		}
		text := string(step.Send) + string(step.Expect) + string(step.Never)
		if step.SendText != nil {
			text += *step.SendText
		}
		for _, one := range placeholder.FindAllString(text, -1) {
			kind, name, _ := strings.Cut(strings.Trim(one, "${}"), ".")
			known := false
			switch kind {
			case "any", "absent":
				known = name == "" && (step.Expect != nil || step.Never != nil)
			case "next":
				known = name == "" && step.Send != nil
			case "secret":
				known = name == "nobody" || conns[name]
			case "token":
				known = s.Tokens[name] != nil
			case "peer", "cursor":
				known = joined[name]
			}
			if !known {
				t.Errorf("step %d: nothing is known of %s", i, one)
			}
		}
	}
}

func decodeStrictly(t *testing.T, text []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}
