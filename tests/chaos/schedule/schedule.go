package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds.
const (
	KillEdge     Kind = "kill-edge"
	KillFilter   Kind = "kill-filter"
	KillRoomsvc  Kind = "kill-roomsvc"
	KillAuthsvc  Kind = "kill-authsvc"
	KillFollower Kind = "kill-follower" // a NATS node that leads no stream
	KillLeader   Kind = "kill-leader"   // one that leads the chosen stream

	PauseEdge    Kind = "pause-edge"
	PauseFilter  Kind = "pause-filter"
	PauseRoomsvc Kind = "pause-roomsvc"
	PauseNATS    Kind = "pause-nats"

	PartEdge Kind = "partition-edge"
	PartNATS Kind = "partition-nats"

	SlowEdge   Kind = "slow-edge"
	SlowNATS   Kind = "slow-nats"
	CutSockets Kind = "cut-sockets"
	DoubleMove Kind = "double-move"
)

// deck is how many faults of each kind a round has: first each kind once, so that a
// short run meets all, then the others. Kills are the promise, so they are half of
// it.
var deck = []struct {
	kind  Kind
	count int
}{
	{KillEdge, 2},
	{KillFilter, 2},
	{KillRoomsvc, 2},
	{KillAuthsvc, 1},
	{KillFollower, 1},
	{KillLeader, 2},
	{PauseEdge, 1},
	{PauseFilter, 1},
	{PauseRoomsvc, 1},
	{PauseNATS, 1},
	{PartEdge, 1},
	{PartNATS, 2},
	{SlowEdge, 1},
	{SlowNATS, 1},
	{CutSockets, 2},
	{DoubleMove, 1},
}

// Kinds are all kinds.
func Kinds() []Kind {
	var kinds []Kind
	for _, one := range deck {
		kinds = append(kinds, one.kind)
	}
	return kinds
}

// Parse reads kinds: names separated by commas, each a kind or the beginning of
// some, such as `kill`.
func Parse(text string) ([]Kind, error) {
	var kinds []Kind
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		found := false
		for _, kind := range Kinds() {
			if name == string(kind) || strings.HasPrefix(string(kind), name+"-") {
				kinds, found = append(kinds, kind), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no fault %q, only %v and what they begin with", name, Kinds())
		}
	}
	return kinds, nil
}

// Direction is what a partition drops.
type Direction string

// The directions, as the one who is cut off sees them.
const (
	Both Direction = "both"
	In   Direction = "in"
	Out  Direction = "out"
)

// Cut is how a client loses its socket.
type Cut string

// The cuts. After a silent one the edge still believes in the socket.
const (
	Close  Cut = "close"
	Reset  Cut = "reset"
	Silent Cut = "silent"
)

// Fault is one fault.
type Fault struct {
	Index     int
	Kind      Kind
	Pick      int           // of the candidates, modulo their number
	Calm      time.Duration // with all well before it
	Down      time.Duration // until a killed process is started again
	Length    time.Duration // of a pause, a partition or a slow link
	Direction Direction     // of a partition
	NATSOnly  bool          // the partition is only towards the NATS nodes
	Cut       Cut           // of sockets
	Share     float64       // of all clients that lose their socket or move
}

// String names the fault for people.
func (f Fault) String() string {
	text := fmt.Sprintf("#%d %s", f.Index, f.Kind)
	switch f.Kind {
	case PauseEdge, PauseFilter, PauseRoomsvc, PauseNATS, SlowEdge, SlowNATS:
		text += " " + f.Length.String()
	case PartEdge, PartNATS:
		text += fmt.Sprintf(" %s %s", f.Direction, f.Length)
		if f.NATSOnly {
			text += " from NATS"
		}
	case CutSockets, DoubleMove:
		text += fmt.Sprintf(" %s %.0f%%", f.Cut, 100*f.Share)
	default:
		text += " down " + f.Down.String()
	}
	return text
}

// Schedule gives one fault after the other.
type Schedule struct {
	random *rand.Rand
	kinds  []Kind
	round  []Kind // what is left of it
	next   int
}

// New is the schedule of a seed with these kinds; nil: all.
func New(seed uint64, kinds []Kind) *Schedule {
	if kinds == nil {
		kinds = Kinds()
	}
	return &Schedule{random: rand.New(rand.NewPCG(seed, 0x706172)), kinds: kinds}
}

// Next is the next fault. There is no end of them.
func (s *Schedule) Next() Fault {
	if len(s.round) == 0 {
		s.shuffle()
	}
	kind := s.round[0]
	s.round = s.round[1:]
	s.next++
	// All is drawn for every fault, so that a kind's own figures don't move those of the others.
	return Fault{
		Index: s.next, Kind: kind, Pick: s.random.IntN(1 << 16),
		Calm: s.between(time.Second, 3*time.Second), Down: s.between(0, 4*time.Second), Length: s.between(time.Second, 15*time.Second),
		Direction: pick(s.random, Both, In, Out), NATSOnly: s.random.IntN(2) == 0,
		Cut: pick(s.random, Close, Reset, Silent), Share: 0.05 + 0.45*s.random.Float64(),
	}
}

func (s *Schedule) shuffle() {
	var others []Kind
	for _, one := range deck {
		if slices.Contains(s.kinds, one.kind) {
			s.round = append(s.round, one.kind)
			others = append(others, slices.Repeat([]Kind{one.kind}, one.count-1)...)
		}
	}
	for _, part := range [][]Kind{s.round, others} {
		s.random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
	}
	s.round = append(s.round, others...)
}

// between is a time of whole milliseconds.
func (s *Schedule) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.random.Int64N(int64((most-least)/time.Millisecond)))*time.Millisecond
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }
