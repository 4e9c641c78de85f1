package room

import "github.com/parley-rtc/parley/services/contract"

// Reserve is the part of a document's bytes that members may not use: it holds
// the head (under 1 KiB), the departures (MaxDepartures of at most 270 B), the
// idle writers (MaxIdleWriters of at most 270 B), the roomsvcs (MaxServers of at
// most 290 B) and MaxRefusedBytes. Peers and edges are plain tokens or escaped
// ones of at most 172 bytes.
const Reserve = 96 << 10

// maxDigits is the most that a revision or a request number takes.
const maxDigits = 20

// fits reports whether m may join after the twins have left.
func (d *draft) fits(m *contract.Member, twins []contract.Token) bool {
	weight := d.weight + memberWeight(m)
	if d.joined[m.Edge] == 0 {
		weight += writerWeight(m.Edge)
	}
	for _, twin := range twins {
		weight -= memberWeight(&d.doc.Members[d.at[twin]])
	}
	return weight <= d.rules.MaxBytes-Reserve
}

// memberWeight is at least what a member takes in an encoded document.
func memberWeight(m *contract.Member) int {
	const frame = len(`{"peer":"","identity":"","epoch":,"edge":"","capabilities":{"rollback":true}},`)
	return frame + maxDigits + len(m.Peer.String()) + len(m.Edge.String()) + textWeight(m.Identity)
}

// writerWeight is at least what an edge's last operation takes, its refusals
// not counted but for the mark of forgotten ones.
func writerWeight(edge contract.Token) int {
	const frame = len(`"":{"n":,"revision":,"refused":{"*":"unavailable"}},`)
	return frame + 2*maxDigits + len(edge.String())
}

// textWeight is at least what a text takes in JSON.
func textWeight(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\':
			n += 2
		case c < ' ':
			n += 6
		case c == 0xe2: // the first of the three bytes of U+2028, escaped as six
			n += 4
		default:
			n++
		}
	}
	return n
}
