package candidatefilter

import (
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
	data     []byte // borrows the entry that came, or the workspace if it is anew
	anew     bool   // it isn't the entry that came
	signals  int    // in data
	verdicts []contract.Verdict
}

// entry sanitises one entry, signal by signal. With a fault nothing of it may go
// on: no edge of ours writes such an entry. What is returned borrows data and w,
// so it ends with the next use of either.
func (n *sanitiser) entry(w *workspace, data []byte) (sanitised, *fault) {
	if len(data) > contract.MaxEntryBytes {
		return sanitised{}, &fault{reasonTooLarge, contract.CodeTooLarge,
			fmt.Sprintf("an entry of %d bytes, at most %d are allowed", len(data), contract.MaxEntryBytes)}
	}
	items, err := contract.ReadEntry(data)
	if err != nil {
		return sanitised{}, malformed(err)
	}
	_, begins := items.Bounds()
	e := sanitised{data: data[:begins]}
	for came := 0; ; came++ {
		more, wrong := nextSignal(&items, &w.signal, came)
		if wrong != nil {
			return sanitised{}, wrong
		}
		if !more {
			break
		}
		start, end := items.Bounds()
		n.add(w, &e, data, start, end)
	}
	for i := range e.verdicts {
		e.data = contract.AppendVerdict(e.data, &e.verdicts[i])
	}
	if e.anew {
		w.entry = e.data
	}
	if len(e.data) > maxStoredBytes || !answerFits(e.verdicts) {
		return sanitised{}, &fault{reasonTooLarge, contract.CodeTooLarge,
			fmt.Sprintf("with its verdicts it would have %d bytes, at most %d can be stored or told; send fewer signals at once", len(e.data), maxStoredBytes)}
	}
	return e, nil
}

// rewrite makes of an entry that was the one that came, so far, another one.
func (e *sanitised) rewrite(w *workspace) {
	if !e.anew {
		e.data = append(w.entry[:0], e.data...)
		e.anew = true
	}
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

// nextSignal reads the next signal of an entry, of which some have come before.
// An entry must hold nothing else: elsewhere a reader skips what a newer process
// has added, but what skips the filter would be in the log without having been
// judged, or would be lost though it is acknowledged.
func nextSignal(items *contract.EntryReader, s *contract.Signal, came int) (more bool, wrong *fault) {
	more, err := items.Next()
	switch {
	case err != nil:
		return false, malformed(err)
	case !more && came == 0:
		return false, &fault{reasonMalformed, contract.CodeBadFrame, "an entry without signals"}
	case !more && !items.Exact():
		return false, &fault{reasonUnknown, contract.CodeBadFrame,
			"it holds something that this filter doesn't know; filters must be upgraded before edges"}
	case !more:
		return false, nil
	case !items.IsSignal():
		return false, &fault{reasonVerdict, contract.CodeForbidden, "only a filter writes verdicts"}
	case came == contract.MaxEntrySignals:
		return false, &fault{reasonTooLarge, contract.CodeTooLarge,
			fmt.Sprintf("more than %d signals in one entry", contract.MaxEntrySignals)}
	}
	if err := items.Signal(s); err != nil {
		return false, malformed(err)
	}
	// A receiver builds keys and subjects from the names.
	if !contract.IsToken(s.App) || !contract.IsToken(s.Room) || !contract.IsToken(s.From) ||
		len(s.To) > 0 && !contract.IsToken(s.To) {
		return false, &fault{reasonName, contract.CodeBadID, "app, room, from and to of a signal must be names as they stand in keys"}
	}
	return true, nil
}

func malformed(err error) *fault {
	return &fault{reasonMalformed, contract.CodeBadFrame, err.Error()}
}
