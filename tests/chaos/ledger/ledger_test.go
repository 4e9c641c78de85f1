package ledger_test

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
)

// The members of these tests: slot 0 is ada, 1 bob, 2 cy.
var ada, bob, cy, dan = peer("ada"), peer("bob"), peer("cy"), peer("dan")

func peer(name string) contract.Token {
	t, err := contract.ParseToken(name)
	if err != nil {
		panic(err)
	}
	return t
}

// book is a ledger with ada, bob and cy in it.
type book struct {
	*ledger.Room
	now time.Duration
}

func newBook() *book {
	b := &book{Room: ledger.NewRoom("a room")}
	for slot, p := range []contract.Token{ada, bob, cy} {
		b.Join(p, ledger.Slot(slot), 0)
	}
	return b
}

func (b *book) tick() time.Duration {
	b.now += time.Millisecond
	return b.now
}

// send has ada send to bob, acknowledged.
func (b *book) send() ledger.Number { return b.sendAs(ledger.Acked) }

func (b *book) sendAs(o ledger.Outcome) ledger.Number {
	n := b.OfferTo(0, bob, b.tick())
	b.Settle(0, n, o, b.tick())
	return n
}

func (b *book) broadcast() ledger.Number {
	n := b.OfferAll(0, b.Roster([]contract.Token{bob, cy}), b.tick())
	b.Settle(0, n, ledger.Acked, b.tick())
	return n
}

func (b *book) deliver(to contract.Token, numbers ...ledger.Number) {
	for _, n := range numbers {
		b.Deliver(ledger.Delivery{To: to, From: ada, Slot: 0, N: n, At: b.tick()})
	}
}

func TestRoom(t *testing.T) {
	type faults struct{ lost, duplicated, reordered, misaddressed int }
	for name, one := range map[string]struct {
		play func(b *book)
		want faults
	}{
		"all is well": {func(b *book) {
			b.deliver(bob, b.send(), b.send())
			n := b.broadcast()
			b.deliver(bob, n)
			b.deliver(cy, n)
		}, faults{}},
		"one never comes":         {func(b *book) { b.send() }, faults{lost: 1}},
		"one in the middle":       {func(b *book) { b.send(); b.send(); b.deliver(bob, b.send()) }, faults{lost: 2}},
		"a broadcast to one only": {func(b *book) { b.deliver(cy, b.broadcast()) }, faults{lost: 1}},
		"one comes twice":         {func(b *book) { n := b.send(); b.deliver(bob, n, n) }, faults{duplicated: 1}},
		"and again later":         {func(b *book) { n := b.send(); b.deliver(bob, n, b.send(), n) }, faults{duplicated: 1}},
		"a broadcast twice":       {func(b *book) { n := b.broadcast(); b.deliver(bob, n, n); b.deliver(cy, n) }, faults{duplicated: 1}},
		"two change places":       {func(b *book) { n, m := b.send(), b.send(); b.deliver(bob, m, n) }, faults{reordered: 1}},
		"one comes two too late": {func(b *book) {
			n := b.send()
			b.deliver(bob, b.send(), b.send(), n)
		}, faults{reordered: 1}},
		"a late one comes twice":   {func(b *book) { n, m := b.send(), b.send(); b.deliver(bob, m, n, n) }, faults{reordered: 1, duplicated: 1}},
		"for bob, at cy's":         {func(b *book) { n := b.send(); b.deliver(bob, n); b.deliver(cy, n) }, faults{misaddressed: 1}},
		"for bob, only at cy's":    {func(b *book) { b.deliver(cy, b.send()) }, faults{misaddressed: 1, lost: 1}},
		"one's own broadcast":      {func(b *book) { n := b.broadcast(); b.deliver(bob, n); b.deliver(cy, n); b.deliver(ada, n) }, faults{misaddressed: 1}},
		"nobody sent it":           {func(b *book) { b.deliver(bob, 1) }, faults{misaddressed: 1}},
		"number 0":                 {func(b *book) { b.deliver(bob, 0) }, faults{misaddressed: 1}},
		"told it wasn't sent":      {func(b *book) { b.deliver(bob, b.sendAs(ledger.Unsent)) }, faults{misaddressed: 1}},
		"in another's name":        {func(b *book) { b.Deliver(ledger.Delivery{To: bob, From: cy, Slot: 0, N: b.send()}) }, faults{misaddressed: 1, lost: 1}},
		"unknown, not delivered":   {func(b *book) { b.sendAs(ledger.Unknown) }, faults{}},
		"unknown, delivered":       {func(b *book) { b.deliver(bob, b.sendAs(ledger.Unknown)) }, faults{}},
		"unknown, delivered twice": {func(b *book) { n := b.sendAs(ledger.Unknown); b.deliver(bob, n, n) }, faults{duplicated: 1}},
		"refused":                  {func(b *book) { b.sendAs(ledger.Refused) }, faults{}},
		"delivered before the acknowledgement": {func(b *book) {
			n := b.OfferTo(0, bob, b.tick())
			b.deliver(bob, n)
			b.Settle(0, n, ledger.Acked, b.tick())
		}, faults{}},
		"the receiver left":         {func(b *book) { b.send(); b.End(bob, ledger.Left) }, faults{}},
		"the receiver's session":    {func(b *book) { b.send(); b.End(bob, ledger.SessionLost) }, faults{lost: 1}},
		"a joiner whom nobody told": {func(b *book) { n := b.OfferTo(0, dan, 0); b.Settle(0, n, ledger.Acked, 0) }, faults{}},
		"a joiner who hears a broadcast under way": {func(b *book) {
			n := b.OfferAll(0, b.Roster([]contract.Token{bob}), b.tick())
			b.Join(dan, 3, b.tick())
			b.Settle(0, n, ledger.Acked, b.tick())
			b.deliver(bob, n)
			b.deliver(dan, n)
		}, faults{}},
		"a joiner who hears it twice": {func(b *book) {
			n := b.OfferAll(0, b.Roster(nil), b.tick())
			b.Join(dan, 3, b.tick())
			b.deliver(dan, n, n)
		}, faults{duplicated: 1}},
		"a joiner who hears an old broadcast": {func(b *book) {
			n := b.broadcast()
			b.deliver(bob, n)
			b.deliver(cy, n)
			b.Join(dan, 3, b.tick())
			b.deliver(dan, n)
		}, faults{misaddressed: 1}},
		"a sender with a new session may overtake itself": {func(b *book) {
			n, m := b.send(), b.send()
			b.Join(dan, 0, b.tick())
			b.Deliver(ledger.Delivery{To: bob, From: dan, Slot: 0, N: m})
			b.deliver(bob, n)
		}, faults{}},
		"a peer that turns out to be another's": {func(b *book) {
			n := b.send()
			b.Deliver(ledger.Delivery{To: bob, From: dan, Slot: 0, N: n})
			b.Join(dan, 3, b.tick())
		}, faults{misaddressed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook()
			one.play(b)
			counts, violations := b.Finish()
			got := faults{counts.Lost, counts.Duplicated, counts.Reordered, counts.Misaddressed}
			if got != one.want {
				t.Errorf("got %+v, want %+v: %+v", got, one.want, violations)
			}
			if all := got.lost + got.duplicated + got.reordered + got.misaddressed; len(violations) != all {
				t.Errorf("%d violations are described, want %d", len(violations), all)
			}
		})
	}
}

func TestRoom_counts(t *testing.T) {
	b := newBook()
	for _, o := range []ledger.Outcome{ledger.Acked, ledger.Acked, ledger.Unknown, ledger.Refused, ledger.Unsent, ledger.Pending} {
		b.sendAs(o)
	}
	b.deliver(bob, 1)
	if undelivered, unsettled := b.Open(time.Hour); undelivered != 1 || unsettled != 1 {
		t.Errorf("open: %d undelivered and %d unsettled, want 1 of each", undelivered, unsettled)
	}
	if undelivered, unsettled := b.Open(0); undelivered != 0 || unsettled != 0 {
		t.Errorf("open before the begin: %d and %d, want none", undelivered, unsettled)
	}
	got, _ := b.Finish()
	want := ledger.Counts{Signals: 6, Acknowledged: 2, Unknown: 1, Refused: 1, Unsent: 1, Pending: 1, Deliveries: 1, Lost: 1}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var sum ledger.Counts
	sum.Add(got)
	sum.Add(got)
	if sum.Signals != 12 || sum.Lost != 2 || sum.Deliveries != 2 || sum.Acknowledged != 4 {
		t.Errorf("the sum is %+v", sum)
	}
}

// TestRoom_manyInFlight has a long queue, so that the pair gives memory back.
func TestRoom_manyInFlight(t *testing.T) {
	b := newBook()
	const many = 5000
	for range many {
		b.send()
	}
	for n := range ledger.Number(many) {
		if n != 2999 {
			b.deliver(bob, n+1)
		}
	}
	counts, violations := b.Finish()
	if counts.Lost != 1 || counts.Reordered+counts.Duplicated+counts.Misaddressed != 0 || violations[0].Number != 3000 {
		t.Errorf("got %+v, %+v, want number 3000 lost", counts, violations)
	}
}
