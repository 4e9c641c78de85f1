package session

// fewPeers is up to how many peers are searched one by one, which is faster
// than a map, and most rooms have fewer.
const fewPeers = 8

// ByPeer keeps a V for each of some peers. The zero value is ready and holds
// nothing. It must not be used by two goroutines at once.
type ByPeer[V any] struct {
	entries []entry[V]
	index   map[string]int // where each peer is; nil while there are few
}

type entry[V any] struct {
	peer  string
	value V
}

// Get returns the peer's value, or nil. It is good until the next At or Delete.
func (p *ByPeer[V]) Get(peer []byte) *V {
	if i := p.find(peer); i >= 0 {
		return &p.entries[i].value
	}
	return nil
}

// At is Get, but a peer that isn't there gets a zero value.
func (p *ByPeer[V]) At(peer []byte) *V {
	i := p.find(peer)
	if i < 0 {
		i = p.add(string(peer))
	}
	return &p.entries[i].value
}

// Delete forgets a peer.
func (p *ByPeer[V]) Delete(peer string) {
	i := p.find([]byte(peer))
	if i < 0 {
		return
	}
	last := len(p.entries) - 1
	if p.index != nil {
		p.index[p.entries[last].peer] = i
		delete(p.index, peer)
	}
	p.entries[i] = p.entries[last]
	p.entries[last] = entry[V]{}
	p.entries = p.entries[:last]
}

func (p *ByPeer[V]) find(peer []byte) int {
	if p.index != nil {
		if i, ok := p.index[string(peer)]; ok {
			return i
		}
		return -1
	}
	for i := range p.entries {
		if p.entries[i].peer == string(peer) {
			return i
		}
	}
	return -1
}

func (p *ByPeer[V]) add(peer string) int {
	i := len(p.entries)
	p.entries = append(p.entries, entry[V]{peer: peer})
	if p.index == nil && i == fewPeers {
		p.index = make(map[string]int, 2*fewPeers)
		for i := range p.entries {
			p.index[p.entries[i].peer] = i
		}
	}
	if p.index != nil {
		p.index[peer] = i
	}
	return i
}
