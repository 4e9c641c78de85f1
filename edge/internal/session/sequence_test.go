package session

import "testing"

func TestSequence_Accept(t *testing.T) {
	tests := []struct {
		name string
		seq  uint64
		want Verdict
	}{
		{"first/must be 1", 2, Hole},
		{"first", 1, Fresh},
		{"again", 1, Repeated},
		{"zero", 0, Repeated},
		{"next", 2, Fresh},
		{"hole", 4, Hole},
		{"third", 3, Fresh},
	}
	var s Sequence
	for _, tt := range tests {
		if got := s.Accept(tt.seq, 100); got != tt.want {
			t.Errorf("%s: Accept(%d) = %v, want %v", tt.name, tt.seq, got, tt.want)
		}
	}
	if frames, bytes := s.Unsettled(); frames != 3 || bytes != 300 {
		t.Errorf("Unsettled() = %d, %d, want 3 frames, 300 bytes", frames, bytes)
	}
	s.Release(1)
	if frames, bytes := s.Unsettled(); frames != 2 || bytes != 200 {
		t.Errorf("after a release Unsettled() = %d, %d, want 2 frames, 200 bytes", frames, bytes)
	}
}

func TestSequence_AckedRisesWithoutHoles(t *testing.T) {
	var s Sequence
	for seq := uint64(1); seq <= 4; seq++ {
		s.Accept(seq, 10)
	}
	s.Hold(2) // a broadcast over a second link
	steps := []struct{ release, acked uint64 }{{3, 0}, {1, 1}, {2, 1}, {2, 3}, {2, 3}, {9, 3}, {4, 4}}
	for _, step := range steps {
		before := s.Acked()
		rose := s.Release(step.release)
		if got := s.Acked(); got != step.acked || rose != (got > before) {
			t.Fatalf("after Release(%d): acked %d (rose %v), want %d", step.release, got, rose, step.acked)
		}
	}
	if got := s.Next(); got != 5 {
		t.Errorf("Next() = %d, want 5", got)
	}
}

func TestSequence_Rewind(t *testing.T) {
	var s Sequence
	for seq := uint64(1); seq <= 3; seq++ {
		s.Accept(seq, 10)
	}
	s.Release(1)
	s.Release(3)
	s.Rewind()
	if got := s.Accept(2, 10); got != Fresh {
		t.Errorf("frame 2 after Rewind: %v, want Fresh", got)
	}
	if s.Release(3) {
		t.Error("a release from before Rewind raised acked")
	}
}

func TestWatermarks_Pass(t *testing.T) {
	var w Watermarks
	steps := []struct {
		sender string
		seq    uint64
		want   bool
	}{{"a", 1, true}, {"a", 1, false}, {"b", 1, true}, {"a", 3, true}, {"a", 2, false}}
	for _, step := range steps {
		if got := w.Pass([]byte(step.sender), step.seq); got != step.want {
			t.Errorf("Pass(%s, %d) = %v, want %v", step.sender, step.seq, got, step.want)
		}
	}
	w.Forget("a")
	if !w.Pass([]byte("a"), 1) {
		t.Error("a forgotten sender is still remembered")
	}
}
