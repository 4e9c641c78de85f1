package model

import (
	"strings"
	"testing"
)

// trial is where the lack of a rule shows.
type trial struct {
	setup  setup
	script []string // what happens first; then everything is tried
	breaks string
}

const (
	lost    = "S1's 1 is acknowledged and never delivered"
	swapped = "S1's 2 is delivered before 1"
)

var trials = map[rule]trial{
	oneEntryInFlight:   {named["R is cut off"], nil, swapped},
	ackAfterSettle:     {named["R is cut off"], nil, "S1's 1 is acknowledged and in no log"},
	firstCommitDecides: {named["filters differ"], nil, "S1's 1 is acknowledged and in no log"},
	giveUpAll:          {named["an entry stays unknown"], nil, swapped},
	cutAtMarks: {larger["others on B, R moves late"], []string{"S1 sends 1", "R says hello to A", "A->B commits", "A takes R, attempt 2"},
		"S1's 3 is delivered before 2"},

	casBeforeRead:    {larger["R and S1 move"], []string{"S1 says hello to C", "R says hello to A", "C takes S1, attempt 2", "A takes R, attempt 2"}, lost},
	higherAttempt:    {named["S1 moves twice"], nil, "S1's 1 is never acknowledged"},
	bothSecrets:      {named["S1 moves twice"], nil, "S1's session is lost"},
	positionFirst:    {larger["R and S1 move"], []string{"S1 says hello to B", "R says hello to A", "B takes S1, attempt 2", "A takes R, attempt 2"}, swapped},
	higherPlaceWins:  {named["R moves twice"], []string{"R says hello to A", "A takes R, attempt 2", "A reads the room for R, attempt 2"}, lost},
	answerAfterDrain: {named["R is cut off"], nil, lost},
	answerTells: {larger["others on C, an entry is unknown"], []string{"S1 sends 1", "S1 sends 2", "R says hello to C", "A gives up A->B"},
		swapped},

	replayTrail:  {named["R is cut off"], nil, lost},
	firstStay:    {named["R moves twice"], nil, swapped},
	readerFirst:  {named["R moves twice"], nil, swapped},
	bySeq:        {named["R is cut off"], nil, swapped},
	waitForEdges: {named["R is cut off"], nil, lost},
	leaseNoAnswer: {apart().casting(1<<edgeC, 2).moving(onlyR, 1).failing(faults{crashes: 1}), []string{
		"S1 sends 1", "S1 sends 2", "R says hello to C", "C takes R, attempt 2", "A->C commits",
	}, swapped},
	readAgain:   {named["R is cut off"], nil, lost},
	holdSenders: {larger["R and S1 move"], []string{"S1 sends 1", "R says hello to A", "A takes R, attempt 2", "A reads the room for R, attempt 2"}, swapped},
	ackedBound: {larger["others on B, R and S1 move"], []string{
		"R says hello to A", "A takes R, attempt 2", "A reads the room for R, attempt 2", "A hears that R is on A, incarnation 2",
		"S1 sends 1", "S1 sends 2", "S1 says hello to B",
	}, swapped},
	bySession: {larger["others on C, an entry is unknown"], []string{"S1 sends 1", "S1 sends 2", "R says hello to C", "A gives up A->B"}, swapped},
	rewindsEnd: {larger["others on C, an entry is unknown"], []string{
		"S1 sends 1", "S1 sends 2", "R says hello to C", "A gives up A->B", "S1 says hello to A", "C takes R, attempt 2",
	}, lost},
	ackedBoundOwn: {larger["R and S1 move"], []string{
		"S1 sends 1", "R says hello to A", "A->B commits", "A takes R, attempt 2", "A reads the room for R, attempt 2",
		"A hears that R is on A, incarnation 2", "S1 sends 2", "S1 says hello to B",
	}, swapped},
	againOnce: {larger["R and S1 move"], []string{
		"S1 sends 1", "R says hello to A", "A->B commits", "A takes R, attempt 2", "A reads the room for R, attempt 2",
		"A hears that R is on A, incarnation 2", "S1 sends 2", "S1 says hello to B",
	}, swapped},
	endBound: {named["others on B, R moves"], nil, swapped},
	endsAtSwitch: {larger["others on B, R is cut off"], []string{
		"R says hello to A", "A takes R, attempt 2", "A reads the room for R, attempt 2", "A hears that R is on A, incarnation 2", "R says hello to A",
	}, swapped},
	dropRest: {larger["others on B, R and S1 move"], []string{
		"S1 says hello to B", "R says hello to A", "A takes R, attempt 2", "A reads the room for R, attempt 2", "B takes S1, attempt 2",
	}, swapped},
	cursorStays:  {named["R moves twice"], nil, swapped},
	cursorBefore: {named["a broadcast in between"], nil, "S1's 3 is acknowledged and never delivered"},
	clientDrops:  {named["R is cut off"], nil, "S1's 1 is delivered twice"},

	rereadOwn: {larger["R moves, S1 is buried"], []string{
		"R says hello to A", "A takes R, attempt 2", "A is paused", "A's lease is out", "S1 is buried",
	}, lost},
}

// deep are the rules whose lack shows only where much happens: in which walk.
var deep = map[rule]uint64{
	lanesForAll: 316,
	newestStays: 76561,
	judgeAgain:  237300,
	notPastKept: 111391,
	fence:       2423,
}

// spare are the rules that delivery doesn't need as far as the model can see, and
// what they are good for.
var spare = map[rule]string{
	lanes:       "what waits on the sender's side needn't be kept on the receiver's; but half a lane is worse than none: see lanesForAll",
	lanesFail:   "the same for what is unknown: it would be committed, and dropped as of an earlier session",
	presence:    "it spares the reading of a record",
	newestFirst: "whoever has answered has nothing on its way to the logs; it is for whoever hasn't and is gone",
	holdEdges:   "the senders that are on an edge are held anyway",
	waitBehind:  "the same",
	edgeDrops:   "the client drops what it had; the edge spares its socket",
}

func TestRules_aModelWithoutOneFails(t *testing.T) {
	for r := range ruleCount {
		t.Run(r.String(), func(t *testing.T) {
			t.Parallel()
			try, tried := trials[r]
			seed, walked := deep[r]
			switch {
			case tried:
				checkTrial(t, r, &try)
			case walked:
				u := longSetup().less(r)
				path, _, fault := u.walk(seed)
				if fault == "" {
					t.Errorf("walk %d breaks nothing without the rule: look for another one", seed)
				}
				t.Logf("%s\n%s", fault, u.story(u.start(), path))
			case spare[r] == "":
				t.Error("nobody says what the rule is for")
			}
		})
	}
}

func checkTrial(t *testing.T, r rule, try *trial) {
	t.Helper()
	u := try.setup.less(r)
	start := play(t, &u, try.script)
	found := u.explore(start, *most)
	if found.fault == "" || !strings.Contains(found.fault, try.breaks) {
		t.Errorf("%d worlds without the rule, and then %q, want %q", found.worlds, found.fault, try.breaks)
	}
	t.Logf("%d worlds: %s\n%s%s", found.worlds, found.fault, lines(try.script), u.story(start, found.path))
}

func TestRules_whatIsSpareIsNotMissed(t *testing.T) {
	for r := range spare {
		t.Run(r.String(), func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"R is cut off", "others on B, R moves"} {
				u := named[name].less(r)
				checkDesign(t, &u, u.start())
			}
		})
	}
}

// play has happen what a script says, line by line.
func play(t *testing.T, u *setup, script []string) *world {
	t.Helper()
	free := *u
	free.all = true
	w := u.start()
	for i, line := range script {
		var can []string
		done := false
		for _, a := range free.choices(w) {
			label := u.label(w, a)
			if can = append(can, label); label != line {
				continue
			}
			if fault := u.do(w, a); fault != "" {
				t.Fatalf("line %d, %s: %s", i+1, line, fault)
			}
			done = true
			break
		}
		if !done {
			t.Fatalf("line %d, %s: can't happen; what can:\n%s", i+1, line, lines(can))
		}
	}
	return w
}

func lines(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return "  - " + strings.Join(all, "\n  - ") + "\n"
}
