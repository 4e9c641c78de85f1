package edge

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
	"github.com/parley-rtc/parley/services/natstest"
)

// hall is a room in which ada is on this edge, to which she came from another
// one. Her socket is the test's.
type hall struct {
	*yard
	ada    *membership
	socket *bufio.Reader
}

func newHall(t *testing.T, senders ...contract.Member) *hall {
	t.Helper()
	h := &hall{yard: newYard(t)}
	ada := newMember(t, "ada", 1, h.r.e.id)
	h.ada = &membership{
		s: newSession(h.r.e), r: h.r, peer: ada.Peer, peerText: ada.Peer.String(), from: []byte(ada.Peer.String()), roomName: "room",
		epoch: 1, known: 1, came: &contract.MemberRecord{Peer: ada.Peer, Edge: h.r.e.id},
	}
	h.ada.recorder.m = h.ada
	here, there := net.Pipe()
	if err := there.SetReadDeadline(time.Now().Add(time.Minute)); err != nil { // of a test that fails
		t.Fatal(err)
	}
	c := conn.New(here, conn.Options{OutboundFrames: 1000, OutboundBytes: 1 << 20})
	t.Cleanup(func() {
		_ = there.Close()
		c.Close(contract.CloseNormal, "")
		c.Wait()
	})
	h.ada.s.conn, h.socket = c, bufio.NewReader(there)
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.locals[h.ada.peerText] = h.ada
	doc := &contract.RoomDocument{Revision: uint64(len(senders)) + 1, Members: append([]contract.Member{ada}, senders...)}
	h.r.roster.Load(doc, nil)
	return h
}

// newMember is one who joined on an edge.
func newMember(t *testing.T, name string, epoch uint64, edge contract.Token) contract.Member {
	t.Helper()
	return contract.Member{Peer: process(t, name), Identity: name, Epoch: epoch, Edge: edge}
}

// places has a takeover bring a member to an edge, in a session that begins with it.
func (h *hall) places(member contract.Member, edge contract.Token, incarnation, acked uint64) {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.place(member.Peer, roster.Place{Edge: edge, Incarnation: incarnation, Began: incarnation, Acked: acked})
}

// message is a sender's message to ada, or to all.
func (h *hall) message(from contract.Member, seq uint64, toAll bool) contract.Signal {
	s := contract.Signal{
		Kind: contract.KindMessage, App: []byte("app"), Room: []byte("room"), Revision: h.r.roster.Revision(),
		From: []byte(from.Peer.String()), Epoch: from.Epoch, Seq: seq, Body: []byte("{}"),
	}
	if !toAll {
		s.To = []byte(h.ada.peerText)
	}
	return s
}

// comes has a signal come from an edge.
func (h *hall) comes(edge contract.Token, s contract.Signal) {
	var out delivery
	h.r.take(origin{from: edge, revision: s.Seq}, &s, &out)
	out.flush()
}

// logged puts an entry into the log of an edge.
func (h *hall) logged(from, to contract.Token, signals ...contract.Signal) (revision uint64) {
	h.t.Helper()
	entry := contract.AppendEntry(nil)
	for i := range signals {
		entry = contract.AppendSignal(entry, &signals[i])
	}
	ack, err := h.js.Publish(h.t.Context(), h.log.Subject(from, to), entry)
	if err != nil {
		h.t.Fatal(err)
	}
	return ack.Sequence
}

// bucket makes a bucket for ada's edge.
func (h *hall) bucket(name string) jetstream.KeyValue {
	h.t.Helper()
	if _, err := h.js.CreateKeyValue(h.t.Context(), jetstream.KeyValueConfig{Bucket: name}); err != nil {
		h.t.Fatal(err)
	}
	kv, err := bus.OpenBucket(h.t.Context(), h.js, name)
	if err != nil {
		h.t.Fatal(err)
	}
	return kv
}

// brokenLog is the log for who can't reach it.
func (h *hall) brokenLog() *link.Log {
	h.t.Helper()
	nc := natstest.Connect(h.t, h.server)
	js, err := jetstream.New(nc)
	if err != nil {
		h.t.Fatal(err)
	}
	log, err := link.OpenLog(h.t.Context(), js)
	if err != nil {
		h.t.Fatal(err)
	}
	nc.Close()
	return log
}

// writes puts a document with ada and others where her edge reads it.
func (h *hall) writes(others ...contract.Member) {
	h.t.Helper()
	ada := contract.Member{Peer: h.ada.peer, Identity: "ada", Epoch: h.ada.epoch, Edge: h.r.e.id}
	doc := contract.RoomDocument{Revision: h.r.roster.Revision() + 1, Members: append([]contract.Member{ada}, others...)}
	if _, err := h.r.e.rooms.Put(h.t.Context(), h.r.key, marshal(doc)); err != nil {
		h.t.Fatal(err)
	}
}

// hello is ada's, with her cursor at the beginning of an edge's log.
func (h *hall) hello(edge contract.Token) *contract.Hello {
	cursor := contract.Cursor{Edge: edge, Epoch: h.log.Epoch(edge), App: h.r.app}
	return &contract.Hello{Rooms: map[string]contract.ResumeRoom{"room": {Peer: h.ada.peerText, Cursor: cursor.String()}}}
}

// awaitGot is checkGot for what comes some time.
func (h *hall) awaitGot(want ...uint64) {
	h.t.Helper()
	for _, seq := range want {
		var relayed struct {
			Type string `json:"type"`
			Seq  uint64 `json:"seq"`
		}
		for relayed.Type != contract.TypeMessage {
			if err := json.Unmarshal(readText(h.t, h.socket), &relayed); err != nil {
				h.t.Fatal(err)
			}
		}
		if relayed.Seq != seq {
			h.t.Fatalf("ada got %d, want %d of %v", relayed.Seq, seq, want)
		}
	}
}

// checkGot says what must have come out of ada's socket since the last time.
func (h *hall) checkGot(want ...uint64) {
	h.t.Helper()
	end := marshal(contract.Ping{Type: contract.TypePong, T: []byte("1")})
	h.ada.s.sendNow(end)
	var got []string
	for {
		text := readText(h.t, h.socket)
		if string(text) == string(end) {
			break
		}
		var relayed contract.Relayed
		if err := json.Unmarshal(text, &relayed); err != nil {
			h.t.Fatal(err)
		}
		got = append(got, fmt.Sprint(relayed.Seq))
	}
	if got, want := strings.Join(got, " "), strings.Trim(fmt.Sprint(want), "[]"); got != want {
		h.t.Errorf("ada got [%s], want [%s]", got, want)
	}
}
