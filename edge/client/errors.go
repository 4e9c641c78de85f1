package client

import (
	"errors"
	"fmt"

	"github.com/parley-rtc/parley/services/contract"
)

var (
	// ErrClosed says that [Client.Close] was called.
	ErrClosed = errors.New("client is closed")

	// ErrOutboxFull is returned by [Room.Post] only; the other sending methods
	// wait for an acknowledgement instead. See [WithOutbox].
	ErrOutboxFull = errors.New("outbox is full: wait until frames are acknowledged")

	// ErrUnknownOutcome says that a frame was written but its acknowledgement
	// can't come any more, so it may or may not have been delivered. The client
	// doesn't send it again.
	ErrUnknownOutcome = errors.New("frame has an unknown outcome: it was sent and its acknowledgement is lost")

	// ErrNotSent says that the session was lost before the frame was written:
	// it was not delivered and may be sent again.
	ErrNotSent = errors.New("frame was not sent: the session was lost before")

	// ErrRejoining is returned by [Room.Post] while the room is being joined
	// again after a lost session; the other sending methods wait for that.
	ErrRejoining = errors.New("room is being joined again: wait for the event Rejoined")

	// ErrLeft says that this membership has ended.
	ErrLeft = errors.New("not in the room any more")

	// ErrEventsUnread ends a call that waits while its application leaves so
	// many events unread that the client can't go on reading: take events in
	// another goroutine than the one that sends, or more often.
	ErrEventsUnread = errors.New("too many unread events: read them while the call waits")
)

// errSessionLost sends a join back to its beginning: the edge knows nothing of
// it any more.
var errSessionLost = errors.New("session was lost")

// RefusedError says that the edge refused a frame. It unwraps to Refusal, so that
// errors.Is(err, contract.CodePeerGone) and errors.As with a *[contract.Error]
// work. A code that this client doesn't know is to be judged by Status and
// Retryable.
type RefusedError struct {
	Refusal   *contract.Error
	Status    int           // HTTP-like
	Retryable bool          // the same can succeed later, as a new frame
	Rule      contract.Rule // of the candidate filter, if it refused
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Refusal.Error() }

// Unwrap returns Refusal.
func (e *RefusedError) Unwrap() error { return e.Refusal }

// ClosedError says that the server ended the session for good.
type ClosedError struct {
	Code   contract.CloseCode
	Reason string
	Cause  *contract.Error // the last error about the connection itself, or nil
}

// Error implements error.
func (e *ClosedError) Error() string {
	text := fmt.Sprintf("closed by the server with code %d", e.Code)
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap makes errors.Is(err, contract.CodeBadToken) work.
func (e *ClosedError) Unwrap() error {
	if e.Cause == nil {
		return nil
	}
	return e.Cause
}

// HandshakeError says that a server answered the WebSocket request with
// another status than 101. Body is the beginning of its text.
type HandshakeError struct {
	Status int
	Body   string
}

// Error implements error.
func (e *HandshakeError) Error() string {
	if e.Body == "" {
		return fmt.Sprintf("server answered HTTP %d instead of a WebSocket", e.Status)
	}
	return fmt.Sprintf("server answered HTTP %d instead of a WebSocket: %s", e.Status, e.Body)
}
