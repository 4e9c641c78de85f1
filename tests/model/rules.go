package model

// rule is one demand of the design. Each can be taken out of a model, which must
// then break a promise, or the rule is of no use for delivery.
type rule uint8

const (
	// Links and lanes.
	oneEntryInFlight   rule = iota // a link commits one entry at a time
	ackAfterSettle                 // a frame is acknowledged when its entry is in the log
	firstCommitDecides             // the verdicts are those of the stored entry
	giveUpAll                      // with an unknown entry everything behind it is given up
	lanes                          // a new link isn't used before the old one is settled
	lanesForAll                    // broadcasts keep to the lanes as well
	lanesFail                      // what waits in a lane for what is unknown is given up with it
	cutAtMarks                     // an entry ends where somebody wants to know how far the link got

	// Takeovers.
	casBeforeRead    // a takeover writes its record before it reads those of the others
	higherAttempt    // only a higher attempt takes over
	bothSecrets      // a hello has the confirmed secret and the one proposed since
	newestStays      // a takeover that was overtaken on its own edge doesn't open its session
	positionFirst    // the own log counts from a position of before the takeover
	higherPlaceWins  // a lower incarnation doesn't change a place
	answerAfterDrain // an edge answers when its links to the trail are settled
	answerTells      // and tells which sessions it has rewound
	presence         // where a sender is now is told before its signals, on the same link
	judgeAgain       // who a signal comes from is read again before it is taken for misplaced

	// What the receiver missed.
	replayTrail   // the logs of the trail are replayed
	firstStay     // a cursor is taken for one of the first stay on its edge
	newestFirst   // the logs are read from the newest to the oldest
	readerFirst   // and after the own log's reader has reached its head
	bySeq         // each sender's signals are told in the order of their seqs
	waitForEdges  // nothing is over before every edge with senders has answered
	leaseNoAnswer // that an edge's lease is out is no answer
	readAgain     // when one has, or a sender is elsewhere, the logs are read again
	holdEdges     // new signals from an edge that hasn't answered wait
	holdSenders   // and those of senders that are on one
	notPastKept   // once one waits, all new ones of its sender do
	waitBehind    // behind a sender's first signal that waits all wait
	ackedBound    // in an earlier place's log, a sender's old edge counts up to what its client saw acknowledged
	bySession     // an old edge is known by the session that a signal is of
	rewindsEnd    // what comes after a rewind is of another session
	ackedBoundOwn // in the own log as well
	againOnce     // and what comes from there later
	endBound      // an edge counts up to where it switched
	endsAtSwitch  // which it noted then, not when it was asked
	dropRest      // what is from an edge that knew the place is dropped
	cursorStays   // the cursor stays the old one until all that is over
	cursorBefore  // a signal's cursor is the position before its entry
	clientDrops   // the client drops what it had
	edgeDrops     // the edge drops what it has passed on

	// Leases.
	fence     // an edge without lease cuts and acknowledges nothing
	rereadOwn // and reads the records of its members again before it goes on

	ruleCount
)

var ruleNames = [ruleCount]string{
	"oneEntryInFlight", "ackAfterSettle", "firstCommitDecides", "giveUpAll", "lanes", "lanesForAll", "lanesFail", "cutAtMarks",
	"casBeforeRead", "higherAttempt", "bothSecrets", "newestStays", "positionFirst", "higherPlaceWins", "answerAfterDrain", "answerTells", "presence", "judgeAgain",
	"replayTrail", "firstStay", "newestFirst", "readerFirst", "bySeq", "waitForEdges", "leaseNoAnswer", "readAgain", "holdEdges", "holdSenders", "notPastKept", "waitBehind",
	"ackedBound", "bySession", "rewindsEnd", "ackedBoundOwn", "againOnce", "endBound", "endsAtSwitch", "dropRest", "cursorStays", "cursorBefore", "clientDrops", "edgeDrops",
	"fence", "rereadOwn",
}

func (r rule) String() string { return ruleNames[r] }

// setup is where an exploration begins and what may happen in it. Its zero value
// keeps every rule.
type setup struct {
	at        [peers]edge
	frames    [senders]uint8 // how many each sends; who sends none has no part in it
	broadcast [senders]uint8 // bits by seq
	others    edgeSet        // the edges of other members, who get them, too
	doubtful  [senders]uint8 // bits by seq: filters may differ about it
	left      faults
	movers    peerSet // who moves without need
	cuts      peerSet // who of them may also come back to the same edge
	crashing  edgeSet
	pausing   edgeSet

	without uint64 // bits by rule
	all     bool   // also looks at orders that make no difference
}

// keeps reports whether a rule is in force.
func (u *setup) keeps(r rule) bool { return u.without&(1<<r) == 0 }

// less is the setup without a rule.
func (u setup) less(r rule) setup {
	u.without |= 1 << r
	return u
}

// idle reports whether a client has no part in this.
func (u *setup) idle(p peer) bool { return p < senders && u.frames[p] == 0 }

func (u *setup) isBroadcast(s signal) bool { return u.broadcast[s.from()]&(1<<s.seq()) != 0 }

func (u *setup) isDoubtful(s signal) bool { return u.doubtful[s.from()]&(1<<s.seq()) != 0 }

func (u *setup) anyDoubtful(all *signals) bool {
	for _, s := range all.all() {
		if u.isDoubtful(s) {
			return true
		}
	}
	return false
}

// start is the world before anything happened.
func (u *setup) start() *world {
	w := &world{left: u.left}
	for p := range peer(peers) {
		at := u.at[p]
		w.records[p] = record{place: place{at, 1}, attempt: 1, secret: 1, began: 1, held: 1 << at}
		w.clients[p] = client{at: at, stage: welcomed, attempt: 1, confirmed: 1, proposed: 1, cursor: cursor{edge: at}}
		if p < senders {
			w.processes[at].sessions[p] = sending{open: true, incarnation: 1, life: 1}
		}
	}
	for e := range edge(edges) {
		w.processes[e].found = w.records[receiver].place
	}
	w.trail.add(u.at[receiver])
	w.arrival = arrival{on: true, incarnation: 1, caughtUp: true, flowing: true}
	for s := range peer(senders) {
		w.records[s].show(&w.arrival.room, s)
	}
	return w
}
