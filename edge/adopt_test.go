package edge

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

func TestTakenOver_trail(t *testing.T) {
	a, b, c := process(t, "a"), process(t, "b"), process(t, "c")
	now := time.Unix(1_800_000_000, 0)
	r := contract.MemberRecord{Incarnation: 1, Version: 4, Edge: a, Trail: []contract.Token{a}, State: contract.StateAway}
	for _, step := range []struct {
		to    contract.Token
		after time.Duration
		trail []contract.Token
		heads []uint64
	}{
		{b, 0, []contract.Token{a, b}, []uint64{100}},
		{a, time.Minute, []contract.Token{a, b, a}, []uint64{100, 101}},
		{a, time.Minute, []contract.Token{a, b, a}, []uint64{100, 101}},
		{c, trailKept - time.Minute, []contract.Token{a, c}, []uint64{103}},
	} {
		now = now.Add(step.after)
		before := r
		r = takenOver(r, step.to, now, 99+before.Incarnation)
		var heads []uint64
		for _, stay := range r.Past {
			heads = append(heads, stay.Head)
		}
		if r.Edge != step.to || !slices.Equal(r.Trail, step.trail) || !slices.Equal(heads, step.heads) {
			t.Errorf("on %s: %v with heads %v, want %v with %v", r.Edge, r.Trail, heads, step.trail, step.heads)
		}
		if r.Incarnation != before.Incarnation+1 || r.Version != before.Version+1 || r.State != contract.StateHere {
			t.Errorf("got %+v after %+v", r, before)
		}
	}
	for range 2 * maxTrail {
		r = takenOver(r, process(t, "x"), now, 1)
	}
	if len(r.Trail) != maxTrail || len(r.Past) != maxTrail-1 {
		t.Errorf("the trail of a member that moves all the time has %d edges and %d stays, want %d", len(r.Trail), len(r.Past), maxTrail)
	}
}

func TestOpens(t *testing.T) {
	hash := sha256.Sum256([]byte("secret"))
	right, wrong := base64.RawURLEncoding.EncodeToString([]byte("secret")), base64.RawURLEncoding.EncodeToString([]byte("other"))
	for _, tt := range []struct {
		name    string
		secrets []string
		hash    []byte
		want    bool
	}{
		{"the confirmed one", []string{right}, hash[:], true},
		{"the proposed one", []string{wrong, right}, hash[:], true},
		{"another", []string{wrong}, hash[:], false},
		{"none", nil, hash[:], false},
		{"no base64", []string{"*"}, hash[:], false},
		{"a record without one", []string{right, ""}, nil, false},
	} {
		if got := opens(tt.secrets, tt.hash); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
