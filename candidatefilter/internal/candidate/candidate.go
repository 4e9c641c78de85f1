package candidate

// MaxBytes bounds the text of one candidate. Browsers write less than 300
// bytes; a ufrag of 256 and two full IPv6 addresses still fit.
const MaxBytes = 1024

// Transport is the transport protocol of a candidate.
type Transport uint8

// The transports that a peer connection knows (RFC 8839 section 5.1, RFC 6544).
const (
	UDP Transport = iota + 1
	TCP
)

// Type is the candidate's type (RFC 8445 section 5.1.1).
type Type uint8

// The four types that RFC 8839 names. A type beyond them is refused.
const (
	Host Type = iota + 1
	ServerReflexive
	PeerReflexive
	Relay
)

// TCPType is the role of a TCP candidate (RFC 6544 section 4.5).
type TCPType uint8

// The roles of a TCP candidate.
const (
	Active TCPType = iota + 1
	Passive
	SimultaneousOpen
)

// Candidate is one parsed candidate. Its strings are parts of the parsed text.
// Fill one through [Parse] only: [Candidate.Append] believes its fields.
type Candidate struct {
	Foundation string // 1 to 32 ice-chars
	Component  uint16 // 1 to 256
	Transport  Transport
	Priority   uint32 // 1 to 2^31-1
	Address    Address
	Port       uint16
	Type       Type

	// Related and RelatedPort are the base of a reflexive or relayed candidate
	// (raddr, rport). A host candidate has none; others may lack them.
	Related     Address
	RelatedPort uint16

	// The extensions that are kept. Each is meaningful only if [Candidate.Has]
	// says so.
	TCPType     TCPType
	Generation  uint32
	Ufrag       string // 4 to 256 ice-chars
	NetworkID   uint16
	NetworkCost uint16 // 0 to 999, higher is dearer

	upper bool                      // the transport was in capital letters, as Firefox writes it
	order [extensionCount]Extension // the kept extensions as they came, zero-terminated
}

// Extension names an extension that is kept. Every other one, among them the
// legacy "pwd" that carries the ICE password, ends with the parse.
type Extension uint8

// The closed list of kept extensions, with who writes them.
const (
	ExtTCPType     Extension = iota + 1 // RFC 6544 section 4.5
	ExtGeneration                       // libwebrtc and pion: counts ICE restarts
	ExtUfrag                            // libwebrtc and pion: the description it belongs to
	ExtNetworkID                        // libwebrtc: numbers local interfaces
	ExtNetworkCost                      // libwebrtc: kind of network

	extensionCount = int(ExtNetworkCost)
)

var extensionNames = [...]string{
	ExtTCPType:     "tcptype",
	ExtGeneration:  "generation",
	ExtUfrag:       "ufrag",
	ExtNetworkID:   "network-id",
	ExtNetworkCost: "network-cost",
}

// Has reports whether the candidate carried the extension.
func (c *Candidate) Has(e Extension) bool {
	for _, o := range c.order {
		if o == e {
			return true
		}
	}
	return false
}

// record remembers that e came next. It reports false if e came before: two
// values for one name would be read differently by different peers.
func (c *Candidate) record(e Extension) bool {
	for i, o := range c.order {
		if o == e {
			return false
		}
		if o == 0 {
			c.order[i] = e
			return true
		}
	}
	return false
}
