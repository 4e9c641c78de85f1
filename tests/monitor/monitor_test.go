package monitor

import (
	"testing"
)

func TestParent_isReadAsItIsWritten(t *testing.T) {
	for _, sampled := range []bool{true, false} {
		want := NewParent(sampled)
		if got := ParentOf(want.String()); got != want || len(want.String()) != 55 {
			t.Errorf("%s is read as %+v, want %+v", want, got, want)
		}
	}
	if got := (Parent{}).String(); got != "" {
		t.Errorf("none is written as %q", got)
	}
	if got := ParentOf("nonsense"); got != (Parent{}) {
		t.Errorf("nonsense is read as %+v", got)
	}
}
