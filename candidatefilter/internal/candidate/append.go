package candidate

import "strconv"

var (
	typeNames    = [...]string{Host: "host", ServerReflexive: "srflx", PeerReflexive: "prflx", Relay: "relay"}
	tcpTypeNames = [...]string{Active: "active", Passive: "passive", SimultaneousOpen: "so"}
	lowerNames   = [...]string{UDP: "udp", TCP: "tcp"}
	upperNames   = [...]string{UDP: "UDP", TCP: "TCP"}
)

// Append writes the candidate to dst, "candidate:" in front as in the member of
// RTCIceCandidateInit, and returns the longer slice. IP addresses are in the
// form of RFC 5952; everything else is as it was parsed. [Parse] reads the
// result as the same candidate.
func (c *Candidate) Append(dst []byte) []byte {
	dst = append(dst, "candidate:"...)
	dst = append(dst, c.Foundation...)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, uint64(c.Component), 10)
	dst = append(dst, ' ')
	if c.upper {
		dst = append(dst, upperNames[c.Transport]...)
	} else {
		dst = append(dst, lowerNames[c.Transport]...)
	}
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, uint64(c.Priority), 10)
	dst = append(dst, ' ')
	dst = c.Address.Append(dst)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, uint64(c.Port), 10)
	dst = append(dst, " typ "...)
	dst = append(dst, typeNames[c.Type]...)
	if c.Related.Valid() {
		dst = append(dst, " raddr "...)
		dst = c.Related.Append(dst)
		dst = append(dst, " rport "...)
		dst = strconv.AppendUint(dst, uint64(c.RelatedPort), 10)
	}
	for _, e := range c.order {
		if e == 0 {
			break
		}
		dst = c.appendExtension(dst, e)
	}
	return dst
}

func (c *Candidate) appendExtension(dst []byte, e Extension) []byte {
	dst = append(dst, ' ')
	dst = append(dst, extensionNames[e]...)
	dst = append(dst, ' ')
	switch e {
	case ExtTCPType:
		return append(dst, tcpTypeNames[c.TCPType]...)
	case ExtGeneration:
		return strconv.AppendUint(dst, uint64(c.Generation), 10)
	case ExtUfrag:
		return append(dst, c.Ufrag...)
	case ExtNetworkID:
		return strconv.AppendUint(dst, uint64(c.NetworkID), 10)
	default:
		return strconv.AppendUint(dst, uint64(c.NetworkCost), 10)
	}
}
