package roomsvc

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// recordReaders is how many members' records are read at once for one call.
const recordReaders = 16

// RoomView answers GET /v1/rooms/{room}.
type RoomView struct {
	Room     string       `json:"room"`
	Revision uint64       `json:"revision"`
	Locked   bool         `json:"locked"`
	Members  []RoomMember `json:"members"` // in the order in which they joined
}

// RoomMember is one membership.
type RoomMember struct {
	Peer     contract.Token       `json:"peer"`
	Identity string               `json:"identity"`
	Epoch    uint64               `json:"epoch"`
	Edge     contract.Token       `json:"edge"` // the process that holds it
	State    contract.MemberState `json:"state"`
	Presence json.RawMessage      `json:"presence,omitempty"`
}

func (s *service) handleShow(ctx context.Context, _ http.ResponseWriter, c call) (any, error) {
	view, err := s.view(ctx, c.room)
	if err == nil && view.Revision == 0 {
		return nil, notFound()
	}
	return view, err
}

func notFound() *contract.Error {
	return contract.Errorf(contract.CodeRoomNotFound, "nobody is in a room of this name: compare with GET %s", RoomsPath)
}

// view reads a room and its members' records from the leader. One that nobody
// was ever in has the revision 0.
func (s *service) view(ctx context.Context, ref room.Ref) (RoomView, error) {
	state, _, err := s.store.Load(ctx, ref)
	if err != nil {
		return RoomView{}, err
	}
	doc := state.Document()
	view := RoomView{
		Room: string(ref.Room.ID()), Revision: doc.Revision, Locked: doc.Locked,
		Members: make([]RoomMember, len(doc.Members)),
	}
	var (
		readers sync.WaitGroup
		mu      sync.Mutex
		failed  error
		turn    = make(chan struct{}, recordReaders)
	)
	for i := range doc.Members {
		turn <- struct{}{}
		readers.Go(func() {
			defer func() { <-turn }()
			member, err := s.viewMember(ctx, ref, &doc.Members[i])
			mu.Lock()
			defer mu.Unlock()
			failed = cmp.Or(failed, err)
			view.Members[i] = member
		})
	}
	readers.Wait()
	return view, failed
}

func (s *service) viewMember(ctx context.Context, ref room.Ref, m *contract.Member) (RoomMember, error) {
	view := RoomMember{Peer: m.Peer, Identity: m.Identity, Epoch: m.Epoch, Edge: m.Edge, State: contract.StateHere}
	record, found, err := s.store.Record(ctx, ref, m.Peer)
	if err == nil && found && (record.Epoch == 0 || record.Epoch == m.Epoch) {
		view.Edge, view.State, view.Presence = record.Edge, record.State, record.Presence
	}
	return view, err
}
