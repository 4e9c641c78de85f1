package candidate

import "github.com/parley-rtc/parley/services/contract"

// Fault is why a candidate was refused. Its text is fixed for each reason and
// holds nothing of the input, so it may be logged and shown to any client.
type Fault struct {
	Rule   contract.Rule // RuleBadCandidate or RuleHostname
	Reason string
}

// Error returns the reason.
func (f *Fault) Error() string { return "candidate: " + f.Reason }

func bad(reason string) *Fault { return &Fault{Rule: contract.RuleBadCandidate, Reason: reason} }

// One value a reason, made once: whoever floods the parser must not also feed the
// garbage collector.
var (
	errEmpty      = bad("empty")
	errTooLong    = bad("longer than 1024 bytes")
	errByte       = bad("only printable ASCII is allowed")
	errSpace      = bad("fields are separated by exactly one space, with none at either end")
	errShort      = bad("too few fields, want foundation component transport priority address port typ type")
	errFoundation = bad("foundation must be 1 to 32 letters, digits, + or /")
	errComponent  = bad("component must be a number from 1 to 256")
	errTransport  = bad("transport must be udp or tcp")
	errPriority   = bad("priority must be a number from 1 to 2147483647")
	errPort       = bad("port must be a number from 0 to 65535")
	errType       = bad("type must be typ followed by host, srflx, prflx or relay")
	errAddress    = bad("address must be an IP address without a zone, or a UUID followed by .local")
	errRelated    = bad("raddr and rport come together, right after the type, and never on a host candidate")
	errExtension  = bad("extensions are pairs of a name and a value, each name at most once")
	errTCPType    = bad("tcptype must be active, passive or so, on a tcp candidate and only there")
	errGeneration = bad("generation must be a number under 2^32")
	errUfrag      = bad("ufrag must be 4 to 256 letters, digits, + or /")
	errNetwork    = bad("network-id must be a number up to 65535, network-cost up to 999")

	errHostname = &Fault{Rule: contract.RuleHostname, Reason: "a host name stands where an address must"}
)
