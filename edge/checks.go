package edge

import (
	"slices"
	"sync"

	"github.com/parley-rtc/parley/services/lifecycle"
)

// checks are what an edge needs in order to be ready. Two edges of one process
// tell them apart by their configured name.
type checks struct {
	health *lifecycle.Health
	prefix string
	good   func() // called when each was good once

	mu      sync.Mutex
	missing []string // that weren't good yet
}

var checkNames = []string{"keys", "lease", "reader", "listener"}

func newChecks(health *lifecycle.Health, name string, good func()) *checks {
	c := &checks{health: health, prefix: name + "/", good: good, missing: slices.Clone(checkNames)}
	for _, check := range checkNames {
		c.set(check, lifecycle.ErrStarting)
	}
	return c
}

func (c *checks) set(check string, err error) {
	c.health.Set(c.prefix+check, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.missing, check)
	if err != nil || at < 0 {
		return
	}
	if c.missing = slices.Delete(c.missing, at, at+1); len(c.missing) == 0 {
		c.good()
	}
}
