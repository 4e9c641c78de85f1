package edge

import (
	"errors"
	"testing"

	"github.com/parley-rtc/parley/services/lifecycle"
)

// Clients are let in when each check was good once, whatever comes later.
func TestChecks_good(t *testing.T) {
	opened := 0
	c := newChecks(lifecycle.NewHealth(), "edge", func() { opened++ })
	for i, check := range checkNames {
		if opened != 0 {
			t.Fatalf("opened when only %q were good", checkNames[:i])
		}
		c.set(check, errors.New("not yet"))
		c.set(check, nil)
	}
	c.set(checkNames[0], errors.New("not any more"))
	c.set(checkNames[0], nil)
	if opened != 1 {
		t.Errorf("opened %d times, want once", opened)
	}
}
