package session

// Verdict is what Sequence says of a frame's seq.
type Verdict int

// The verdicts.
const (
	Fresh    Verdict = iota // the next one: handle it
	Repeated                // handled before: say acked again
	Hole                    // something between was left out
)

// Sequence counts a session's frames, from 1 without holes. A frame is settled
// when everyone who holds it has released it; its handler is the first holder.
type Sequence struct {
	acked uint64
	held  []held // acked+1, acked+2, ...
	bytes int    // of all in held
}

// held is an accepted frame that isn't acknowledged.
type held struct {
	by    int32 // holders
	bytes int32
}

// Accept judges the next frame, which has so many bytes. A fresh one is held
// once, by its handler. The caller bounds what is unsettled.
func (s *Sequence) Accept(seq uint64, bytes int) Verdict {
	switch next := s.Next(); {
	case seq < next:
		return Repeated
	case seq > next:
		return Hole
	default:
		s.held = append(s.held, held{by: 1, bytes: int32(bytes)})
		s.bytes += bytes
		return Fresh
	}
}

// Resume goes on after a seq that another edge acknowledged.
func (s *Sequence) Resume(acked uint64) { s.acked = acked }

// Next is the seq that must come next.
func (s *Sequence) Next() uint64 { return s.acked + uint64(len(s.held)) + 1 }

// Acked is the highest seq up to which every frame is settled.
func (s *Sequence) Acked() uint64 { return s.acked }

// Unsettled is the number, and the bytes, of accepted frames that aren't acknowledged.
func (s *Sequence) Unsettled() (frames, bytes int) { return len(s.held), s.bytes }

// Hold adds a holder to an accepted frame.
func (s *Sequence) Hold(seq uint64) {
	if at, ok := s.at(seq); ok {
		s.held[at].by++
	}
}

// Release takes a holder away and reports whether Acked rose.
func (s *Sequence) Release(seq uint64) bool {
	at, ok := s.at(seq)
	if !ok || s.held[at].by == 0 {
		return false
	}
	s.held[at].by--
	settled := 0
	for settled < len(s.held) && s.held[settled].by == 0 {
		s.bytes -= int(s.held[settled].bytes)
		settled++
	}
	if settled == 0 {
		return false
	}
	s.acked += uint64(settled)
	s.held = append(s.held[:0], s.held[settled:]...)
	return true
}

// Rewind forgets every accepted frame that isn't acknowledged: the client will
// send them again, since their outcome is unknown.
func (s *Sequence) Rewind() { s.held, s.bytes = s.held[:0], 0 }

func (s *Sequence) at(seq uint64) (int, bool) {
	if seq <= s.acked || seq-s.acked > uint64(len(s.held)) {
		return 0, false
	}
	return int(seq - s.acked - 1), true
}
