//go:build linux

package driver

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// relay is a server of dialect.Raw that breaks its word when it is told to.
type relay struct {
	address string
	// onCandidate is called for each candidate that came, numbered from 0, under
	// mu; it delivers by calling to.
	onCandidate func(n int, text []byte, to *member)

	mu         sync.Mutex
	members    []*member
	candidates int
	wg         sync.WaitGroup
}

// member is one connection of the relay; all of it is guarded by relay.mu.
type member struct {
	conn net.Conn
	id   string
	room string
}

// deliver sends a text. A client that is gone is no concern of the relay's.
func (m *member) deliver(text []byte) { _ = wsutil.WriteServerText(m.conn, text) }

func newRelay(t *testing.T) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{address: l.Addr().String(), onCandidate: func(_ int, text []byte, to *member) { to.deliver(text) }}
	r.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() { r.serve(t, conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close() // it served its purpose
		r.mu.Lock()
		for _, m := range r.members {
			_ = m.conn.Close() // its reader ends
		}
		r.mu.Unlock()
		r.wg.Wait()
	})
	return r
}

// relayBy changes what is done with candidates.
func (r *relay) relayBy(do func(n int, text []byte, to *member)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onCandidate = do
}

func (r *relay) serve(t *testing.T, conn net.Conn) {
	defer conn.Close()
	if _, err := ws.Upgrade(conn); err != nil {
		t.Errorf("handshake: %v", err)
		return
	}
	r.mu.Lock()
	m := &member{conn: conn, id: "id" + strconv.Itoa(len(r.members))}
	r.members = append(r.members, m)
	r.mu.Unlock()
	for {
		text, err := wsutil.ReadClientText(conn)
		if err != nil {
			return
		}
		if err := r.handle(m, text); err != nil {
			t.Errorf("%s said %q: %v", m.id, text, err)
			return
		}
	}
}

func (r *relay) handle(from *member, text []byte) error {
	var message struct {
		Type, Room, To         string
		Description, Candidate json.RawMessage
	}
	if err := json.Unmarshal(text, &message); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if message.Type == "join" {
		from.room = message.Room
		for _, other := range r.members {
			if other != from && other.room == from.room {
				other.deliver([]byte(`{"type":"peer-joined","id":"` + from.id + `"}`))
			}
		}
		from.deliver([]byte(`{"type":"joined","id":"` + from.id + `"}`))
		return nil
	}
	to := r.find(message.To)
	if to == nil || to.room != from.room {
		return errors.New("no such peer")
	}
	out := bytes.Replace(text, []byte(`"to":"`+to.id+`"`), []byte(`"from":"`+from.id+`"`), 1)
	if message.Type != "ice-candidate" {
		to.deliver(out)
		return nil
	}
	r.candidates++
	r.onCandidate(r.candidates-1, out, to)
	return nil
}

// find finds a member; mu is held.
func (r *relay) find(id string) *member {
	for _, m := range r.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// partnerless is a member of another room than m; mu is held.
func (r *relay) partnerless(m *member) *member {
	for _, other := range r.members {
		if other.room != m.room {
			return other
		}
	}
	return nil
}
