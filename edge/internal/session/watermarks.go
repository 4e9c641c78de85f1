package session

// Watermarks remember the highest seq that was delivered from each sender. The
// zero value is ready.
type Watermarks struct{ seqs ByPeer[uint64] }

// Pass reports whether a frame is news and remembers it.
func (w *Watermarks) Pass(sender []byte, seq uint64) bool {
	last := w.seqs.Get(sender)
	switch {
	case last == nil && seq == 0, last != nil && seq <= *last:
		return false
	case last == nil:
		last = w.seqs.At(sender)
	}
	*last = seq
	return true
}

// Forget drops a sender that left: its id is never used again.
func (w *Watermarks) Forget(sender string) { w.seqs.Delete(sender) }
