package link

import "time"

// patience is how long a link waits for the answer to an attempt: what its commits
// usually last plus four times how much that varies, as TCP waits for an
// acknowledgement (RFC 6298, section 2). An entry that got lost on its way is then
// sent again before anybody sees a pause, and a log that is slow for everybody
// isn't asked more often than it can answer.
//
// What was sent more than once counts from its first attempt, since nobody knows
// which one was answered. That is too long rather than too short, and some clean
// entries later it is forgotten.
type patience struct {
	known bool
	usual time.Duration
	vary  time.Duration
}

// learn takes how long a commit lasted.
func (p *patience) learn(took time.Duration) {
	if !p.known {
		p.known, p.usual, p.vary = true, took, took/2
		return
	}
	p.vary += ((p.usual - took).Abs() - p.vary) / 4
	p.usual += (took - p.usual) / 8
}

// most is the time for the first attempt of an entry, within two bounds; the upper
// one counts if they contradict each other, or if no commit is known.
func (p *patience) most(lower, upper time.Duration) time.Duration {
	if !p.known {
		return upper
	}
	return min(max(p.usual+4*p.vary, lower), upper)
}
