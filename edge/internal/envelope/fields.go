package envelope

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
)

// fields gives the members of one object the types that a frame has them in.
// The first fault of all objects of a frame is kept in shared; a method that
// finds one returns the zero value.
type fields struct {
	in      []byte
	path    string // the member that the object is; empty: it is the frame
	index   int    // which value of that member it is; -1: all of it
	members []member
	shared  *shared
}

// sub scans the object v, which is named by path, as fields of their own.
func (f *fields) sub(v value, path string, index int) fields {
	s := scanner{in: f.in[v.start:v.end], again: true}
	first := len(f.shared.nested)
	s.object(&f.shared.nested) // it can't fail: the whole frame has passed
	return fields{in: s.in, path: path, index: index, members: f.shared.nested[first:], shared: f.shared}
}

// find is the value of a member; absent if there is none.
func (f *fields) find(name string) value {
	for i := range f.members {
		if string(f.members[i].key) == name {
			return f.members[i].value
		}
	}
	return value{}
}

// refuse notes the first fault, in the words `<field>: <what it must be>`.
func (f *fields) refuse(code contract.Code, name, expect string) {
	if f.shared.err != nil {
		return
	}
	switch {
	case f.index >= 0:
		name = fmt.Sprintf("%s[%d].%s", f.path, f.index, name)
	case f.path != "":
		name = f.path + "." + name
	}
	f.shared.err = contract.Errorf(code, "%s: %s", name, expect)
}

// bytes is what the text v means. It borrows the frame, or the memory that is
// shared.
func (f *fields) bytes(v value) []byte {
	inside := f.in[v.start+1 : v.end-1]
	if v.escapes == noEscapes {
		return inside
	}
	first := len(f.shared.memory)
	f.shared.memory = appendUnescaped(f.shared.memory, inside)
	return f.shared.memory[first:]
}

// quoted is the text v as appendQuoted writes it, borrowed like bytes.
func (f *fields) quoted(v value) []byte {
	if v.escapes != otherEscapes {
		return f.in[v.start:v.end]
	}
	meant := f.bytes(v)
	first := len(f.shared.memory)
	f.shared.memory = appendQuoted(f.shared.memory, meant)
	return f.shared.memory[first:]
}

// text is a required string, empty if there is none; like all texts here it is
// borrowed as bytes says.
func (f *fields) text(name string) []byte {
	v := f.find(name)
	if v.kind != kindText {
		f.refuse(contract.CodeBadFrame, name, "a string is required")
		return nil
	}
	return f.bytes(v)
}

// optionalText is a string that may be absent, but not null.
func (f *fields) optionalText(name string) []byte {
	if v := f.find(name); v.kind == kindAbsent {
		return nil
	}
	return f.text(name)
}

// nullableText is where a string stands that may be absent or null.
func (f *fields) nullableText(name string) (v value, ok bool) {
	v = f.find(name)
	switch v.kind {
	case kindText:
		return v, true
	case kindAbsent, kindNull:
	default:
		f.refuse(contract.CodeBadFrame, name, "a string or null is required")
	}
	return v, false
}

// label is a required string of 1 to contract.MaxNameField bytes.
func (f *fields) label(name string) []byte {
	s := f.text(name)
	switch {
	case f.shared.err != nil:
		return nil
	case len(s) == 0:
		f.refuse(contract.CodeBadFrame, name, "a string that isn't empty is required; leave the field out to say nothing")
	case len(s) > contract.MaxNameField:
		f.refuse(contract.CodeTooLarge, name, fmt.Sprintf("%d bytes, at most %d are allowed", len(s), contract.MaxNameField))
	}
	return s
}

// optionalLabel is a label that may be absent.
func (f *fields) optionalLabel(name string) []byte {
	if v := f.find(name); v.kind == kindAbsent {
		return nil
	}
	return f.label(name)
}

// room is the required name of a room, as it came.
func (f *fields) room() []byte {
	s := f.text("room")
	if f.shared.err == nil {
		f.checkID("room", s)
	}
	return s
}

// checkID refuses what can't be the name of a room.
func (f *fields) checkID(name string, s []byte) {
	if err := contract.CheckID(s); err != nil {
		f.refuse(contract.CodeBadID, name, err.Error())
	}
}

// peer is the id of a peer, empty if it may be absent and is.
func (f *fields) peer(name string, required bool) []byte {
	if !required && f.find(name).kind == kindAbsent {
		return nil
	}
	s := f.text(name)
	if f.shared.err == nil && !contract.IsToken(s) {
		f.refuse(contract.CodeBadID, name, "not the id of a peer; send it back as the roster has it")
	}
	return s
}

// integer is a required whole number.
func (f *fields) integer(name string, least, most uint64) uint64 {
	n, ok := f.digits(f.find(name))
	if !ok || n < least || n > most {
		f.refuse(contract.CodeBadFrame, name, fmt.Sprintf("a whole number from %d to %d is required", least, most))
		return 0
	}
	return n
}

// optionalInteger is an integer that may be absent.
func (f *fields) optionalInteger(name string, least, most uint64) uint64 {
	if f.find(name).kind == kindAbsent {
		return 0
	}
	return f.integer(name, least, most)
}

// digits reads a number that is written as plain digits.
func (f *fields) digits(v value) (n uint64, ok bool) {
	if v.kind != kindNumber {
		return 0, false
	}
	n, err := strconv.ParseUint(string(f.in[v.start:v.end]), 10, 64)
	return n, err == nil
}

// flag is a boolean that may be absent.
func (f *fields) flag(name string) bool {
	v := f.find(name)
	switch v.kind {
	case kindAbsent:
		return false
	case kindBoolean:
		return f.in[v.start] == 't'
	default:
		f.refuse(contract.CodeBadFrame, name, "true or false is required")
		return false
	}
}

// nested is an object, and whether it is there.
func (f *fields) nested(name string, required bool) (inner fields, ok bool) {
	v := f.find(name)
	if v.kind == kindAbsent && !required {
		return fields{}, false
	}
	if v.kind != kindObject {
		f.refuse(contract.CodeBadFrame, name, "an object is required")
		return fields{}, false
	}
	return f.sub(v, name, -1), true
}

// list calls each for every value of a list that may be absent, and returns
// their number.
func (f *fields) list(name string, each func(i int, v value)) int {
	v := f.find(name)
	if v.kind == kindAbsent {
		return 0
	}
	if v.kind != kindArray {
		f.refuse(contract.CodeBadFrame, name, "a list is required")
		return 0
	}
	n := 0
	s := scanner{in: f.in[:v.end], at: v.start, again: true}
	s.array(func(v value) { // it can't fail: the whole frame has passed
		each(n, v)
		n++
	})
	return n
}

// raw is the JSON text of a value that may be anything, borrowed.
func (f *fields) raw(name string) []byte {
	v := f.find(name)
	if v.kind == kindAbsent {
		f.refuse(contract.CodeBadFrame, name, "a JSON value is required")
		return nil
	}
	return f.in[v.start:v.end]
}

// json is a copy of raw.
func (f *fields) json(name string) json.RawMessage { return bytes.Clone(f.raw(name)) }

// optionalJSON is nil if there is none.
func (f *fields) optionalJSON(name string) json.RawMessage {
	if f.find(name).kind == kindAbsent {
		return nil
	}
	return f.json(name)
}

// is256 reports whether s is the base64url of 32 bytes, without padding.
func is256(s string) bool {
	var raw [33]byte
	if len(s) != base64.RawURLEncoding.EncodedLen(32) {
		return false
	}
	n, err := base64.RawURLEncoding.Strict().Decode(raw[:], []byte(s))
	return err == nil && n == 32
}
