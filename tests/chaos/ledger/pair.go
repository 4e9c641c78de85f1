package ledger

import "github.com/parley-rtc/parley/services/contract"

// pair is what one member is owed by one slot.
type pair struct {
	due     []Number            // rising; not delivered, and nothing later was
	head    int                 // of due
	missing map[Number]struct{} // not delivered, but something later was
	extra   map[Number]struct{} // delivered although nobody had to
	last    map[contract.Token]Number
}

func (p *pair) expect(n Number) { p.due = append(p.due, n) }

// take removes a number that is owed. What is skipped by it becomes missing.
func (p *pair) take(n Number) bool {
	if _, late := p.missing[n]; late {
		delete(p.missing, n)
		return true
	}
	if p.head == len(p.due) || n < p.due[p.head] {
		return false
	}
	for at := p.head; at < len(p.due) && p.due[at] <= n; at++ {
		if p.due[at] < n {
			continue
		}
		for _, skipped := range p.due[p.head:at] {
			if p.missing == nil {
				p.missing = map[Number]struct{}{}
			}
			p.missing[skipped] = struct{}{}
		}
		p.advance(at + 1)
		return true
	}
	return false
}

// advance moves the head, and now and then gives the memory before it back.
func (p *pair) advance(head int) {
	p.head = head
	if p.head == len(p.due) {
		p.due, p.head = p.due[:0], 0
	} else if p.head > 1024 {
		p.due = append([]Number(nil), p.due[p.head:]...)
		p.head = 0
	}
}

// takeExtra notes a delivery that nobody had to make; false: it is a repeat.
func (p *pair) takeExtra(n Number) bool {
	if _, known := p.extra[n]; known {
		return false
	}
	if p.extra == nil {
		p.extra = map[Number]struct{}{}
	}
	p.extra[n] = struct{}{}
	return true
}

// inOrder reports whether nothing later came from that peer, and remembers n.
func (p *pair) inOrder(from contract.Token, n Number) bool {
	if p.last[from] > n {
		return false
	}
	if p.last == nil {
		p.last = map[contract.Token]Number{}
	}
	p.last[from] = n
	return true
}

// open are the numbers that were not delivered.
func (p *pair) open(yield func(Number) bool) {
	for n := range p.missing {
		if !yield(n) {
			return
		}
	}
	for _, n := range p.due[p.head:] {
		if !yield(n) {
			return
		}
	}
}
