package contract

import "fmt"

// Code names an error on every wire of Parley. Its text never changes. Each
// has a section in docs/errors.md with cause and cure.
type Code string

// The codes. The comment says who is at fault and when.
const (
	CodeBadJSON        Code = "bad_json"            // not JSON, duplicate keys, nested too deep
	CodeBadFrame       Code = "bad_frame"           // no type, a field is missing or of the wrong type
	CodeUnknownType    Code = "unknown_type"        // a type that this protocol version doesn't have
	CodeBadID          Code = "bad_id"              // an app, room, identity or peer that can't be an id
	CodeBadPart        Code = "bad_part"            // parts that don't make a frame
	CodeHelloRequired  Code = "hello_required"      // the first frame must be hello, and only the first
	CodeSeqHole        Code = "seq_hole"            // a seq was left out
	CodeBadToken       Code = "bad_token"           // a token that doesn't verify
	CodeTokenExpired   Code = "token_expired"       // a token that did verify, once
	CodeBadAPIKey      Code = "bad_api_key"         // the API key of an app's backend is missing or unknown
	CodeForbidden      Code = "forbidden"           // the grants don't allow it
	CodeRoomNotFound   Code = "room_not_found"      // the Server API: nobody is in a room of that name
	CodeNotInRoom      Code = "not_in_room"         // a frame for a room that this connection hasn't joined
	CodeAlreadyJoined  Code = "already_joined"      // a second join of one room by one connection
	CodePeerGone       Code = "peer_gone"           // `to` isn't in the room (any more)
	CodeBadDescription Code = "bad_description"     // an SDP that doesn't parse (RFC 8866)
	CodeBadCandidate   Code = "bad_candidate"       // a candidate that doesn't parse (RFC 8839)
	CodeGlare          Code = "glare"               // an offer that collides with one that must win
	CodeTooLarge       Code = "too_large"           // over a size limit
	CodeRateLimited    Code = "rate_limited"        // over a rate limit
	CodeTooManyRooms   Code = "too_many_rooms"      // over the rooms of one connection
	CodeTooManyCands   Code = "too_many_candidates" // over the candidates of one negotiation
	CodeRoomFull       Code = "room_full"           // capacity or document size
	CodeRoomLocked     Code = "room_locked"         // a moderator locked it
	CodeIdentityTaken  Code = "identity_taken"      // duplicates are rejected here
	CodeUnavailable    Code = "unavailable"         // a part that is needed doesn't answer or is full
	CodeInternal       Code = "internal"            // our fault; logged where it happened
)

type codeInfo struct {
	status    int
	retryable bool
}

var codes = map[Code]codeInfo{
	CodeBadJSON:        {400, false},
	CodeBadFrame:       {400, false},
	CodeUnknownType:    {400, false},
	CodeBadID:          {400, false},
	CodeBadPart:        {400, false},
	CodeHelloRequired:  {400, false},
	CodeSeqHole:        {409, false},
	CodeBadToken:       {401, false},
	CodeTokenExpired:   {401, false},
	CodeBadAPIKey:      {401, false},
	CodeForbidden:      {403, false},
	CodeRoomNotFound:   {404, false},
	CodeNotInRoom:      {404, false},
	CodeAlreadyJoined:  {409, false},
	CodePeerGone:       {410, false},
	CodeBadDescription: {422, false},
	CodeBadCandidate:   {422, false},
	CodeGlare:          {409, true},
	CodeTooLarge:       {413, false},
	CodeRateLimited:    {429, true},
	CodeTooManyRooms:   {429, false},
	CodeTooManyCands:   {429, false},
	CodeRoomFull:       {409, true},
	CodeRoomLocked:     {423, true},
	CodeIdentityTaken:  {409, false},
	CodeUnavailable:    {503, true},
	CodeInternal:       {500, true},
}

// Codes returns every code, in no order.
func Codes() []Code {
	all := make([]Code, 0, len(codes))
	for c := range codes {
		all = append(all, c)
	}
	return all
}

// Status is the HTTP-like number of a code; an unknown code is a 500.
func (c Code) Status() int {
	if info, ok := codes[c]; ok {
		return info.status
	}
	return 500
}

// Retryable reports whether the same request, as a new frame, can succeed.
func (c Code) Retryable() bool { return codes[c].retryable || codes[c].status == 0 }

// Error makes a code an error, so that errors.Is(err, CodeRoomFull) works
// across the wire.
func (c Code) Error() string { return string(c) }

// Error is an error with a code and a text that is safe to show to anyone: it
// says what to do and never repeats raw input.
type Error struct {
	Code       Code
	Message    string
	RetryAfter int64 // milliseconds, 0 if unknown
}

// Errorf makes an Error. The text must be safe to show.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Unwrap makes errors.Is(err, code) work.
func (e *Error) Unwrap() error { return e.Code }

// CloseCode is a WebSocket close code. Clients come back, with jitter, after
// 1001, 1006, 1011, 1012, 1013 and 4000-4499; after the others they don't.
type CloseCode uint16

// The close codes that Parley sends (RFC 6455 section 7.4 and its own).
const (
	CloseNormal       CloseCode = 1000 // bye
	CloseGoingAway    CloseCode = 1001 // the edge shuts down
	CloseUnsupported  CloseCode = 1003 // binary frame, or text that is never JSON
	CloseInvalidUTF8  CloseCode = 1007
	CloseTooBig       CloseCode = 1009
	CloseInternal     CloseCode = 1011
	CloseRestart      CloseCode = 1012 // drain
	CloseTryLater     CloseCode = 1013 // a commit stayed unknown, or overload
	CloseTooLate      CloseCode = 4408 // no hello, or no room, in time
	CloseRate         CloseCode = 4429 // far over the rate limits
	CloseSlowConsumer CloseCode = 4440 // the outbound queue is full
	CloseBadToken     CloseCode = 4501
	CloseForbidden    CloseCode = 4503
	CloseReplaced     CloseCode = 4509 // by a newer connection of this session
	CloseKicked       CloseCode = 4510 // out of its only room
)

// ComeBack reports whether a client must reconnect after this code.
func (c CloseCode) ComeBack() bool {
	switch {
	case c == CloseGoingAway, c == 1006, c == CloseInternal, c == CloseRestart, c == CloseTryLater:
		return true
	default:
		return c >= 4000 && c < 4500
	}
}
