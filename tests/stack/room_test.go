package stack

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token"
)

// crowd is how many members join besides the two that look closely; together
// they are as many as a room may have.
const crowd = 998

// bystander is a member that reads everything and understands almost nothing,
// so that 1,000 of them fit a test: it counts frames by type.
type bystander struct {
	nc     net.Conn
	counts map[string]int
	joined chan struct{} // closed by `joined`
	heard  chan struct{} // closed by the first `message`
	asked  chan struct{} // closed by the first `goaway`
	ended  chan struct{}
	code   contract.CloseCode // of the end, if the edge said one
}

func TestRoom_ofAThousandMembers(t *testing.T) {
	limits := GenerousLimits()
	limits.OutboundFrames, limits.OutboundBytes = contract.DefaultLimits().OutboundFrames, contract.DefaultLimits().OutboundBytes
	s := InProcess(t, Options{
		Limits: limits,
		Edge:   func(c *edge.Config) { c.PingInterval = time.Hour }, // bystanders answer no ping, however long all take to join
	})
	first := Join(t, s.Dial(t, 0, "first", client.WithEventBuffer(20_000, 64<<20)), "big")
	members := joinCrowd(t, s, "big")
	last := Join(t, s.Dial(t, 1, "last", client.WithEventBuffer(20_000, 64<<20)), "big")

	if got := len(last.Peers()); got != crowd+1 {
		t.Errorf("the last one to join sees %d others, want %d", got, crowd+1)
	}
	for _, p := range last.Peers() {
		if !p.Polite || p.Epoch >= last.Self().Epoch {
			t.Fatalf("towards %+v the last one to join, at epoch %d, must be polite", p, last.Self().Epoch)
		}
	}
	waitPeers(t, first, crowd+1)
	if err := first.Broadcast(t.Context(), "hello"); err != nil {
		t.Fatalf("broadcast to %d members: %v", crowd+1, err)
	}
	if m, err := nextMessage(t.Context(), last); err != nil || m.From != first.Self().Peer {
		t.Errorf("the last one got %+v, %v", m, err)
	}
	for i, m := range members {
		if waitFor(t, m.heard, fmt.Sprintf("member %d to hear the broadcast", i)); t.Failed() {
			return
		}
	}
	if _, err := s.Dial(t, 0, "one too many").Join(t.Context(), "big"); !isCode(err, contract.CodeRoomFull) {
		t.Errorf("member 1,001: %v, want %s", err, contract.CodeRoomFull)
	}
}

// joinCrowd joins bystanders, many at a time, and checks what each heard.
func joinCrowd(t *testing.T, s *Stack, room string) []*bystander {
	t.Helper()
	members := make([]*bystander, crowd)
	var joins sync.WaitGroup
	turn := make(chan struct{}, 64)
	for i := range members {
		turn <- struct{}{}
		joins.Go(func() {
			defer func() { <-turn }()
			members[i] = newBystander(t, s, i, room)
			waitFor(t, members[i].joined, fmt.Sprintf("member %d to join", i))
		})
	}
	joins.Wait()
	t.Cleanup(func() {
		for _, m := range members {
			_ = m.nc.Close() // the edge may have closed it
			<-m.ended
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return members
}

func newBystander(t *testing.T, s *Stack, i int, room string) *bystander {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	nc, br, _, err := ws.Dialer{Protocols: []string{contract.Subprotocol}}.Dial(ctx, s.Edges[i%len(s.Edges)])
	if err != nil {
		t.Fatal(err)
	}
	if br == nil {
		br = bufio.NewReader(nc)
	}
	b := &bystander{
		nc: nc, counts: map[string]int{},
		joined: make(chan struct{}), heard: make(chan struct{}), asked: make(chan struct{}), ended: make(chan struct{}),
	}
	go b.read(br)
	identity := fmt.Sprintf("member %d", i)
	signed, err := s.sign(room, identity)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(identity))
	for _, text := range []string{
		fmt.Sprintf(`{"type":"hello","next":%q,"attempt":1}`, base64.RawURLEncoding.EncodeToString(hash[:])),
		fmt.Sprintf(`{"type":"join","seq":1,"room":%q,"token":%q}`, room, signed),
	} {
		if err := ws.WriteFrame(nc, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text)))); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// sign is a token that no authsvc has made.
func (s *Stack) sign(room, identity string) (string, error) {
	now := time.Now().Unix()
	return token.Sign(s.Key, token.KeyID(s.Key.Public().(ed25519.PublicKey)), contract.Claims{
		Issuer: "parley", Subject: identity, Audience: contract.TokenAudience, NotBefore: now - 10, Expires: now + 600,
		ID: rand.Text(), App: App, Room: room,
	})
}

// read counts frames by type until the connection ends. A `joined` in parts
// shows by the frame's own beginning in the first part.
func (b *bystander) read(br *bufio.Reader) {
	defer close(b.ended)
	var buf bytes.Buffer
	for {
		header, err := ws.ReadHeader(br)
		if err != nil {
			return
		}
		buf.Reset()
		if _, err := io.CopyN(&buf, br, header.Length); err != nil {
			return
		}
		if header.OpCode == ws.OpClose {
			code, _ := ws.ParseCloseFrameData(buf.Bytes())
			b.code = contract.CloseCode(code)
			return
		}
		for _, kind := range []struct {
			mark string
			tell chan struct{}
		}{
			{`{"type":"joined"`, b.joined}, {`\"type\":\"joined\"`, b.joined}, {`{"type":"message"`, b.heard},
			{`{"type":"goaway"`, b.asked},
		} {
			if bytes.Contains(buf.Bytes()[:min(buf.Len(), 200)], []byte(kind.mark)) {
				if b.counts[kind.mark]++; b.counts[kind.mark] == 1 {
					close(kind.tell)
				}
			}
		}
	}
}

func waitFor(t *testing.T, c chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(2 * time.Minute):
		t.Errorf("waited in vain for %s", what)
	}
}

// TestJoin_atTheSameTimeOnTwoEdges has the members of a room join at once: an
// edge that is reading the room for its first member gets the events of the
// others meanwhile, and must not miss one. What is missed would come with
// roomsvc's next message, in 30 s.
func TestJoin_atTheSameTimeOnTwoEdges(t *testing.T) {
	s := InProcess(t, Options{})
	const members = 4
	clients := make([]*client.Client, members)
	for i := range clients {
		clients[i] = s.Dial(t, i%len(s.Edges), fmt.Sprintf("member-%d", i))
	}
	for n := range 60 {
		joinAtOnce(t, clients, fmt.Sprintf("at once %d", n))
	}
}

// joinAtOnce has clients join a room, see each other and leave.
func joinAtOnce(t *testing.T, clients []*client.Client, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // and not 30
	defer cancel()
	rooms := make([]*client.Room, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() { rooms[i] = joinAndSee(ctx, t, c, name, len(clients)-1) })
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, room := range rooms {
		if err := room.Leave(ctx); err != nil {
			t.Fatalf("leave %s: %v", name, err)
		}
	}
}

// joinAndSee joins a room and returns when so many others are seen in it.
func joinAndSee(ctx context.Context, t *testing.T, c *client.Client, name string, others int) *client.Room {
	room, err := c.Join(ctx, name)
	if err != nil {
		t.Errorf("join %s: %v", name, err)
		return nil
	}
	for len(room.Peers()) < others {
		if _, err := room.Next(ctx); err != nil {
			t.Errorf("%s: %d of %d others seen: %v", name, len(room.Peers()), others, err)
			return nil
		}
	}
	return room
}
