//go:build linux

package crowd

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
)

// padding makes a signal about as long as a candidate is.
var padding = strings.Repeat("0123456789", 12)

// content is what a message of the crowd says.
type content struct {
	Slot    ledger.Slot   `json:"slot"`
	N       ledger.Number `json:"n"`
	All     bool          `json:"all,omitempty"`
	Padding string        `json:"padding"`
}

func message(to contract.Token, slot ledger.Slot, n ledger.Number) client.Signal {
	return client.MessageTo(to, content{Slot: slot, N: n, Padding: padding})
}

func broadcast(slot ledger.Slot, n ledger.Number) client.Signal {
	return client.ToAll(content{Slot: slot, N: n, All: true, Padding: padding})
}

// candidate says the same in the name of its negotiation, since the filter writes
// candidates anew.
func candidate(to contract.Token, slot ledger.Slot, n ledger.Number) client.Signal {
	name := strconv.Itoa(int(slot)) + "." + strconv.FormatUint(uint64(n), 10)
	mid := "0"
	return client.CandidatesTo(to, name, contract.ICECandidate{
		Candidate: "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0 ufrag chao network-id 1", SDPMid: &mid,
	})
}

// readContent reads what an event says; false: it is none of the crowd's signals.
func readContent(e client.Event) (from contract.Token, c content, ok bool) {
	switch e := e.(type) {
	case client.Message:
		return e.From, c, json.Unmarshal(e.Data, &c) == nil
	case client.Candidate:
		slot, n, found := strings.Cut(e.Negotiation, ".")
		s, err := strconv.Atoi(slot)
		m, err2 := strconv.ParseUint(n, 10, 32)
		c.Slot, c.N = ledger.Slot(s), ledger.Number(m)
		return e.From, c, found && err == nil && err2 == nil
	default:
		return from, c, false
	}
}
