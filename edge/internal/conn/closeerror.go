package conn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// Close codes that only this package needs (RFC 6455 section 7.4.1).
const (
	closeProtocol contract.CloseCode = 1002
	closeNoCode   contract.CloseCode = 1005 // the peer's close frame had none
	closeAbnormal contract.CloseCode = 1006 // no close frame came
)

// ErrSlow is returned by Send when the peer doesn't read fast enough: the text
// was not queued. The caller should Close with contract.CloseSlowConsumer.
var ErrSlow = errors.New("slow consumer: the outbound queue is full")

// ErrClosed is returned for a connection that is closed, or being closed.
var ErrClosed = errors.New("connection is closed")

// CloseError says how a connection ended.
type CloseError struct {
	Code   contract.CloseCode // 1005: the peer's close had no code; 1006: there was no close
	Reason string             // for a log; of a remote close it is the peer's own text
	Remote bool               // the peer ended it
	Err    error              // of the socket, may be nil
}

// Error implements error.
func (e *CloseError) Error() string {
	side := "closed here"
	if e.Remote {
		side = "closed by the peer"
	}
	if e.Err != nil {
		return fmt.Sprintf("%s: %d: %v", side, e.Code, e.Err)
	}
	return fmt.Sprintf("%s: %d: %q", side, e.Code, e.Reason)
}

// Unwrap returns the socket's error, if there was one.
func (e *CloseError) Unwrap() error { return e.Err }

// closePayload is the payload of a close frame.
func closePayload(code contract.CloseCode, reason string) []byte {
	const most = ws.MaxControlFramePayloadSize - 2
	if len(reason) > most {
		reason = reason[:most]
		for !utf8.ValidString(reason) {
			reason = reason[:len(reason)-1]
		}
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// frame is the payload of the close frame that ends the connection so: what we
// say, or our answer to what the peer said, which repeats its code.
func (e *CloseError) frame() []byte {
	switch {
	case e.Code == closeNoCode:
		return nil
	case e.Remote:
		return closePayload(e.Code, "")
	default:
		return closePayload(e.Code, e.Reason)
	}
}

// readClose judges the payload of the peer's close frame.
func readClose(payload []byte) *CloseError {
	if len(payload) == 0 {
		return &CloseError{Code: closeNoCode, Remote: true}
	}
	if len(payload) == 1 {
		return &CloseError{Code: closeProtocol, Reason: "a close frame of one byte"}
	}
	code := contract.CloseCode(binary.BigEndian.Uint16(payload))
	if !mayReceive(code) {
		return &CloseError{Code: closeProtocol, Reason: "a close code that must not be sent"}
	}
	if !utf8.Valid(payload[2:]) {
		return &CloseError{Code: contract.CloseInvalidUTF8, Reason: "a close reason that is not UTF-8"}
	}
	return &CloseError{Code: code, Reason: string(payload[2:]), Remote: true}
}

// mayReceive reports whether a peer may send the code: those of RFC 6455
// section 7.4 and of the registry it makes, but not 1004 to 1006 and 1015,
// which never stand in a frame.
func mayReceive(code contract.CloseCode) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	default:
		return code >= 3000 && code <= 4999
	}
}
