package contract_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"

	"github.com/parley-rtc/parley/services/contract"
)

// The reference reads a client frame as docs/protocol.md has it, by a table and
// without a thought for speed. It exists to judge the golden vectors, so that a
// mistake in them isn't found only when an implementation fails.

// rule judges one field. It returns "" or the code of the refusal.
type rule func(value any) contract.Code

// clientField is one field that the protocol names.
type clientField struct {
	name     string
	required bool
	judge    rule
}

func must(name string, judge rule) clientField { return clientField{name, true, judge} }
func may(name string, judge rule) clientField  { return clientField{name, false, judge} }

// clientFrame is one type of frame: an empty value of its struct, its fields,
// and what they must be together.
type clientFrame struct {
	body    any
	counted bool // it has a seq
	fields  []clientField
	whole   func(frame map[string]any) contract.Code
}

var clientFrames = map[string]clientFrame{
	"hello": {contract.Hello{}, false, []clientField{
		may("resume", list(hash, 0, 2)), must("next", hash), may("attempt", counter(0)), may("acked", counter(0)),
		may("rooms", rooms), may("client", object(may("name", named), may("version", named))),
		may("features", list(text, 0, 32)), may("traceparent", anything),
	}, nil},
	"join": {contract.Join{}, true, []clientField{
		must("room", id), must("token", roomToken), may("presence", anything), may("capabilities", object(may("rollback", boolean))),
		may("traceparent", anything),
	}, presenceFits("presence")},
	"offer":  {contract.Describe{}, true, describe("offer"), nil},
	"answer": {contract.Describe{}, true, describe("answer"), nil},
	"candidate": {contract.Trickle{}, true, []clientField{
		must("room", id), must("to", peerToken), must("negotiation", named), may("candidate", candidate),
		may("candidates", list(candidate, 1, 1000)), may("traceparent", anything),
	}, oneCandidateField},
	"message": {contract.Message{}, true, []clientField{
		must("room", id), may("to", peerToken), may("id", named), may("re", named), must("data", anything), may("traceparent", anything),
	}, nil},
	"presence": {contract.SetPresence{}, true, []clientField{
		must("room", id), must("data", anything), may("traceparent", anything),
	}, presenceFits("data")},
	"moderate": {contract.Moderate{}, true, []clientField{
		must("room", id), must("action", oneOf("kick", "lock", "unlock", "close")), may("peer", peerToken), may("traceparent", anything),
	}, kickNamesPeer},
	"refresh": {contract.Refresh{}, true, []clientField{must("room", id), must("token", roomToken), may("traceparent", anything)}, nil},
	"leave":   {contract.Leave{}, true, []clientField{must("room", id), may("traceparent", anything)}, nil},
	"ping":    {contract.Ping{}, false, []clientField{may("t", anything)}, nil},
	"pong":    {contract.Ping{}, false, []clientField{may("t", anything)}, nil},
	"bye":     {contract.Bye{}, false, nil, nil},
	"part": {contract.Part{}, false, []clientField{
		must("id", partID), must("index", counter(0)), must("of", counter(1)), must("chunk", text),
	}, nil},
}

// reference returns the canonical frame, or the refusal and the seq it used.
func reference(input string) (frame any, refused contract.Code, seq uint64) {
	value, err := strict(input)
	members, isObject := value.(map[string]any)
	switch {
	case err != nil && isObject && counter(1)(members["seq"]) == "":
		return nil, contract.CodeBadJSON, number(members["seq"])
	case err != nil:
		return nil, contract.CodeBadJSON, 0
	case !isObject:
		return nil, contract.CodeBadFrame, 0
	}
	name, isText := members["type"].(string)
	def, known := clientFrames[name]
	if isText && known && !def.counted {
		return read(members, def), judgeFrame(members, def), 0
	}
	bad := counter(1)(members["seq"])
	if bad == "" {
		seq = number(members["seq"])
	}
	switch {
	case !isText:
		return nil, contract.CodeBadFrame, seq
	case !known:
		return nil, contract.CodeUnknownType, seq
	case bad != "":
		return nil, bad, 0
	}
	return read(members, def), judgeFrame(members, def), seq
}

func judgeFrame(members map[string]any, def clientFrame) contract.Code {
	if code := object(def.fields...)(members); code != "" {
		return code
	}
	if def.whole != nil {
		return def.whole(members)
	}
	return ""
}

// read puts the known members into the frame's struct and writes that again.
func read(members map[string]any, def clientFrame) any {
	known := map[string]any{"type": members["type"]}
	if def.counted {
		known["seq"] = members["seq"]
	}
	for _, f := range def.fields {
		if value, ok := members[f.name]; ok && (f.name != "traceparent" || wellFormedTrace(value)) {
			known[f.name] = value
		}
	}
	body := reflect.New(reflect.TypeOf(def.body))
	if json.Unmarshal(marshal(known), body.Interface()) != nil {
		return nil
	}
	return plain(marshal(body.Interface()))
}

// strict parses one JSON text with unique keys and a bounded depth. Of an
// object that is refused it returns the members before the fault.
func strict(input string) (any, error) {
	if !json.Valid([]byte(input)) {
		return nil, errors.New("not JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(input)))
	decoder.UseNumber()
	return strictValue(decoder, 0)
}

func strictValue(decoder *json.Decoder, depth int) (any, error) {
	next, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	delim, open := next.(json.Delim)
	if !open {
		return next, nil
	}
	if depth++; depth > contract.MaxJSONDepth {
		return nil, errors.New("too deep")
	}
	members, elements := map[string]any{}, []any{}
	for decoder.More() {
		var key string
		if delim == '{' {
			name, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			key, _ = name.(string)
			if _, twice := members[key]; twice {
				return members, errors.New("duplicate key")
			}
		}
		value, err := strictValue(decoder, depth)
		if err != nil {
			return members, err
		}
		members[key] = value
		elements = append(elements, value)
	}
	if _, err := decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if delim == '{' {
		return members, nil
	}
	return elements, nil
}

func marshal(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(out.Bytes())
}

// plain is a JSON text as a value whose numbers keep their text.
func plain(input []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(err)
	}
	return value
}
