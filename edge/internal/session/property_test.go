package session

import (
	"testing"

	"pgregory.net/rapid"
)

// books are a Sequence with a plain list of all that it must know.
type books struct {
	seq    Sequence
	acked  uint64
	frames []booked // acked+1, acked+2, ...
}

type booked struct{ by, bytes int }

func (b *books) next() uint64 { return b.acked + uint64(len(b.frames)) + 1 }

// accept offers a seq: the next one, one from before, or one behind a hole.
func (b *books) accept(t *rapid.T) {
	next := b.next()
	seq := rapid.OneOf(
		rapid.Just(next), rapid.Uint64Range(0, next-1), rapid.Uint64Range(next+1, next+9), rapid.Uint64Min(next+1),
	).Draw(t, "seq")
	bytes := rapid.IntRange(0, 1<<20).Draw(t, "bytes")
	want := Fresh
	switch {
	case seq < next:
		want = Repeated
	case seq > next:
		want = Hole
	default:
		b.frames = append(b.frames, booked{1, bytes})
	}
	if got := b.seq.Accept(seq, bytes); got != want {
		t.Fatalf("Accept(%d) when %d is next: %v, want %v", seq, next, got, want)
	}
}

// hold has one of its holders give a frame to another, as a handler gives it to a link.
func (b *books) hold(t *rapid.T) {
	seq := b.any(t)
	if f := b.frame(seq); f != nil {
		if f.by == 0 {
			return // nobody has it who could
		}
		f.by++
	}
	b.seq.Hold(seq)
}

func (b *books) release(t *rapid.T) {
	seq := b.any(t)
	if f := b.frame(seq); f != nil && f.by > 0 {
		f.by--
	}
	before := b.acked
	for len(b.frames) > 0 && b.frames[0].by == 0 {
		b.frames = b.frames[1:]
		b.acked++
	}
	if got, want := b.seq.Release(seq), b.acked > before; got != want {
		t.Fatalf("Release(%d): acked rose: %v, want %v", seq, got, want)
	}
}

func (b *books) rewind(*rapid.T) {
	b.frames = nil
	b.seq.Rewind()
}

// any is a seq that is held, or that isn't any more, or not yet.
func (b *books) any(t *rapid.T) uint64 {
	return rapid.Uint64Range(b.acked-min(b.acked, 2), b.next()+1).Draw(t, "seq")
}

func (b *books) frame(seq uint64) *booked {
	if seq <= b.acked || seq >= b.next() {
		return nil
	}
	return &b.frames[seq-b.acked-1]
}

func (b *books) check(t *rapid.T) {
	bytes := 0
	for _, f := range b.frames {
		bytes += f.bytes
	}
	if got := b.seq.Acked(); got != b.acked {
		t.Fatalf("acked %d, want %d", got, b.acked)
	}
	if got := b.seq.Next(); got != b.next() {
		t.Fatalf("next %d, want %d", got, b.next())
	}
	if frames, got := b.seq.Unsettled(); frames != len(b.frames) || got != bytes {
		t.Fatalf("%d frames of %d bytes are unsettled, want %d of %d", frames, got, len(b.frames), bytes)
	}
}

// TestSequence_properties: acked is what a list of all holders says, whatever is
// accepted, held, released and rewound.
func TestSequence_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b books
		if rapid.Bool().Draw(t, "resumed") {
			b.acked = rapid.Uint64Range(0, 1<<62).Draw(t, "acked")
			b.seq.Resume(b.acked)
		}
		t.Repeat(map[string]func(*rapid.T){
			"":         b.check,
			"accept":   b.accept,
			"accept 2": b.accept, // twice as often as the rest, or little is ever held
			"hold":     b.hold,
			"release":  b.release,
			"rewind":   b.rewind,
		})
	})
}
