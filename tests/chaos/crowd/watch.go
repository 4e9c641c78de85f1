//go:build linux

package crowd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/history"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
	"github.com/parley-rtc/parley/tests/chaos/schedule"
)

// maxTroubles bounds the texts that are kept of a kind.
const maxTroubles = 200

// Trouble notes something that no kind of violation has a name for.
func (c *Crowd) Trouble(format string, args ...any) {
	text := fmt.Sprintf("%.3f s: ", c.now().Seconds()) + fmt.Sprintf(format, args...)
	c.log.Error("trouble", "text", text)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.troubles) < maxTroubles {
		c.troubles = append(c.troubles, text)
	}
}

func (c *Crowd) gap(m *member, g client.Gap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gaps = append(c.gaps, fmt.Sprintf("%.3f s: %s in room %s was told of a gap from %q: %s", c.now().Seconds(), m.p.name, m.room.Name, g.From, g.Reason))
}

// refused counts what an edge refused.
func (c *Crowd) refused(err error) {
	var refused *client.RefusedError
	if !errors.As(err, &refused) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusals[string(refused.Refusal.Code)]++
}

// count adds up what a visitor's client did.
func (c *Crowd) count(p *person) {
	s := p.client.Stats()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone.Resumes += s.Resumes
	c.gone.Losses += s.Losses
	c.gone.Repeats += s.Repeats
}

// back notes that a person's connection is there again.
func (p *person) back(m *member) {
	if m != p.first {
		return
	}
	retry, moveOn := p.wire.back()
	p.mu.Lock()
	before := p.edge
	p.edge = p.client.Edge()
	p.mu.Unlock()
	if retry > 0 {
		p.c.o.Recovered(Recovery{What: "connection", Edge: before, Begin: retry, Took: p.c.now() - retry})
	}
	if moveOn {
		p.wire.cut(schedule.Close)
	}
}

// Cut cuts the sockets of a share of the members; once more, if twice, as soon as
// each is back.
func (c *Crowd) Cut(number int, share float64, how schedule.Cut, twice bool) {
	for _, p := range c.pick(number, share) {
		if twice {
			p.wire.moveOn()
		}
		p.wire.cut(how)
	}
}

// On counts the members that are on an edge, by the edge's name.
func (c *Crowd) On(edge string) int {
	count := 0
	for _, p := range c.persons {
		if strings.HasPrefix(p.client.Edge(), edge+"-") {
			count++
		}
	}
	return count
}

// Open counts what is owed and what is not settled, of signals sent before a moment.
func (c *Crowd) Open(before time.Duration) (undelivered, unsettled int) {
	for _, room := range c.Rooms {
		u, s := room.Ledger.Open(before)
		undelivered, unsettled = undelivered+u, unsettled+s
	}
	return undelivered, unsettled
}

// Acknowledged counts the signals that are.
func (c *Crowd) Acknowledged() int { return int(c.acked.Load()) }

// LastEnd is when the last membership ended that nobody asked to end.
func (c *Crowd) LastEnd() time.Duration {
	var last time.Duration
	for _, room := range c.Rooms {
		last = max(last, room.lastEnd())
	}
	return last
}

// Differs names a member whose client knows other members than the document of its
// room has; empty: there is none.
func (c *Crowd) Differs(room *Room, document []contract.Token) string {
	for _, m := range c.members {
		if m.room != room {
			continue
		}
		known := []contract.Token{m.selfPeer()}
		for _, p := range m.r.Peers() {
			known = append(known, p.Peer)
		}
		if len(known) != len(document) || slices.ContainsFunc(known, func(peer contract.Token) bool { return !slices.Contains(document, peer) }) {
			return fmt.Sprintf("%s knows the members %v, and the document has %v", m.p.name, known, document)
		}
	}
	return ""
}

// Result is what the crowd saw.
type Result struct {
	Counts        ledger.Counts
	Violations    []ledger.Violation
	Offered, Held int // signals that were due, and those that no client took
	Resumes       int // comebacks of members
	Resumed       int // of those: with their session
	Roomless      int // comebacks before the first join: there was nothing to come back to
	Gaps          []string
	Troubles      []string
	History       []string
	Stale         []history.Stale
	Ghosts        []Ghost
	Flaps         []string
	Broken        Broken
	Refusals      map[string]int // by code
}

// Result gives the verdict. It must be called once, when nobody sends any more.
func (c *Crowd) Result() Result {
	r := Result{Broken: c.breaker.release()}
	for _, room := range c.Rooms {
		counts, violations := room.Ledger.Finish()
		r.Counts.Add(counts)
		r.Violations = append(r.Violations, violations...)
		faults, stale := room.History.Check()
		r.History, r.Stale = append(r.History, faults...), append(r.Stale, stale...)
		r.Ghosts = append(r.Ghosts, room.Ghosts()...)
		for _, peer := range room.Flaps() {
			r.Flaps = append(r.Flaps, peer+" in "+room.Name)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	stats := c.gone
	for _, p := range c.persons {
		s := p.client.Stats()
		stats.Resumes += s.Resumes
		stats.Losses += s.Losses
	}
	lost := int(c.lost.Load())
	r.Resumes, r.Resumed, r.Roomless = int(stats.Resumes)+lost, int(stats.Resumes), int(stats.Losses)-lost
	r.Gaps, r.Troubles, r.Refusals = c.gaps, c.troubles, c.refusals
	r.Offered, r.Held = int(c.offered.Load()), int(c.held.Load())
	return r
}
