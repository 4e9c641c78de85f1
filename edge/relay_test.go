package edge

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// pairYard is a yard whose room has a member with a session, ada, and one on
// another edge, bob.
type pairYard struct {
	*yard
	s     *clientSession
	there contract.Token // bob's edge
	bob   contract.Token
}

func newPairYard(t *testing.T) *pairYard {
	t.Helper()
	y := &pairYard{yard: newYard(t), there: process(t, "there"), bob: contract.NewPeerID()}
	e := y.r.e
	y.s = newSession(e)
	m := newMembership(y.s, y.r, &contract.Join{Room: "room"}, 1, &contract.Claims{Subject: "ada", ICE: contract.PolicyAll})
	m.epoch = 1
	y.s.rooms["room"], y.r.locals[m.peerText] = m, m
	y.r.roster.Load(&contract.RoomDocument{Revision: 2, Members: []contract.Member{
		{Peer: m.peer, Identity: "ada", Epoch: 1, Edge: e.id}, {Peer: y.bob, Identity: "bob", Epoch: 2, Edge: y.there},
	}}, nil)
	e.cfg.Limits.FrameBurst, e.cfg.Limits.ByteBurst, e.cfg.Limits.Candidates = 1<<30, 1<<30, 1<<30
	return y
}

// The frames of a session are handled without any allocation of the edge's own,
// from their text to the link.
func TestReceive_allocates_nothing_for_signals(t *testing.T) {
	for name, frame := range map[string]string{
		"offer":     `{"type":"offer","seq":%9d,"room":"room","to":"%s","negotiation":"a negotiation of more than 32 bytes","description":{"type":"offer","sdp":"v=0\r\na=ice-ufrag:EEtu\r\n"}}`,
		"answer":    `{"type":"answer","seq":%9d,"room":"room","to":"%s","negotiation":"a negotiation of more than 32 bytes","description":{"type":"answer","sdp":"v=0\r\n"}}`,
		"candidate": `{"type":"candidate","seq":%9d,"room":"room","to":"%s","negotiation":"n","candidate":{"candidate":"candidate:1 1 udp 2122260223 203.0.113.7 50000 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"EEtu"}}`,
		"message":   `{"type":"message","seq":%9d,"room":"room","to":"%s","data":{"hand":"raised"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			y := newPairYard(t)
			var (
				parts envelope.Assembler
				w     workspace
			)
			seq := uint64(0)
			text := fmt.Appendf(nil, frame, seq, y.bob)
			number := text[bytes.Index(text, []byte(`"seq":`))+len(`"seq":`):][:9]
			got := testing.AllocsPerRun(500, func() {
				seq++
				putNumber(number, seq)
				if err := y.s.receiveIn(&w, nil, &parts, text); err != nil {
					t.Fatal(err)
				}
			})
			if frames, _ := y.s.seq.Unsettled(); frames != int(seq) {
				t.Fatalf("%d frames are on their way, want %d", frames, seq)
			}
			signal := contract.Signal{Kind: contract.KindMessage, From: []byte(y.bob.String()), Body: []byte("{}")}
			other := process(t, "other")
			want := testing.AllocsPerRun(500, func() { y.r.e.links.Send(other, &signal, y.s.life) })
			if got > want {
				t.Errorf("%v allocations, want no more than the link's %v", got, want)
			}
		})
	}
}

// putNumber writes n right-aligned over what is there.
func putNumber(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = ' '
		if n > 0 || i == len(dst)-1 {
			dst[i] = byte('0' + n%10)
		}
		n /= 10
	}
}

// An entry is delivered without any allocation, from its bytes to the outbox of a
// connection, and so is what it settles.
func TestDeliver_allocates_nothing_for_signals(t *testing.T) {
	y := newPairYard(t)
	here, there := net.Pipe()
	y.s.conn = conn.New(here, conn.Options{OutboundFrames: 1 << 30, OutboundBytes: 1 << 30})
	defer func() {
		_ = there.Close()
		y.s.conn.Close(contract.CloseNormal, "")
		y.s.conn.Wait()
	}()
	d := &deliverer{e: y.r.e}
	signal := contract.Signal{
		Kind: contract.KindCandidate, App: []byte("app"), Room: []byte("room"), From: []byte(y.bob.String()), Epoch: 2,
		To: []byte(y.s.rooms["room"].peerText), Negotiation: []byte("n"), Body: []byte(`{"negotiation":"n","candidate":{"candidate":""}}`),
	}
	var entry []byte
	got := testing.AllocsPerRun(500, func() {
		signal.Seq++
		entry = contract.AppendSignal(contract.AppendEntry(entry[:0]), &signal)
		d.read(y.there, signal.Seq, entry)
		y.s.seq.Accept(signal.Seq, 1)
		y.s.life.Settled(signal.Seq, link.Outcome{})
	})
	if got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
	if len(d.out.owed)+len(y.r.e.acks.owed) != 1 {
		t.Errorf("%d and %d connections are owed a write, want one once", len(d.out.owed), len(y.r.e.acks.owed))
	}
	y.s.conn.Flush()
	received := bufio.NewReader(there)
	for seq := uint64(1); seq <= signal.Seq; seq++ {
		text := readText(t, received)
		var relayed contract.Relayed
		if err := json.Unmarshal(text, &relayed); err != nil || relayed.Seq != seq || relayed.From != y.bob {
			t.Fatalf("got %s (%v), want candidate %d", text, err, seq)
		}
	}
	if got, want := readText(t, received), appendAcked(nil, signal.Seq); !bytes.Equal(got, want) {
		t.Errorf("at the end came %s, want %s", got, want)
	}
}

func readText(t *testing.T, r io.Reader) []byte {
	t.Helper()
	h, err := ws.ReadHeader(r)
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, h.Length)
	if _, err := io.ReadFull(r, text); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAppendAcked(t *testing.T) {
	for _, seq := range []uint64{0, 7, contract.MaxSeq, 1<<64 - 1} {
		want := marshal(contract.Acked{Type: contract.TypeAcked, Seq: seq})
		if got := appendAcked(nil, seq); !bytes.Equal(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
		if !json.Valid(appendAcked(nil, seq)) {
			t.Errorf("%d makes no JSON", seq)
		}
	}
}
