package driver

import (
	"bytes"
	"fmt"

	"github.com/parley-rtc/parley/tests/load/dialect"
)

// Fault is one way in which a server broke its word.
type Fault string

// The faults.
const (
	Misaddressed Fault = "misaddressed" // came to somebody else, or with another sender
	Altered      Fault = "altered"      // another content
	Doubled      Fault = "doubled"      // came before
	Swapped      Fault = "swapped"      // came after a later one
	Dropped      Fault = "dropped"      // never came
	Refused      Fault = "refused"      // the server said something else than expected
	Closed       Fault = "closed"       // the connection ended
)

// Ledger checks deliveries: of each sender to its partner every message, once,
// in order, as it was sent.
type Ledger struct {
	sent    []int          // by each sender
	next    []int          // the one that its partner waits for
	missing []map[int]bool // overtaken ones, by sender; nil: none
	open    int            // sent and not delivered
	faults  map[Fault]int
	first   string // the first fault, for people
	scratch []byte
}

// NewLedger is the ledger of so many peers.
func NewLedger(peers int) *Ledger {
	return &Ledger{
		sent: make([]int, peers), next: make([]int, peers), missing: make([]map[int]bool, peers), faults: map[Fault]int{},
	}
}

// Send notes that a peer sends its next message, and returns the number of it.
func (l *Ledger) Send(sender int) int {
	n := l.sent[sender]
	l.sent[sender]++
	l.open++
	return n
}

// Deliver notes that a receiver got the text of a candidate. genuine says
// whether the server named its partner as the sender. It returns the sender's
// number of the message, and false for a delivery that mustn't be counted.
func (l *Ledger) Deliver(receiver int, genuine bool, text []byte) (n int, counts bool) {
	sender, n, ok := dialect.ParseCandidateText(text)
	if !ok {
		l.Fault(Altered, "peer %d got %.200q", receiver, text)
		return 0, false
	}
	if sender != receiver^1 || sender >= len(l.sent) || !genuine {
		l.Fault(Misaddressed, "peer %d got message %d of peer %d", receiver, n, sender)
		return n, false
	}
	l.scratch = dialect.AppendCandidateText(l.scratch[:0], sender, n)
	if !bytes.Equal(l.scratch, text) || n >= l.sent[sender] {
		l.Fault(Altered, "peer %d got %.200q", receiver, text)
		return n, false
	}
	switch next := l.next[sender]; {
	case n == next:
		l.next[sender]++
	case n > next:
		if l.missing[sender] == nil {
			l.missing[sender] = map[int]bool{}
		}
		for ; next < n; next++ {
			l.missing[sender][next] = true
		}
		l.next[sender] = n + 1
	case l.missing[sender][n]:
		delete(l.missing[sender], n)
		l.Fault(Swapped, "message %d of peer %d came after message %d", n, sender, next-1)
	default:
		l.Fault(Doubled, "message %d of peer %d came again", n, sender)
		return n, false
	}
	l.open--
	return n, true
}

// Open is how many messages were sent and not delivered.
func (l *Ledger) Open() int { return l.open }

// Close counts what was never delivered.
func (l *Ledger) Close() {
	for sender, sent := range l.sent {
		lost := sent - l.next[sender] + len(l.missing[sender])
		if lost == 0 {
			continue
		}
		l.Fault(Dropped, "%d messages of peer %d, of %d", lost, sender, sent)
		l.faults[Dropped] += lost - 1
	}
}

// Fault notes a fault.
func (l *Ledger) Fault(fault Fault, format string, args ...any) {
	l.faults[fault]++
	if l.first == "" {
		l.first = string(fault) + ": " + fmt.Sprintf(format, args...)
	}
}

// Err tells of the faults; nil: there were none.
func (l *Ledger) Err() error {
	if len(l.faults) == 0 {
		return nil
	}
	return &FaultError{Faults: l.faults, First: l.first}
}

// FaultError says what a server did wrong.
type FaultError struct {
	Faults map[Fault]int
	First  string
}

func (e *FaultError) Error() string { return fmt.Sprintf("%v, first %s", e.Faults, e.First) }
