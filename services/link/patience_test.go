package link

import (
	"testing"
	"time"
)

func TestPatience(t *testing.T) {
	const lower, upper = 250 * time.Millisecond, time.Second
	var p patience
	if got := p.most(lower, upper); got != upper {
		t.Errorf("before any commit: got %s, want %s", got, upper)
	}
	for range 100 {
		p.learn(2 * time.Millisecond)
	}
	if got := p.most(lower, upper); got != lower {
		t.Errorf("after commits of 2 ms: got %s, want %s", got, lower)
	}
	p.learn(7 * time.Second) // the leader of the log was away
	if got := p.most(lower, upper); got != upper {
		t.Errorf("after a commit of 7 s: got %s, want %s", got, upper)
	}
	for range 100 {
		p.learn(2 * time.Millisecond)
	}
	if got := p.most(lower, upper); got != lower {
		t.Errorf("100 commits later: got %s, want %s", got, lower)
	}
	for range 100 {
		p.learn(400 * time.Millisecond)
	}
	if got := p.most(lower, upper); got < 400*time.Millisecond || got > 450*time.Millisecond {
		t.Errorf("after steady commits of 400 ms: got %s, want a little more than that", got)
	}
	if got := p.most(lower, lower/2); got != lower/2 {
		t.Errorf("bounds that contradict each other: got %s, want the upper one, %s", got, lower/2)
	}
}
