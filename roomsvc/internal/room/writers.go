package room

import (
	"cmp"
	"maps"
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// MaxIdleWriters is how many edges without a member keep their last operation.
// One that is forgotten could have a request applied twice that it repeats
// after 64 other edges asked and left, which does nothing unless the room was
// locked or unlocked in between.
const MaxIdleWriters = 64

// MaxServers is how many roomsvcs keep their last message. One that is forgotten
// could send a message twice if so many others send one between its write and
// its look at what became of it.
const MaxServers = 8

// MaxRefusedBytes bounds the refusals that a document keeps. A request of
// MaxOps refused joins fits.
const MaxRefusedBytes = 56 << 10

// forgotten stands in WriterOp.Refused for refusals that had to make room: who
// asked for a join then, and was never in, was refused. It is no peer's id.
const forgotten = "*"

// record keeps the last operation of an edge.
func (d *draft) record(edge contract.Token, op contract.WriterOp) {
	if !d.owned {
		d.doc.Writers, d.owned = maps.Clone(d.doc.Writers), true
	}
	if d.doc.Writers == nil {
		d.doc.Writers = map[string]contract.WriterOp{}
	}
	d.doc.Writers[edge.String()] = op
	d.changed = true
}

// prune keeps the writers within their bounds.
func (d *draft) prune() {
	members := make(map[string]bool, len(d.joined))
	for edge := range d.joined {
		members[edge.String()] = true
	}
	var idle, servers []string
	refused := 0
	for edge, op := range d.doc.Writers {
		switch {
		case op.Server:
			servers = append(servers, edge)
		case !members[edge]:
			idle = append(idle, edge)
		}
		refused += refusedWeight(op)
	}
	if len(idle) <= MaxIdleWriters && len(servers) <= MaxServers && refused <= MaxRefusedBytes {
		return
	}
	if !d.owned {
		d.doc.Writers, d.owned = maps.Clone(d.doc.Writers), true
	}
	d.byAge(servers)
	for len(servers) > MaxServers {
		delete(d.doc.Writers, servers[0])
		servers = servers[1:]
	}
	d.byAge(idle)
	for len(idle) > MaxIdleWriters {
		refused -= refusedWeight(d.doc.Writers[idle[0]])
		delete(d.doc.Writers, idle[0])
		idle = idle[1:]
	}
	d.forget(refused)
}

// forget drops the refusals of the oldest operations until the rest fits.
func (d *draft) forget(refused int) {
	if refused <= MaxRefusedBytes {
		return
	}
	all := slices.Collect(maps.Keys(d.doc.Writers))
	d.byAge(all)
	for _, edge := range all {
		if refused <= MaxRefusedBytes {
			return
		}
		op := d.doc.Writers[edge]
		if refusedWeight(op) == 0 {
			continue
		}
		refused -= refusedWeight(op)
		op.Refused = map[string]contract.Code{forgotten: contract.CodeUnavailable}
		d.doc.Writers[edge] = op
	}
}

// byAge sorts writers, the oldest operation first.
func (d *draft) byAge(edges []string) {
	slices.SortFunc(edges, func(a, b string) int {
		x, y := d.doc.Writers[a], d.doc.Writers[b]
		return cmp.Or(cmp.Compare(x.Revision, y.Revision), cmp.Compare(x.N, y.N), cmp.Compare(a, b))
	})
}

// refusedWeight is what the refusals of an operation take, 0 for forgotten
// ones: writerWeight has room for their mark.
func refusedWeight(op contract.WriterOp) int {
	if len(op.Refused) == 0 || op.Refused[forgotten] != "" {
		return 0
	}
	n := len(`,"refused":{}`)
	for peer, code := range op.Refused {
		n += len(`"":"",`) + len(peer) + len(code)
	}
	return n
}
