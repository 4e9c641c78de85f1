package envelope

import (
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// maxUnfinished is how many frames of one connection may be unfinished at once.
const maxUnfinished = 2

// Assembler puts the `part` frames of one connection together. The zero
// Assembler is ready and holds no memory while nothing is unfinished. It must
// not be used by two goroutines at once.
type Assembler struct {
	open []assembly
}

// assembly is one unfinished frame.
type assembly struct {
	id   string
	next int // index of the part that must come
	of   int
	text []byte
}

// Add takes the next part. When it is the last of its frame, done is true and
// text is the frame, which the caller owns; it must be decoded, and must not be
// a part itself. maxBytes bounds what all unfinished frames hold together.
//
// err is CodeBadPart for parts that don't make a frame: out of order, of a
// frame that wasn't begun, more than two frames unfinished at once. It is
// CodeTooLarge when maxBytes is passed; text then is the frame as far as it
// came, so that Decode can tell its seq. Either way the part's frame is given
// up, and what follows of it is CodeBadPart.
func (a *Assembler) Add(p *contract.Part, maxBytes int) (text []byte, done bool, err *contract.Error) {
	i := slices.IndexFunc(a.open, func(one assembly) bool { return one.id == p.ID })
	if err = a.check(i, p); err != nil {
		a.drop(i)
		return nil, false, err
	}
	if a.held()+len(p.Chunk) > maxBytes {
		if i >= 0 {
			text = a.open[i].text
		}
		text = append(text, p.Chunk...)
		a.drop(i)
		return text, false, contract.Errorf(contract.CodeTooLarge, "the frame is over %d bytes with its part %d of %d", maxBytes, p.Index, p.Of)
	}
	if i < 0 {
		i = len(a.open)
		a.open = append(a.open, assembly{id: p.ID, of: p.Of})
	}
	one := &a.open[i]
	one.text = append(one.text, p.Chunk...)
	one.next++
	if one.next < one.of {
		return nil, false, nil
	}
	text = one.text
	a.drop(i)
	return text, true, nil
}

// check says why p can't be the next part; i is where its frame is, or -1.
func (a *Assembler) check(i int, p *contract.Part) *contract.Error {
	const code = contract.CodeBadPart
	switch {
	case p.Index < 0 || p.Of < 1 || p.Index >= p.Of:
		return contract.Errorf(code, "index is %d, it must be from 0 to one less than of, which is %d", p.Index, p.Of)
	case p.Chunk == "":
		return contract.Errorf(code, "chunk is empty, each part must hold some text")
	case i < 0 && p.Index != 0:
		return contract.Errorf(code, "part %d of a frame that wasn't begun or was given up; start again with index 0 and a new id", p.Index)
	case i < 0 && len(a.open) == maxUnfinished:
		return contract.Errorf(code, "%d frames are unfinished, finish one before the next", maxUnfinished)
	case i >= 0 && p.Index != a.open[i].next:
		return contract.Errorf(code, "part %d came where part %d must, send parts in order", p.Index, a.open[i].next)
	case i >= 0 && p.Of != a.open[i].of:
		return contract.Errorf(code, "of is %d, the first part said %d", p.Of, a.open[i].of)
	}
	return nil
}

// held is how many bytes are held.
func (a *Assembler) held() int {
	n := 0
	for i := range a.open {
		n += len(a.open[i].text)
	}
	return n
}

// drop forgets the frame at i, if there is one.
func (a *Assembler) drop(i int) {
	if i < 0 {
		return
	}
	a.open = slices.Delete(a.open, i, i+1)
	if len(a.open) == 0 {
		a.open = nil
	}
}
