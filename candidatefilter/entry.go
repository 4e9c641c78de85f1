package candidatefilter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/parley-rtc/parley/services/contract"
)

// maxStoredBytes bounds an entry as it is stored, with its verdicts, and the
// answer about it: a message of NATS less its headers. An entry of honest edges stays under 900 KiB even if
// all in it grows as much as it can (related addresses and line ends that are
// added, a verdict for each signal), so only a forged one can be over.
const maxStoredBytes = payloadBytes - 1<<10

// sanitised is an entry as it may go on.
type sanitised struct {
	data     []byte
	signals  int // in data
	verdicts []contract.Verdict
}

// entry sanitises one entry, signal by signal. With a fault nothing of it may go
// on: no edge of ours writes such an entry.
func (n *sanitiser) entry(data []byte) (sanitised, *fault) {
	signals, wrong := readSignals(data)
	if wrong != nil {
		return sanitised{}, wrong
	}
	e := sanitised{data: contract.AppendEntry(make([]byte, 0, len(data)+len(data)/8))}
	for i := range signals {
		n.add(&e, &signals[i])
	}
	for i := range e.verdicts {
		e.data = contract.AppendVerdict(e.data, &e.verdicts[i])
	}
	if len(e.data) > maxStoredBytes || !answerFits(e.verdicts) {
		return sanitised{}, &fault{reasonTooLarge, contract.CodeTooLarge,
			fmt.Sprintf("with its verdicts it would have %d bytes, at most %d can be stored or told; send fewer signals at once", len(e.data), maxStoredBytes)}
	}
	return e, nil
}

// maxVerdictBytes is more than a verdict takes in an answer: the sender's name
// has at most 172 bytes, and the rest of the text is ours.
const maxVerdictBytes = 600

// answerFits reports whether one message can tell the edge all verdicts.
func answerFits(verdicts []contract.Verdict) bool {
	if len(verdicts) <= maxStoredBytes/maxVerdictBytes {
		return true
	}
	text, err := json.Marshal(contract.FilterAnswer{Filter: true, Revision: math.MaxUint64, Verdicts: verdicts})
	return err == nil && len(text) <= maxStoredBytes
}

// readSignals reads all signals of an entry. An entry must hold nothing else:
// elsewhere a reader skips what a newer process has added, but what skips the
// filter would be in the log without having been judged, or would be lost
// though it is acknowledged.
func readSignals(data []byte) ([]contract.Signal, *fault) {
	if len(data) > contract.MaxEntryBytes {
		return nil, &fault{reasonTooLarge, contract.CodeTooLarge,
			fmt.Sprintf("an entry of %d bytes, at most %d are allowed", len(data), contract.MaxEntryBytes)}
	}
	items, err := contract.ReadEntry(data)
	if err != nil {
		return nil, malformed(err)
	}
	var signals []contract.Signal
	understood := contract.AppendEntry(make([]byte, 0, len(data)))
	for {
		more, err := items.Next()
		switch {
		case err != nil:
			return nil, malformed(err)
		case !more && len(signals) == 0:
			return nil, &fault{reasonMalformed, contract.CodeBadFrame, "an entry without signals"}
		case !more && !bytes.Equal(understood, data):
			return nil, &fault{reasonUnknown, contract.CodeBadFrame,
				"it holds something that this filter doesn't know; filters must be upgraded before edges"}
		case !more:
			return signals, nil
		case !items.IsSignal():
			return nil, &fault{reasonVerdict, contract.CodeForbidden, "only a filter writes verdicts"}
		case len(signals) == contract.MaxEntrySignals:
			return nil, &fault{reasonTooLarge, contract.CodeTooLarge,
				fmt.Sprintf("more than %d signals in one entry", contract.MaxEntrySignals)}
		}
		var s contract.Signal
		if err := items.Signal(&s); err != nil {
			return nil, malformed(err)
		}
		if !named(&s) {
			return nil, &fault{reasonName, contract.CodeBadID, "app, room, from and to of a signal must be names as they stand in keys"}
		}
		signals = append(signals, s)
		understood = contract.AppendSignal(understood, &s)
	}
}

// named reports whether every name of a signal is a token, so that a receiver
// may build keys and subjects from it. `to` may be empty.
func named(s *contract.Signal) bool {
	for _, name := range [...][]byte{s.App, s.Room, s.From} {
		if _, err := contract.ParseToken(string(name)); err != nil {
			return false
		}
	}
	_, err := contract.ParseToken(string(s.To))
	return err == nil || len(s.To) == 0
}

func malformed(err error) *fault {
	return &fault{reasonMalformed, contract.CodeBadFrame, err.Error()}
}
