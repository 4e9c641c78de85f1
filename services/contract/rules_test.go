package contract

import (
	"slices"
	"testing"
)

// The texts travel and are the labels of metrics: a change breaks readers.
func TestRules_areTheReleasedOnes(t *testing.T) {
	want := []Rule{
		"private_address", "loopback", "link_local", "multicast",
		"broadcast", "unspecified", "reserved_address", "hostname",
		"not_relay", "bad_port", "related_address", "too_many_candidates",
		"superseded", "bad_candidate",
		"sdp_address", "sdp_line", "bad_description",
	}
	if got := Rules(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestRule_Known(t *testing.T) {
	for _, r := range Rules() {
		if !r.Known() {
			t.Errorf("%q is not known", r)
		}
	}
	for _, r := range []Rule{"", "private", "Loopback", "loopback\n"} {
		if r.Known() {
			t.Errorf("%q is known", r)
		}
	}
}
