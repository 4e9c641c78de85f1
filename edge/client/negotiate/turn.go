package negotiate

// word is what two peers that can't roll back say to each other, as the value
// of "negotiate" in a message: {"negotiate":"ask"}.
//
// The impolite one of a pair owns the right to offer. The polite one says ask
// and waits; the owner says go when no offer of its own is on the way, and then
// doesn't offer until the polite one's offer was answered or it says done. So no
// two offers can collide. again asks a peer to repeat what it waits for, after
// a gap: its offer, or its ask, or its go. anew tells a peer that our connection is
// another one, which the one it has doesn't fit. The owner says back when a session was
// lost, and doesn't offer until the polite one has repeated its offer, or says ask
// or done.
type word string

const (
	wordAsk   word = "ask"
	wordGo    word = "go"
	wordDone  word = "done"
	wordAgain word = "again"
	wordBack  word = "back"
	wordAnew  word = "anew"
)

// action is what a pair does next.
type action int

const (
	actNothing action = iota
	actOffer
	actAsk
	actGo
	actDone
)

// turn says who of a pair may offer. It is a value; the pair's worker owns it.
type turn struct {
	asks bool // we are the polite one: static

	// Of the polite one.
	asked   bool // said ask
	owes    bool // heard back
	granted bool // heard go
	blocked bool // our offer collided all the same: theirs comes first

	// Of the owner.
	owed bool // heard ask
	lent bool // said go
}

// next decides what to do while no offer is on the way; wants tells whether
// there is something to negotiate.
func (t *turn) next(wants bool) action {
	switch {
	case t.asks && t.granted && wants && !t.blocked:
		return actOffer
	case t.asks && t.granted, t.asks && t.owes && !t.asked && !wants:
		t.asked, t.granted, t.owes = false, false, false
		return actDone
	case t.asks && wants && !t.asked && !t.blocked:
		t.asked, t.owes = true, false
		return actAsk
	case t.asks:
		return actNothing
	case t.owed:
		t.owed, t.lent = false, true
		return actGo
	case wants && !t.lent:
		return actOffer
	default:
		return actNothing
	}
}

// hear takes a word of the other's.
func (t *turn) hear(w word) {
	switch w {
	case wordAsk:
		t.owed = true
	case wordGo:
		t.granted = t.asks
	case wordDone:
		t.lent = false
	case wordAgain:
		t.owed = t.owed || t.lent
		t.asked = t.asked && t.granted
	case wordBack:
		t.owes = t.asks
	case wordAnew:
		t.blocked = false // what theirs collided with is void
	}
}

// rebind is called when the peers' memberships are other ones now, and what they
// said may be lost: offers without an answer are said again by whoever made them.
// Both may have one, since the owner may have offered behind its last answer. So
// the right counts as lent until the other has shown what it has. The owner must
// say back then, unless the other can roll back.
func (t *turn) rebind(asks, rollsBack bool) (back bool) {
	*t = turn{asks: asks, lent: !asks && !rollsBack}
	return t.lent
}

// offered is called when our offer was answered.
func (t *turn) offered() { t.asked, t.granted = false, false }

// collided is called when our offer was refused because of theirs. A right that
// was lent goes back, see next.
func (t *turn) collided() { t.blocked = true }

// answered is called when we have answered their offer.
func (t *turn) answered() { t.lent, t.blocked = false, false }
