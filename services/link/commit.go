package link

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// gatePoll is how often a closed gate is looked at again.
const gatePoll = 20 * time.Millisecond

// errStoreFailed is JetStream's error code for a message that it couldn't store.
const errStoreFailed = 10077

// logFull are JetStream's texts (under errStoreFailed) for a stream at a limit.
var logFull = map[string]bool{"maximum bytes exceeded": true, "maximum messages exceeded": true}

// run commits entry after entry until the queue is empty.
func (k *link) run() {
	var e entry
	for {
		if !k.ready() {
			k.close(&e)
			return
		}
		if !k.cut(&e) {
			return
		}
		e.cut = time.Now()
		k.lastCut = e.cut
		o := k.commit(&e)
		if o.Err == nil && !k.gateOpen() {
			o = Outcome{Err: ErrClosed}
		}
		if errors.Is(o.Err, ErrUnknown) || errors.Is(o.Err, ErrClosed) {
			// Whoever waits behind must not be committed before what is
			// unknown was sent again.
			k.takeAll(&e, false)
		}
		e.settle(o)
	}
}

// ready waits for the gate and for the gathering time of a busy link. It
// reports false when the set is closed.
func (k *link) ready() bool {
	if wait := k.set.o.Gather - time.Since(k.lastCut); wait > 0 && !k.lastCut.IsZero() {
		if !sleep(k.set.ctx, wait) {
			return false
		}
	}
	return k.gateOpen()
}

func (k *link) gateOpen() bool {
	for k.set.o.Gate != nil && !k.set.o.Gate() {
		if !sleep(k.set.ctx, gatePoll) {
			return false
		}
	}
	return k.set.ctx.Err() == nil
}

// close settles what a closed set leaves behind.
func (k *link) close(e *entry) {
	k.takeAll(e, true)
	e.settle(Outcome{Err: ErrClosed})
}

// commit publishes the entry until its outcome is known or the budget is over.
func (k *link) commit(e *entry) Outcome {
	if len(e.data) == len(contract.AppendEntry(nil)) {
		return Outcome{} // nothing but functions to call
	}
	k.n++
	o := &k.set.o
	msg := nats.NewMsg(k.subject)
	msg.Header[contract.HeaderMessageID] = []string{contract.MessageID(o.From, k.to, k.n)}
	msg.Data = e.data
	ctx, cancel := context.WithTimeout(k.set.ctx, o.Budget)
	defer cancel()
	pause := o.BackoffMin
	for {
		out, err := k.attempt(ctx, msg)
		if err == nil {
			entries.Inc()
			signals.Add(float64(len(e.waiting)))
			commitSeconds.Observe(time.Since(e.cut).Seconds())
			return out
		}
		if errors.Is(err, ErrFull) {
			return Outcome{Err: ErrFull}
		}
		retries.WithLabelValues(reason(err)).Inc()
		if !sleep(ctx, pause+rand.N(pause/4)) {
			break
		}
		pause = min(2*pause, o.BackoffMax)
	}
	if k.set.ctx.Err() != nil {
		return Outcome{Err: ErrClosed}
	}
	slog.Warn("an entry's commit stayed unknown", "to", k.to.String(), "entry", k.n, "signals", len(e.waiting))
	return Outcome{Err: ErrUnknown}
}

// attempt publishes once and reads the answer: JetStream's, or the filter's own.
func (k *link) attempt(ctx context.Context, msg *nats.Msg) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, k.set.o.AttemptTimeout)
	defer cancel()
	reply, err := k.set.nc.RequestMsgWithContext(ctx, msg)
	if err != nil {
		return Outcome{}, err
	}
	out, duplicate, err := parseReply(reply.Data)
	if err != nil || !duplicate {
		return out, err
	}
	data, err := k.set.log.Entry(ctx, k.to, out.Revision)
	if err != nil {
		return Outcome{}, err
	}
	out.Verdicts, err = contract.ReadVerdicts(data)
	return out, err
}

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

func parseReply(data []byte) (o Outcome, duplicate bool, err error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
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
		return "no_responders"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return "timeout"
	case errors.As(err, &refused):
		return "refused"
	case bus.IsTransient(err):
		return "disconnected"
	default:
		return "other"
	}
}

// sleep waits, and reports false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
