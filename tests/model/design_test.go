package model

import (
	"flag"
	"math/rand/v2"
	"testing"
)

var (
	large = flag.Bool("large", false, "explore the large setups, too: two minutes and 4 GB")
	most  = flag.Int("worlds", 8_000_000, "the most worlds of one setup")
	walks = flag.Int("walks", 1_500, "how many long walks are taken")
)

const (
	onlyS1 = peerSet(1 << sender1)
	onlyS2 = peerSet(1 << sender2)
	onlyR  = peerSet(1 << receiver)
	allE   = edgeSet(1<<edgeA | 1<<edgeB | 1<<edgeC)
)

// apart has one sender on A and the receiver on B; both has another sender on A,
// and three has it on C.
func apart() setup { return setup{at: [peers]edge{edgeA, edgeA, edgeB}, frames: [senders]uint8{2, 0}} }
func both() setup  { return setup{at: [peers]edge{edgeA, edgeA, edgeB}, frames: [senders]uint8{2, 1}} }
func three() setup { return setup{at: [peers]edge{edgeA, edgeC, edgeB}, frames: [senders]uint8{1, 1}} }

func (u setup) moving(who peerSet, moves uint8) setup {
	u.movers, u.left.moves = who, moves
	return u
}

func (u setup) cutting(who peerSet) setup {
	u.cuts = who
	return u
}

func (u setup) failing(left faults) setup {
	left.moves = u.left.moves
	u.left, u.crashing, u.pausing = left, allE, allE
	return u
}

func (u setup) sending(first, second uint8) setup {
	u.frames = [senders]uint8{first, second}
	return u
}

// casting makes some of S1's signals broadcasts, which others get as well.
func (u setup) casting(others edgeSet, seqs ...uint8) setup {
	u.others = others
	for _, seq := range seqs {
		u.broadcast[sender1] |= 1 << seq
	}
	return u
}

func (u setup) doubting(seq uint8) setup {
	u.doubtful[sender1] = 1 << seq
	return u
}

// named are setups that are explored each time, larger those that need the flag.
var (
	named = map[string]setup{
		"R is cut off":             apart().moving(onlyR, 1).cutting(onlyR),
		"R moves twice":            apart().moving(onlyR, 2),
		"S1 moves twice":           apart().moving(onlyS1, 2).cutting(onlyS1),
		"S1 moves, an edge pauses": apart().moving(onlyS1, 1).failing(faults{pauses: 1}),
		"an edge crashes":          apart().failing(faults{crashes: 1}),
		"two send, R moves":        both().moving(onlyR, 1),
		"three edges, one moves":   three().moving(onlyR|onlyS1|onlyS2, 1),
		"filters differ":           apart().doubting(1).failing(faults{lostAnswers: 1}),
		"an entry stays unknown":   apart().failing(faults{giveUps: 1}),
		"a broadcast in between":   apart().sending(3, 0).casting(0, 2).moving(onlyR, 1),
		"others on B, R moves":     apart().casting(1<<edgeB, 2).moving(onlyR, 1),
		"others on C, R moves":     apart().casting(1<<edgeC, 2).moving(onlyR, 1),
		"others, S1 moves":         apart().casting(allE, 1).moving(onlyS1, 1),
	}
	larger = map[string]setup{
		"an edge pauses, one dies":         apart().failing(faults{crashes: 1, pauses: 1}),
		"R moves, an edge pauses":          apart().moving(onlyR, 1).failing(faults{pauses: 1}),
		"R and S1 move":                    apart().moving(onlyR|onlyS1, 2),
		"R moves thrice":                   apart().moving(onlyR, 3),
		"two send, R moves twice":          both().moving(onlyR, 2),
		"three edges, R moves twice":       three().moving(onlyR, 2),
		"R moves, an edge crashes":         apart().moving(onlyR, 1).failing(faults{crashes: 1}),
		"S1 moves, an edge crashes":        apart().moving(onlyS1, 1).failing(faults{crashes: 1}),
		"R moves twice, an edge pauses":    apart().moving(onlyR, 2).failing(faults{pauses: 1}),
		"R moves, an entry stays unknown":  apart().moving(onlyR, 1).failing(faults{giveUps: 1}),
		"R moves, S1 is buried":            apart().moving(onlyR, 1).failing(faults{pauses: 1, burials: 1}),
		"others on B, R is cut off":        apart().casting(1<<edgeB, 2).moving(onlyR, 2).cutting(onlyR),
		"others on B, R moves late":        apart().sending(3, 0).casting(1<<edgeB, 3).moving(onlyR, 1),
		"others on B, R and S1 move":       apart().casting(1<<edgeB, 2).moving(onlyR|onlyS1, 2),
		"others, R and S1 move":            apart().casting(allE, 2).moving(onlyR|onlyS1, 2),
		"others, R moves twice":            apart().casting(allE, 2).moving(onlyR, 2),
		"others, two send, R moves":        both().casting(allE, 2).moving(onlyR, 1),
		"others on C, an entry is unknown": apart().casting(1<<edgeC, 2).moving(onlyR, 1).failing(faults{giveUps: 1}),
	}
)

func TestDesign_everyWorldKeepsThePromises(t *testing.T) {
	for name, u := range named {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkDesign(t, &u, u.start())
		})
	}
	if !*large {
		return
	}
	for name, u := range larger {
		t.Run(name, func(t *testing.T) { checkDesign(t, &u, u.start()) })
	}
}

func checkDesign(t *testing.T, u *setup, start *world) {
	t.Helper()
	r := u.explore(start, *most)
	t.Logf("%d worlds, at rest: %d", r.worlds, r.ends)
	switch {
	case r.fault != "":
		t.Errorf("%s\n%s", r.fault, u.story(start, r.path))
	case !r.whole && !*large:
		t.Errorf("there are more than %d worlds", *most)
	case r.ends == 0 && r.whole:
		t.Error("nothing ever comes to rest")
	}
}

// TestDesign_longWalksKeepThePromises has more happen in one walk than can be
// explored: each takes one of the things that can happen, until nothing can.
func TestDesign_longWalksKeepThePromises(t *testing.T) {
	u := longSetup()
	ends, steps := 0, 0
	for seed := range uint64(*walks) {
		path, ended, fault := u.walk(seed)
		if fault != "" {
			t.Fatalf("walk %d: %s\n%s", seed, fault, u.story(u.start(), path))
		}
		steps += len(path)
		if ended {
			ends++
		}
	}
	t.Logf("%d steps, %d walks to the end", steps, ends)
	if ends*2 < *walks {
		t.Errorf("only %d of %d walks had room to the end", ends, *walks)
	}
}

func longSetup() setup {
	u := three().sending(3, 2).casting(allE, 2).moving(onlyR|onlyS1|onlyS2, 4).cutting(onlyR | onlyS1)
	u = u.failing(faults{crashes: 1, pauses: 2, giveUps: 1, burials: 1})
	u.all = true
	return u
}

// walk takes one way at random. It ends early where the model has no more room.
func (u *setup) walk(seed uint64) (path []action, ended bool, fault string) {
	defer func() {
		if r := recover(); r != nil && !isFull(r) {
			panic(r)
		}
	}()
	random := rand.New(rand.NewPCG(seed, 0))
	w := u.start()
	for {
		all := u.choices(w)
		if len(all) == 0 {
			return path, true, u.unfinished(w)
		}
		path = append(path, all[random.IntN(len(all))])
		if fault = u.do(w, path[len(path)-1]); fault != "" {
			return path, false, fault
		}
	}
}

func isFull(r any) bool {
	_, ok := r.(full)
	return ok
}
