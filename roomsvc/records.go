package roomsvc

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
)

// records brings into the index what the members bucket says of places: a
// takeover changes no document, yet the events must follow the member.
type records struct {
	index *index.Index
	tell  func(edge contract.Token, ref room.Ref, revision uint64)
}

// place is the part of a contract.MemberRecord that is looked at here.
type place struct {
	Epoch       uint64               `json:"epoch"`
	Incarnation uint64               `json:"incarnation"`
	Edge        contract.Token       `json:"edge"`
	State       contract.MemberState `json:"state"`
}

// saw notes a record. An edge that a member moved to may have read the document
// just before a commit that still went to the old place, so it is told the
// revision.
func (r *records) saw(v store.Value) {
	ref, peer, err := room.ParseMemberKey(v.Key)
	if err != nil {
		slog.Warn("the members bucket holds a key that is no member's", "error", err)
		return
	}
	if v.Data == nil {
		return
	}
	var p place
	if err := json.Unmarshal(v.Data, &p); err != nil {
		slog.Error("member's record can't be read", "room", ref.String(), "error", err)
		return
	}
	record := &contract.MemberRecord{Peer: peer, Epoch: p.Epoch, Incarnation: p.Incarnation, Edge: p.Edge, State: p.State}
	if r.index.Record(ref, record, time.Now()) {
		r.tell(p.Edge, ref, r.index.Revision(ref))
	}
}
