package link

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// errStoreFailed is JetStream's error code for a message that it couldn't store.
const errStoreFailed = 10077

// logFull are JetStream's texts (under errStoreFailed) for a stream at a limit.
var logFull = map[string]bool{"maximum bytes exceeded": true, "maximum messages exceeded": true}

// The header by which NATS says that nobody listens on a subject.
const (
	statusHeader       = "Status"
	statusNoResponders = "503"
)

// answer is either reply: JetStream's PubAck or contract.FilterAnswer.
type answer struct {
	Sequence  uint64 `json:"seq"`
	Duplicate bool   `json:"duplicate"`
	Filter    bool   `json:"filter"`
	Revision  uint64 `json:"revision"`

	Verdicts []contract.Verdict `json:"verdicts"`
	Error    *answerError       `json:"error"`
}

type answerError struct {
	Code        json.RawMessage `json:"code"` // a number from JetStream, a text from the filter
	ErrCode     int             `json:"err_code"`
	Description string          `json:"description"`
	Message     string          `json:"message"`
}

func (e *answerError) Error() string { return e.Description + e.Message }

func parseAnswer(m *nats.Msg) (o Outcome, duplicate bool, err error) {
	if len(m.Data) == 0 && m.Header.Get(statusHeader) == statusNoResponders {
		return Outcome{}, false, nats.ErrNoResponders
	}
	var a answer
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return Outcome{}, false, err
	}
	switch {
	case a.Error != nil && a.Error.ErrCode == errStoreFailed && logFull[a.Error.Description]:
		return Outcome{}, false, ErrFull
	case a.Error != nil:
		return Outcome{}, false, a.Error
	case a.Filter:
		return Outcome{Revision: a.Revision, Verdicts: a.Verdicts}, a.Duplicate, nil
	case a.Sequence == 0:
		return Outcome{}, false, errors.New("reply is no acknowledgement")
	default:
		return Outcome{Revision: a.Sequence}, a.Duplicate, nil
	}
}

// reason names why an attempt is repeated; it is a metric's label.
func reason(err error) string {
	var refused *answerError
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return retryNoResponders
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return retryTimeout
	case errors.As(err, &refused):
		return retryRefused
	case bus.IsTransient(err):
		return retryDisconnected
	default:
		return retryOther
	}
}
