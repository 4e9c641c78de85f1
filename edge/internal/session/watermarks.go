package session

// Watermarks remember the highest seq that was delivered from each sender. The
// zero value is ready.
type Watermarks struct{ seqs map[string]uint64 }

// Pass reports whether a frame is news and remembers it.
func (w *Watermarks) Pass(sender []byte, seq uint64) bool {
	if seq <= w.seqs[string(sender)] {
		return false
	}
	if w.seqs == nil {
		w.seqs = map[string]uint64{}
	}
	w.seqs[string(sender)] = seq
	return true
}

// Forget drops a sender that left: its id is never used again.
func (w *Watermarks) Forget(sender string) { delete(w.seqs, sender) }
