package driver

import "time"

// Schedule says which sender sends when. Slot j is due j intervals after the
// start, is that of sender j modulo their number in the order of the schedule,
// and holds one burst. All of it is settled before the first slot.
type Schedule struct {
	order    []int32 // sender of each place
	place    []int32 // the inverse
	burst    int
	interval time.Duration // between slots
	base     []int         // the first message of each sender
}

// NewSchedule spreads rate messages a second over senders, in bursts. base is
// how many messages each of them has sent before. Neighbours in the order are
// far apart in number, so that partners don't send to each other in turn.
func NewSchedule(senders, rate, burst int, base []int) *Schedule {
	s := &Schedule{
		order: make([]int32, senders), place: make([]int32, senders), burst: burst,
		interval: time.Duration(float64(time.Second) * float64(burst) / float64(rate)), base: base,
	}
	stride := coprime(senders)
	for i := range senders {
		sender := int32(i * stride % senders)
		s.order[i], s.place[sender] = sender, int32(i)
	}
	return s
}

// coprime is a number near the golden section of n that has no divisor with it.
func coprime(n int) int {
	for c := max(1, int(float64(n)*0.618)); ; c++ {
		a, b := n, c
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return c
		}
	}
}

// Due is when slot j is due, after the start.
func (s *Schedule) Due(j int) time.Duration { return time.Duration(j) * s.interval }

// Sender is who sends in slot j.
func (s *Schedule) Sender(j int) int { return int(s.order[j%len(s.order)]) }

// Slots is how many slots are due before d.
func (s *Schedule) Slots(d time.Duration) int { return int((d + s.interval - 1) / s.interval) }

// DueOf is when the n-th message of a sender is due, after the start.
func (s *Schedule) DueOf(sender, n int) time.Duration {
	slot := (n-s.base[sender])/s.burst*len(s.order) + int(s.place[sender])
	return s.Due(slot)
}
