package contract_test

import (
	"slices"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestKind_Type(t *testing.T) {
	want := map[contract.Kind]string{
		contract.KindOffer: "offer", contract.KindAnswer: "answer", contract.KindCandidate: "candidate", contract.KindMessage: "message",
	}
	for kind := range 256 {
		if got := contract.Kind(kind).Type(); got != want[contract.Kind(kind)] {
			t.Errorf("kind %d has type %q, want %q", kind, got, want[contract.Kind(kind)])
		}
	}
}

func TestGrants(t *testing.T) {
	if got, want := contract.Grants(), []string{"kick", "lock", "close"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
