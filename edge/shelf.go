package edge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// shelves hold the links into edges that members came from: when thousands leave
// a dead edge at once, its log is read once for all of them.
type shelves struct {
	e *Edge

	mu     sync.Mutex
	byEdge map[contract.Token]*shelf
}

const (
	// shelfKept is how long a shelf stays that nobody reads from, shelfLife how long
	// any does: the log of an edge that lives, as of this one, grows.
	shelfKept = 15 * time.Second
	shelfLife = 30 * time.Second
	// maxShelfBytes bounds one shelf.
	maxShelfBytes = 256 << 20
	// shelfPause is the time after a reading that failed.
	shelfPause = 100 * time.Millisecond
)

// errShelfFull means that more must be replayed than one edge can hold.
var errShelfFull = errors.New("more was missed than can be replayed")

// shelf is the entries of the links into one edge, by room.
type shelf struct {
	e    *Edge
	edge contract.Token
	made time.Time
	most int // bytes

	mu      sync.Mutex
	first   uint64 // everything over it and
	last    uint64 // up to this is there
	rooms   map[string][]hold
	bytes   int
	waiting []*reading
	running bool
	used    time.Time
}

// reading is who waits until a shelf has everything from `after` to the log's
// head, which must be at `least` or over.
type reading struct {
	after, least uint64
	reached      uint64 // set before done
	done         chan error
}

func (s *shelves) of(edge contract.Token) *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.byEdge[edge]
	if k == nil {
		k = &shelf{e: s.e, edge: edge, made: time.Now(), most: maxShelfBytes}
		if s.byEdge == nil {
			s.byEdge = map[contract.Token]*shelf{}
		}
		s.byEdge[edge] = k
	}
	return k
}

// sweep forgets the shelves that nobody needs any more.
func (s *shelves) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for edge, k := range s.byEdge {
		k.mu.Lock()
		if !k.running && len(k.waiting) == 0 && (time.Since(k.used) > shelfKept || time.Since(k.made) > shelfLife) {
			delete(s.byEdge, edge)
		}
		k.mu.Unlock()
	}
}

// read returns a room's signals after a revision up to `reached`, which is the
// log's head at a moment after the call.
func (k *shelf) read(ctx context.Context, room string, after, least uint64) (signals []hold, reached uint64, err error) {
	for {
		one := &reading{after: after, least: least, done: make(chan error, 1)}
		k.wait(one)
		select {
		case err = <-one.done:
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			return nil, after, err
		}
		if signals, there := k.get(room, one); there {
			return signals, max(after, one.reached), nil
		}
	}
}

// wait has a reading be done.
func (k *shelf) wait(one *reading) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting = append(k.waiting, one)
	k.used = time.Now()
	if !k.running {
		k.running = true
		k.e.goWork(k.run)
	}
}

// get takes what a reading has brought of a room, unless the shelf was cleared since.
func (k *shelf) get(room string, one *reading) (signals []hold, there bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.used = time.Now()
	if k.first > one.after || k.last < one.reached {
		return nil, false
	}
	all := k.rooms[room]
	end := len(all)
	for end > 0 && all[end-1].origin.revision > one.reached {
		end--
	}
	n := end
	for n > 0 && all[n-1].origin.revision > one.after {
		n--
	}
	return all[n:end:end], true
}

// run reads as long as somebody waits. One reading serves all who waited when it
// began.
func (k *shelf) run(ctx context.Context) {
	for {
		k.mu.Lock()
		waiting := k.waiting
		k.waiting = nil
		k.running = len(waiting) > 0
		k.mu.Unlock()
		if len(waiting) == 0 {
			return
		}
		err := k.fill(ctx, waiting)
		if errors.Is(err, errShelfFull) { // perhaps of what nobody who waits needs
			k.clear()
			err = k.fill(ctx, waiting)
		}
		k.mu.Lock()
		reached := k.last
		k.mu.Unlock()
		for _, one := range waiting {
			one.reached = reached
			one.done <- err
		}
		if err != nil {
			pause(ctx, shelfPause)
		}
	}
}

func (k *shelf) fill(ctx context.Context, waiting []*reading) error {
	after, least := waiting[0].after, uint64(0)
	for _, one := range waiting {
		after, least = min(after, one.after), max(least, one.least)
	}
	k.mu.Lock()
	empty := k.rooms == nil
	if empty {
		k.rooms = map[string][]hold{}
		k.first, k.last = after, after
	}
	first, last := k.first, k.last
	k.mu.Unlock()
	if after < first {
		older := &batch{edge: k.edge, e: k.e, room: k.room}
		if _, err := k.e.readLog(ctx, k.edge, after, first, older.take); err != nil {
			return err
		}
		k.put(older, after, last, true)
	}
	newer := &batch{edge: k.edge, e: k.e, room: k.room}
	reached, err := k.e.readLog(ctx, k.edge, last, toHead, newer.take)
	if err == nil && reached < least {
		err = fmt.Errorf("read the log: its head is at %d, but an entry was committed at %d", reached, least)
	}
	if err != nil {
		return err
	}
	k.put(newer, min(after, first), reached, false)
	return nil
}

// clear forgets everything.
func (k *shelf) clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rooms, k.bytes, k.first, k.last = nil, 0, 0, 0
}

// room is how many bytes the shelf can still take.
func (k *shelf) room() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.most - k.bytes
}

// put adds what was read, at the front or at the end.
func (k *shelf) put(b *batch, first, last uint64, front bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.first, k.last = first, last
	k.bytes += b.bytes
	for room, signals := range b.rooms {
		if front {
			k.rooms[room] = append(signals, k.rooms[room]...)
		} else {
			k.rooms[room] = append(k.rooms[room], signals...)
		}
	}
}

// batch is what one reading brings.
type batch struct {
	e     *Edge
	edge  contract.Token
	room  func() int
	rooms map[string][]hold
	bytes int
	key   []byte
}

// take adds the signals of an entry, which it keeps. What can't be read is left
// out, as the reader does.
func (b *batch) take(from contract.Token, revision uint64, data []byte) error {
	if b.bytes += len(data); b.bytes > b.room() {
		return errShelfFull
	}
	items, err := contract.ReadEntry(data)
	for more := true; err == nil && more; {
		if more, err = items.Next(); err != nil || !more || !items.IsSignal() {
			continue
		}
		one := hold{origin: origin{from: from, revision: revision}}
		if err = items.Signal(&one.signal); err != nil {
			continue
		}
		if b.rooms == nil {
			b.rooms = map[string][]hold{}
		}
		b.key = append(append(append(b.key[:0], one.signal.App...), '.'), one.signal.Room...)
		b.rooms[string(b.key)] = append(b.rooms[string(b.key)], one)
	}
	if err != nil {
		entriesBad.Inc()
	}
	return nil
}
