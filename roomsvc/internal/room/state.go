package room

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/parley-rtc/parley/services/contract"
)

// State is one room at one revision. It is immutable and may be shared.
type State struct {
	doc contract.RoomDocument
}

// New is a room that nobody has been in.
func New(app, room contract.Token) State {
	return State{contract.RoomDocument{
		Format: contract.DocumentFormat, App: app, Room: room, Members: []contract.Member{},
	}}
}

// Decode reads a stored document, which must be that of the named room.
func Decode(app, room contract.Token, value []byte) (State, error) {
	var doc contract.RoomDocument
	if err := json.Unmarshal(value, &doc); err != nil {
		return State{}, fmt.Errorf("decode room document: %w", err)
	}
	if doc.Format != contract.DocumentFormat {
		return State{}, fmt.Errorf("decode room document: format %d, this roomsvc writes format %d: update it",
			doc.Format, contract.DocumentFormat)
	}
	if doc.App != app || doc.Room != room {
		return State{}, fmt.Errorf("decode room document: it is of room %s.%s, its key says %s.%s",
			doc.App, doc.Room, app, room)
	}
	return State{doc}, nil
}

// Encode is the document as it is stored.
func (s State) Encode() ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(512 + 160*len(s.doc.Members))
	encoder := json.NewEncoder(&buf)
	// The weight of an identity is known only without the six bytes that HTML
	// escaping would make of '<'.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s.doc); err != nil {
		return nil, fmt.Errorf("encode room document: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// Document is the state as everyone else knows it. It must not be changed.
func (s State) Document() *contract.RoomDocument { return &s.doc }

// Revision is the number of events so far.
func (s State) Revision() uint64 { return s.doc.Revision }

// Speaker is the roomsvc that sent the room's last message of a backend, zero if
// nobody knows of one.
func (s State) Speaker() contract.Token {
	var last contract.WriterOp
	name := ""
	for writer, op := range s.doc.Writers {
		if op.Server && op.Revision > last.Revision {
			last, name = op, writer
		}
	}
	speaker, err := contract.ParseToken(name)
	if err != nil {
		return contract.Token{}
	}
	return speaker
}

// Members are those who are in, by rising epoch. The slice must not be changed.
func (s State) Members() []contract.Member { return s.doc.Members }
