package edge

import "github.com/parley-rtc/parley/services/lifecycle"

// checks are what an edge needs in order to be ready. Two edges of one process
// tell them apart by their configured name.
type checks struct {
	health *lifecycle.Health
	prefix string
}

var checkNames = []string{"keys", "lease", "reader", "listener"}

func newChecks(health *lifecycle.Health, name string) *checks {
	c := &checks{health: health, prefix: name + "/"}
	for _, check := range checkNames {
		c.set(check, lifecycle.ErrStarting)
	}
	return c
}

func (c *checks) set(check string, err error) { c.health.Set(c.prefix+check, err) }
