package roster

import "github.com/parley-rtc/parley/services/contract"

// Polite reports whether self is the polite one towards other, so that of each
// pair exactly one is: the one that can roll back; if both or neither can, the
// one that joined later.
func Polite(self, other *contract.Member) bool {
	if self.Capabilities.Rollback != other.Capabilities.Rollback {
		return self.Capabilities.Rollback
	}
	return self.Epoch > other.Epoch
}

// View is a member as self sees it.
func (m *Member) View(self *contract.Member) contract.Peer {
	return contract.Peer{
		Peer: m.Peer, Identity: m.Identity, Epoch: m.Epoch,
		Presence: m.Presence, Version: m.Version,
		Polite: Polite(self, &m.Member), Capabilities: m.Capabilities, State: m.State,
	}
}
