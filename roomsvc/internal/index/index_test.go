package index_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

var (
	hall  = room.Ref{App: token("app"), Room: token("hall")}
	start = time.Unix(1_000_000, 0)
)

func token(text string) contract.Token {
	parsed, err := contract.ParseToken(text)
	if err != nil {
		panic(err)
	}
	return parsed
}

// document is a room at a revision with members "peer@edge", whose epochs count
// from 1.
func document(revision uint64, members ...string) *contract.RoomDocument {
	doc := &contract.RoomDocument{App: hall.App, Room: hall.Room, Revision: revision}
	for i, m := range members {
		var peer, edge string
		if _, err := fmt.Sscanf(m, "%2s@%2s", &peer, &edge); err != nil {
			panic(err)
		}
		doc.Members = append(doc.Members, contract.Member{Peer: token(peer), Edge: token(edge), Epoch: uint64(i + 1)})
	}
	return doc
}

func record(peer string, epoch uint64, state contract.MemberState, trail ...string) *contract.MemberRecord {
	r := &contract.MemberRecord{Peer: token(peer), Epoch: epoch, State: state, Incarnation: uint64(len(trail))}
	for _, edge := range trail {
		r.Trail = append(r.Trail, token(edge))
	}
	r.Edge = r.Trail[len(r.Trail)-1]
	return r
}

func names(tokens []contract.Token) []string {
	all := []string{}
	for _, t := range tokens {
		all = append(all, t.String())
	}
	slices.Sort(all)
	return all
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestIndex_Document(t *testing.T) {
	x := index.New()
	x.Document(hall, 10, document(2, "p1@e1", "p2@e2"), start)
	want(t, "edges", names(x.Edges()), []string{"e1", "e2"})
	want(t, "rooms of e1", x.RoomsOf(token("e1")), []room.Ref{hall})
	want(t, "revision", x.Revision(hall), uint64(2))
	t.Run("an older one changes nothing", func(t *testing.T) {
		x.Document(hall, 9, document(1, "p1@e1"), start)
		want(t, "revision", x.Revision(hall), uint64(2))
		want(t, "knows 10", x.Knows(hall, 10), true)
		want(t, "knows 11", x.Knows(hall, 11), false)
	})
	t.Run("it tells which edges left the room", func(t *testing.T) {
		dropped := x.Document(hall, 11, document(3, "p2@e2"), start)
		want(t, "dropped", names(dropped), []string{"e1"})
		want(t, "rooms of e1", len(x.RoomsOf(token("e1"))), 0)
	})
	t.Run("an empty room isn't kept", func(t *testing.T) {
		dropped := x.Document(hall, 12, document(4), start)
		want(t, "dropped", names(dropped), []string{"e2"})
		rooms, members := x.Count()
		want(t, "rooms", rooms, 0)
		want(t, "members", members, 0)
		want(t, "edges", len(x.Edges()), 0)
	})
	t.Run("nor a removed one", func(t *testing.T) {
		x.Document(hall, 13, document(5, "p5@e5"), start)
		x.Remove(hall)
		x.Remove(hall)
		rooms, members := x.Count()
		want(t, "rooms and members", rooms+members, 0)
		want(t, "edges", len(x.Edges()), 0)
	})
}

func TestIndex_Record(t *testing.T) {
	doc := document(2, "p1@e1", "p2@e1")
	t.Run("a member that never moved", func(t *testing.T) {
		x := index.New()
		x.Document(hall, 1, doc, start)
		want(t, "moved", x.Record(hall, record("p1", 1, contract.StateHere, "e1"), start), false)
		want(t, "edges", names(x.Edges()), []string{"e1"})
	})
	t.Run("a move counts once", func(t *testing.T) {
		x := index.New()
		x.Document(hall, 1, doc, start)
		moved := record("p1", 1, contract.StateHere, "e1", "e2")
		want(t, "moved", x.Record(hall, moved, start), true)
		want(t, "moved again", x.Record(hall, moved, start), false)
		want(t, "edges", names(x.Edges()), []string{"e1", "e2"})
		want(t, "place", x.Place(hall, &doc.Members[0]).String(), "e2")
		want(t, "places", names(x.Places(hall, doc.Members, doc.Members)), []string{"e1", "e2"})
		x.Record(hall, record("p2", 2, contract.StateAway, "e1", "e2"), start)
		want(t, "edges when the last one moved", names(x.Edges()), []string{"e2"})
	})
	t.Run("a move seen before the document", func(t *testing.T) {
		x := index.New()
		want(t, "moved", x.Record(hall, record("p1", 1, contract.StateHere, "e1", "e2"), start), false)
		x.Document(hall, 1, doc, start)
		want(t, "edges", names(x.Edges()), []string{"e1", "e2"})
	})
	t.Run("a record of another epoch isn't believed", func(t *testing.T) {
		x := index.New()
		x.Document(hall, 1, doc, start)
		want(t, "moved", x.Record(hall, record("p1", 7, contract.StateHere, "e1", "e2"), start), false)
		want(t, "edges", names(x.Edges()), []string{"e1"})
		want(t, "moved when it is", x.Record(hall, record("p1", 0, contract.StateHere, "e1", "e2"), start), true)
	})
}

func TestIndex_Ghosts(t *testing.T) {
	x := index.New()
	x.Document(hall, 1, document(2, "p1@e1", "p2@e2"), start)
	x.Record(hall, record("p1", 1, contract.StateGone, "e1"), start)
	x.Record(hall, record("p9", 1, contract.StateGone, "e1"), start)
	want(t, "at once", len(x.Ghosts(start)), 0)
	want(t, "later", x.Ghosts(start.Add(1)), []index.Ghost{{Room: hall, Peer: token("p1")}})
	x.Document(hall, 2, document(3, "p2@e2"), start)
	want(t, "when it has left", len(x.Ghosts(start.Add(1))), 0)
}

func TestIndex_Prune(t *testing.T) {
	x := index.New()
	x.Document(hall, 1, document(2, "p1@e1"), start)
	x.Record(hall, record("p1", 1, contract.StateHere, "e1", "e2"), start)
	x.Record(hall, record("p2", 2, contract.StateHere, "e1", "e3"), start)
	x.Prune(start.Add(1))
	x.Document(hall, 2, document(3, "p1@e1", "p2@e1"), start)
	want(t, "edges", names(x.Edges()), []string{"e1", "e2"})
}

func TestIndex_Old(t *testing.T) {
	x := index.New()
	x.Document(hall, 1, document(2, "p1@e1"), start)
	want(t, "at that time", len(x.Old(start)), 0)
	want(t, "after it", x.Old(start.Add(1)), []room.Ref{hall})
	x.Document(hall, 2, document(2, "p1@e1"), start.Add(time.Hour))
	want(t, "when written again", len(x.Old(start.Add(time.Hour))), 0)
}
