package roomsvc

import (
	"encoding/json"
	"log/slog"
	"sync"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
)

// policies are the rules of every app.
type policies struct {
	defaults room.Rules

	mu   sync.RWMutex
	apps map[string]room.Rules // of apps that differ from the defaults
}

func newPolicies(defaults room.Rules) *policies {
	return &policies{defaults: defaults, apps: map[string]room.Rules{}}
}

// rules are those of an app's rooms.
func (p *policies) rules(app contract.Token) room.Rules {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if rules, ok := p.apps[app.String()]; ok {
		return rules
	}
	return p.defaults
}

// saw takes over an app's record. One that can't be read changes nothing: the
// rules that were good before are better than none.
func (p *policies) saw(v store.Value) {
	var record contract.AppRecord
	if v.Data != nil {
		if err := json.Unmarshal(v.Data, &record); err != nil {
			slog.Error("app record can't be read", "app", v.Key, "error", err)
			return
		}
	}
	rules := p.defaults
	if record.Capacity > 0 {
		rules.Capacity = record.Capacity
	}
	if knownDuplicates(record.Duplicates) {
		rules.Duplicates = record.Duplicates
	} else if record.Duplicates != "" {
		slog.Error("app record names an unknown duplicate policy: the default is used", "app", v.Key)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if rules == p.defaults {
		delete(p.apps, v.Key)
	} else {
		p.apps[v.Key] = rules
	}
}
