package contract

import (
	"strings"
	"testing"
)

func TestParsePolicy(t *testing.T) {
	for in, want := range map[string]Policy{"public": PolicyPublic, "relay": PolicyRelay, "all": PolicyAll} {
		if got, err := ParsePolicy(in); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "Public", " all", "all ", "none", "*", "public\n", strings.Repeat("a", 4096)} {
		got, err := ParsePolicy(in)
		if err == nil || got != "" {
			t.Errorf("%q: got %q, %v, want an error", in, got, err)
			continue
		}
		if got, want := err.Error(), "unknown ICE policy: use one of all, public, relay"; got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestStricter(t *testing.T) {
	tests := []struct{ a, b, want Policy }{
		{"", "", ""},
		{"", PolicyAll, PolicyAll},
		{"", PolicyPublic, PolicyPublic},
		{"", PolicyRelay, PolicyRelay},
		{PolicyAll, PolicyAll, PolicyAll},
		{PolicyAll, PolicyPublic, PolicyPublic},
		{PolicyAll, PolicyRelay, PolicyRelay},
		{PolicyPublic, PolicyPublic, PolicyPublic},
		{PolicyPublic, PolicyRelay, PolicyRelay},
		{PolicyRelay, PolicyRelay, PolicyRelay},
		{"newer", "", PolicyRelay},
		{"newer", PolicyAll, PolicyRelay},
		{"newer", "newest", PolicyRelay},
	}
	for _, tt := range tests {
		if got := Stricter(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q: got %q, want %q", tt.a, tt.b, got, tt.want)
		}
		if got := Stricter(tt.b, tt.a); got != tt.want {
			t.Errorf("%q and %q: got %q, want %q", tt.b, tt.a, got, tt.want)
		}
	}
}
