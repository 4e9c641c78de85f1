package client

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

func TestFullJitter(t *testing.T) {
	const low, high = 300 * time.Millisecond, 20 * time.Second
	for _, tt := range []struct {
		n     int
		share float64
		want  time.Duration
	}{
		{0, 0, 0}, {0, 1, low}, {1, 1, 2 * low}, {3, 0.5, 4 * low}, {6, 1, 64 * low}, {7, 1, high}, {40, 1, high}, {1 << 30, 0.5, high / 2},
	} {
		if got := fullJitter(low, high, tt.n, tt.share); got != tt.want {
			t.Errorf("fullJitter(%d, %v) = %v, want %v", tt.n, tt.share, got, tt.want)
		}
	}
	if got := fullJitter(math.MaxInt64/4, math.MaxInt64/2, 5, 1); got < math.MaxInt64/4 {
		t.Errorf("overflow: %v", got)
	}
}

func TestPace(t *testing.T) {
	now := time.Unix(0, 0)
	limits := contract.Limits{FrameRate: 10, FrameBurst: 5, ByteRate: 1000, ByteBurst: 2000}
	p := newPace(limits, now) // 9/s, bursts of 4.5; 900 bytes/s, bursts of 1,800
	for i := range 4 {
		if wait := p.take(now, 1, 100); wait != 0 {
			t.Fatalf("frame %d of the burst waits %v", i, wait)
		}
	}
	wait := p.take(now, 1, 100)
	if want := 500 * time.Second / 9000; wait < want || wait > want+time.Millisecond {
		t.Errorf("frame 5 waits %v, want the time of half a frame, %v", wait, want)
	}
	if wait = p.take(now.Add(wait), 1, 100); wait != 0 {
		t.Errorf("after its wait the frame waits again: %v", wait)
	}
	now = now.Add(time.Hour)
	if wait = p.take(now, 1, 5000); wait != 0 {
		t.Errorf("a frame over the whole burst waits %v with a full bucket", wait)
	}
	wait = p.take(now, 1, 900)
	if want := 4100 * time.Second / 900; wait < want || wait > want+time.Millisecond {
		t.Errorf("after it the bucket is in debt: waits %v, want %v", wait, want)
	}
	if wait := p.take(now.Add(-time.Hour), 1, 900); wait <= 0 {
		t.Error("a clock that went back gave tokens")
	}
}

func TestMarks(t *testing.T) {
	var m marks
	here := map[contract.Token]contract.Peer{peerToken("bob"): peer("bob", 1)}
	if !m.fresh(peerToken("bob"), 5, here) || m.fresh(peerToken("bob"), 5, here) || m.fresh(peerToken("bob"), 4, here) || !m.fresh(peerToken("bob"), 6, here) {
		t.Error("only a higher seq is fresh")
	}
	delete(here, peerToken("bob"))
	m.depart(peerToken("bob"), here)
	if m.fresh(peerToken("bob"), 6, here) {
		t.Error("a sender that has left is forgotten at once")
	}
	stays := peerToken("stays")
	m.fresh(stays, 1, here) // not in the roster yet
	here[stays] = peer("stays", 2)
	for i := range maxDepartedMarks {
		m.fresh(peerToken(fmt.Sprint("stranger-", i)), 1, here)
	}
	if len(m.absent) != maxDepartedMarks || len(m.seqs) != maxDepartedMarks+1 {
		t.Errorf("%d absent of %d senders are kept, want %d and the one who came in", len(m.absent), len(m.seqs), maxDepartedMarks)
	}
	if m.fresh(stays, 1, here) {
		t.Error("a sender in the roster was forgotten for strangers")
	}
	if !m.fresh(peerToken("bob"), 6, here) {
		t.Error("the oldest absent sender must be the one that is forgotten")
	}
}

// boxed makes an outbox with n frames of 60 bytes or so.
func boxed(t *testing.T, n int) *outbox {
	t.Helper()
	o := &outbox{maxFrames: 8, maxBytes: 8 << 10}
	for i := range n {
		f, err := newOutFrame(contract.TypeMessage, contract.Message{Type: contract.TypeMessage, Room: "r", Data: []byte(fmt.Sprint(i))})
		if err != nil || !o.add(f) {
			t.Fatal(err)
		}
	}
	return o
}

func takeAll(o *outbox) (seqs []uint64) {
	for o.peek(math.MaxInt, math.MaxInt) != nil {
		seqs = append(seqs, o.take().seq)
	}
	return seqs
}

func TestOutbox_Bounds(t *testing.T) {
	o := boxed(t, 8)
	f, _ := newOutFrame(contract.TypeMessage, contract.Message{Type: contract.TypeMessage})
	if o.add(f) {
		t.Error("a ninth frame was taken")
	}
	takeAll(o)
	o.acknowledge(2)
	if !o.add(f) {
		t.Error("no room after two were acknowledged")
	}
	o.maxBytes = o.bytes + f.size() - 1
	if o.add(f) {
		t.Error("a frame over the bytes was taken")
	}
	o.acknowledge(8)
	if o.bytes != f.size() || o.flying != 0 {
		t.Errorf("%d bytes, %d flying, want only the last frame's %d", o.bytes, o.flying, f.size())
	}
}

func TestOutbox_Peek(t *testing.T) {
	o := boxed(t, 3)
	size := o.frames[0].size()
	if o.peek(0, size) != nil {
		t.Error("peek over the frames in flight")
	}
	if o.peek(9, 1) == nil {
		t.Error("a frame that alone is over the bytes must go when nothing flies")
	}
	o.take()
	if o.peek(9, 2*size-1) != nil || o.peek(9, 2*size) == nil {
		t.Error("the bound of bytes in flight isn't where it must be")
	}
}

func TestOutbox_Find(t *testing.T) {
	o := boxed(t, 4)
	o.peek(9, 1<<20)
	o.take()
	o.take()
	for seq, want := range map[uint64]bool{0: false, 1: true, 2: true, 3: false, math.MaxUint64: false} {
		if got := o.find(seq) != nil; got != want {
			t.Errorf("find(%d) = %v, want %v", seq, got, want)
		}
	}
	o.acknowledge(1)
	if o.find(1) != nil || o.find(2) == nil {
		t.Error("find after an acknowledgement")
	}
}

func TestOutbox_Rewind(t *testing.T) {
	o := boxed(t, 5)
	o.peek(9, 1<<20)
	for range 4 {
		o.take()
	}
	o.acknowledge(1)
	o.frames[1].finish(contract.CodePeerGone) // seq 3
	if again := o.rewind(2, "void"); again != 2 {
		t.Errorf("%d frames go again, want 2: 3 and 4", again)
	}
	if o.written != 1 || o.find(2) == nil {
		t.Error("frame 2 is at the edge and must count as written")
	}
	if got := string(o.take().text()); got != `{"type":"leave","seq":3,"room":"void"}` {
		t.Errorf("in place of a refused frame: %s", got)
	}
	if got := string(o.take().text()); got != `{"type":"message","seq":4,"room":"r","data":3}` {
		t.Errorf("frame 4: %s", got)
	}
	if f := o.take(); f.seq != 5 {
		t.Errorf("new frame has seq %d, want 5", f.seq)
	}
	o.acknowledge(5)
	if o.bytes != 0 || o.flying != 0 || len(o.frames) != 0 || o.acked != 5 {
		t.Errorf("outbox isn't empty: %+v", o)
	}
	o.rewind(9, "void")
	if f, _ := newOutFrame("x", contract.Leave{Type: "x"}); !o.add(f) || o.take().seq != 10 {
		t.Error("after a welcome that is ahead, seqs must go on behind it")
	}
}

func TestOutbox_Abandon(t *testing.T) {
	o := boxed(t, 2)
	o.peek(9, 1<<20)
	o.take()
	join, _ := newOutFrame(contract.TypeJoin, contract.Join{Type: contract.TypeJoin})
	o.add(join)
	lost := o.abandon(0)
	if len(lost) != 2 || len(o.frames) != 1 || o.bytes != join.size() || o.last != 0 || o.acked != 0 {
		t.Errorf("%d frames lost, outbox %+v, want only the unwritten join kept", len(lost), o)
	}
	if o.take(); join.seq != 1 {
		t.Errorf("seq %d in the new session, want 1", join.seq)
	}
	if o.withdraw(join) {
		t.Error("a written frame was withdrawn")
	}
	if lost = o.abandon(0); len(lost) != 1 {
		t.Error("a written join must be lost with its session")
	}
}

func TestSplitParts_AtTheEdge(t *testing.T) {
	if parts := splitParts(xs(100), 100, "id"); len(parts) != 1 || len(parts[0]) != 100 {
		t.Errorf("text of the limit became %d messages, want itself", len(parts))
	}
	if parts := splitParts(xs(1001), 1000, "id"); len(parts) != 2 {
		t.Errorf("text over the limit became %d messages, want 2 parts", len(parts))
	}
}

func xs(n int) []byte { return bytes.Repeat([]byte("x"), n) }

func TestAssembler_Refuses(t *testing.T) {
	part := func(id string, index, of int, chunk string) *contract.Part {
		return &contract.Part{ID: id, Index: index, Of: of, Chunk: chunk}
	}
	long := string(xs(contract.MaxPartIDBytes + 1))
	for name, parts := range map[string][]*contract.Part{
		"no id":          {part("", 0, 1, "x")},
		"long id":        {part(long, 0, 1, "x")},
		"not from 0":     {part("a", 1, 2, "x")},
		"left out":       {part("a", 0, 3, "x"), part("a", 2, 3, "x")},
		"twice":          {part("a", 0, 3, "x"), part("a", 1, 3, "x"), part("a", 1, 3, "x")},
		"another id":     {part("a", 0, 2, "x"), part("b", 1, 2, "x")},
		"another number": {part("a", 0, 2, "x"), part("a", 1, 3, "x")},
		"none of none":   {part("a", 0, 0, "x")},
		"behind the end": {part("a", 0, 1, "x"), part("a", 1, 1, "x")},
		"negative":       {part("a", -1, 2, "x")},
		"too long":       {part("a", 0, 2, "12345"), part("a", 1, 2, "678901")},
	} {
		var a assembler
		var err error
		for _, p := range parts {
			if _, err = a.add(p, 10); err != nil {
				break
			}
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if whole, err := a.add(part("c", 0, 1, "1234567890"), 10); string(whole) != "1234567890" || err != nil {
			t.Errorf("%s: a good frame after it gives %q, %v", name, whole, err)
		}
	}
}
