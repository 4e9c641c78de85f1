package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// marshal is a frame's text. It panics for a value that has none, which only a
// mistake in this package can make.
func marshal(frame any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(frame); err != nil {
		panic("edge: internal error: a frame without text: " + err.Error())
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// asError is what a client is told of an error. What has no code is ours: it is
// logged here and told as internal.
func asError(err error) *contract.Error {
	var coded *contract.Error
	switch {
	case errors.As(err, &coded):
		return coded
	case bus.IsTransient(err), errors.Is(err, errQueueFull):
		return contract.Errorf(contract.CodeUnavailable, "a service that is needed does not answer in time; send it again later")
	default:
		slog.Error("a frame failed", "error", err)
		return contract.Errorf(contract.CodeInternal, "something went wrong on our side; it was logged")
	}
}

func isNotFound(err error) bool { return errors.Is(err, bus.ErrNotFound) }
