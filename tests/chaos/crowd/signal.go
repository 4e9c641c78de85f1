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

// negotiation is how offers and candidates say the same, since the filter writes
// what is in them anew.
func negotiation(slot ledger.Slot, n ledger.Number) string {
	return strconv.Itoa(int(slot)) + "." + strconv.FormatUint(uint64(n), 10)
}

// description is the least that a browser offers: a data channel.
const description = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:chao\r\na=ice-pwd:chaoschaoschaoschaosch\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n"

func offer(to contract.Token, slot ledger.Slot, n ledger.Number) client.Signal {
	return client.OfferTo(to, negotiation(slot, n), contract.SessionDescription{Type: contract.TypeOffer, SDP: description})
}

func candidate(to contract.Token, slot ledger.Slot, n ledger.Number) client.Signal {
	mid := "0"
	return client.CandidatesTo(to, negotiation(slot, n), contract.ICECandidate{
		Candidate: "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0 ufrag chao network-id 1", SDPMid: &mid,
	})
}

// readContent reads what an event says; false: it is none of the crowd's signals.
func readContent(e client.Event) (from contract.Token, c content, ok bool) {
	switch e := e.(type) {
	case client.Message:
		return e.From, c, json.Unmarshal(e.Data, &c) == nil
	case client.Offer:
		c, ok = readNegotiation(e.Negotiation)
		return e.From, c, ok
	case client.Candidate:
		c, ok = readNegotiation(e.Negotiation)
		return e.From, c, ok
	default:
		return from, c, false
	}
}

func readNegotiation(text string) (c content, ok bool) {
	slot, number, found := strings.Cut(text, ".")
	s, err := strconv.Atoi(slot)
	n, fault := strconv.ParseUint(number, 10, 32)
	return content{Slot: ledger.Slot(s), N: ledger.Number(n)}, found && err == nil && fault == nil
}
