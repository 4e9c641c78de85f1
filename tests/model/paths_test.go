package model

import "testing"

// path is an interleaving that broke an earlier design. After its script
// everything is tried; the design keeps its promises in each case, and without
// one of the rules it doesn't.
type path struct {
	name   string
	setup  setup
	script []string
	needs  []rule
}

var paths = []path{{
	name:  "sender and receiver move at the same time",
	setup: larger["R and S1 move"],
	script: []string{
		"S1 sends 1", "A->B commits", "A hears of A->B",
		"R says hello to A", "S1 says hello to C",
		"A takes R, attempt 2", "C takes S1, attempt 2", "C reads the room for S1, attempt 2", "S1 sends 2",
		"A reads the room for R, attempt 2",
	},
	needs: []rule{casBeforeRead, replayTrail},
}, {
	name:  "a receiver moves from B to C to A quickly",
	setup: named["R moves twice"],
	script: []string{
		"S1 sends 1", "R says hello to C", "C takes R, attempt 2", "C reads the room for R, attempt 2",
		"R says hello to A", "A takes R, attempt 3", "A reads the room for R, attempt 3",
	},
	needs: []rule{higherPlaceWins, answerAfterDrain},
}, {
	name:  "an edge wakes after 50 s with stale places",
	setup: larger["R moves, an edge pauses"],
	script: []string{
		"S1 sends 1", "A is paused", "A's lease is out",
		"R says hello to C", "C takes R, attempt 2", "C reads the room for R, attempt 2", "A wakes", "S1 sends 2",
	},
	needs: []rule{waitForEdges},
}, {
	name:  "an edge wakes after 50 s, and one of its members is gone",
	setup: larger["R moves, S1 is buried"],
	script: []string{
		"S1 sends 1", "A is paused", "A's lease is out", "S1 is buried",
		"R says hello to C", "C takes R, attempt 2", "C reads the room for R, attempt 2", "A wakes",
	},
	needs: []rule{rereadOwn},
}, {
	name:  "a broadcast and a direct signal around a move",
	setup: named["others on B, R moves"],
	script: []string{
		"R says hello to C", "C takes R, attempt 2", "C reads the room for R, attempt 2", "A hears that R is on C, incarnation 2",
		"S1 sends 1", "S1 sends 2", "A->B commits",
	},
	needs: []rule{endBound},
}, {
	name:  "a broadcast that others on the receiver's new edge had before it came",
	setup: named["others on C, R moves"],
	script: []string{
		"S1 sends 1", "S1 sends 2", "A->C commits", "R says hello to C", "C takes R, attempt 2", "C reads the room for R, attempt 2",
	},
	needs: []rule{replayTrail, waitForEdges},
}, {
	name:  "an edge dies between the two copies of a broadcast",
	setup: apart().casting(1<<edgeC, 2).moving(onlyR, 1).failing(faults{crashes: 1}),
	script: []string{
		"S1 sends 1", "S1 sends 2", "R says hello to C", "C takes R, attempt 2", "A->C commits", "C reads the room for R, attempt 2", "A crashes",
	},
	needs: []rule{leaseNoAnswer},
}, {
	name:   "a duplicate whose first verdicts were lost",
	setup:  named["filters differ"],
	script: []string{"S1 sends 1", "A->B commits less", "A asks again for A->B"},
	needs:  []rule{firstCommitDecides},
}, {
	name:   "a lost welcome",
	setup:  named["R moves twice"],
	script: []string{"S1 sends 1", "R says hello to C", "C takes R, attempt 2", "R says hello to A"},
	needs:  []rule{bothSecrets},
}, {
	name:   "a lost welcome of a sender",
	setup:  named["S1 moves twice"],
	script: []string{"S1 sends 1", "S1 says hello to C", "C takes S1, attempt 2", "S1 says hello to C"},
	needs:  []rule{bothSecrets},
}, {
	name:  "the second hello is paused until after the third",
	setup: named["R moves twice"],
	script: []string{
		"R says hello to C", "R says hello to A", "A takes R, attempt 3", "A reads the room for R, attempt 3",
	},
	needs: []rule{higherAttempt},
}, {
	name:  "the socket dies inside an entry of three frames",
	setup: named["R is cut off"].sending(4, 0),
	script: []string{
		"S1 sends 1", "S1 sends 2", "S1 sends 3", "S1 sends 4", "A->B commits", "A hears of A->B", "A->B commits", "A hears of A->B",
		"R's edge reads on", "R gets S1:1", "R's edge reads on", "R gets S1:2", "R says hello to B",
	},
	needs: []rule{cursorBefore, clientDrops},
}, {
	name:  "a sender goes from A to B and back while what it had sent is on its way",
	setup: larger["S1 moves, an edge crashes"],
	script: []string{
		"S1 sends 1", "S1 sends 2", "S1 says hello to B", "A->B commits", "A hears of A->B", "B takes S1, attempt 2", "B crashes",
		"S1 says hello to A", "R says hello to A", "A takes R, attempt 2", "A reads the room for R, attempt 2", "A takes S1, attempt 3",
		"A hears that R is on A, incarnation 2",
	},
	needs: []rule{bySession},
}}

func TestPath(t *testing.T) {
	for _, p := range paths {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			checkDesign(t, &p.setup, play(t, &p.setup, p.script))
			for _, r := range p.needs {
				u := p.setup.less(r)
				if found := u.explore(play(t, &u, p.script), *most); found.fault == "" {
					t.Errorf("without %v: %d worlds, and no fault", r, found.worlds)
				}
			}
		})
	}
}
