package client

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// receive handles one message. Nothing that a server may send makes it panic;
// what makes no sense is counted and dropped. An error ends the connection.
func (c *Client) receive(s *socket, text []byte) error {
	if frameType(text) == contract.TypePart {
		part, ok := decode[contract.Part](c, text)
		if !ok {
			return nil
		}
		whole, err := s.parts.add(part, assembledFactor*s.limits.FrameBytes)
		if err != nil {
			return &faultError{contract.CloseTooBig, err.Error()}
		}
		if whole == nil {
			return nil
		}
		text = whole
	}
	c.count(func(st *Stats) { st.Received++ })
	return c.handle(s, text)
}

// handle does what a frame says.
func (c *Client) handle(s *socket, text []byte) error {
	switch kind := frameType(text); kind {
	case contract.TypeOffer, contract.TypeAnswer, contract.TypeCandidate, contract.TypeMessage:
		c.onSignal(kind, text)
	case contract.TypeAcked:
		c.onAcked(text)
	case contract.TypeError:
		return c.onError(text)
	case contract.TypeFiltered:
		c.onFiltered(text)
	case contract.TypeJoined:
		c.onJoined(text)
	case contract.TypePeerJoined:
		c.onPeerJoined(text)
	case contract.TypePeerLeft:
		c.onPeerLeft(text)
	case contract.TypePeerUpdated:
		c.onPeerUpdated(text)
	case contract.TypeLeft:
		c.onLeft(text)
	case contract.TypeGap:
		c.onGap(text)
	case contract.TypePing:
		c.onPing(s, text)
	case contract.TypePong:
		// That it came is all it says.
	case contract.TypeGoaway:
		c.onGoaway(s, text)
	case contract.TypeICEServers:
		c.onICEServers(text)
	case contract.TypeTokenExpiring:
		c.onTokenExpiring(text)
	default:
		c.log.Debug("frame of an unknown type dropped")
		c.count(func(st *Stats) { st.Unknown++ })
	}
	return nil
}

// frameType is the `type` of a frame, "" if it has none. Servers put it first,
// which spares a second pass over the text.
func frameType(text []byte) string {
	if rest, ok := bytes.CutPrefix(text, []byte(`{"type":"`)); ok {
		if end := bytes.IndexByte(rest, '"'); end >= 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return string(rest[:end])
		}
	}
	var frame struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(text, &frame) != nil {
		return ""
	}
	return frame.Type
}

func decode[T any](c *Client, text []byte) (*T, bool) {
	frame := new(T)
	if err := json.Unmarshal(text, frame); err != nil {
		c.log.Warn("frame dropped, it doesn't parse")
		c.count(func(st *Stats) { st.Bad++ })
		return nil, false
	}
	return frame, true
}

func (c *Client) count(f func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.stats)
}

// deliver gives an event to the room's application and waits for room in its
// buffer, unless the client closes. Only the reader calls it, so events keep
// their order.
func (c *Client) deliver(r *Room, e Event, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.closed == nil {
		factor := 1
		if c.waiting > 0 {
			factor = hardFactor
		}
		if !r.queue.full(c.opts.eventCount, c.opts.eventBytes, factor) {
			r.queue.push(e, size)
			r.arrived.ring()
			return
		}
		if c.waiting > 0 {
			c.unread.ring()
		}
		c.stats.Stalls++
		wake := c.drained.wait()
		c.mu.Unlock()
		<-wake
		c.mu.Lock()
	}
}

// roomOf is the room that a frame is about, if this client is in it; c.mu is
// held.
func (c *Client) roomOf(name string) (*Room, bool) {
	r := c.rooms[name]
	if r == nil || r.state != roomJoined {
		c.stats.Unmatched++
		return nil, false
	}
	return r, true
}

func (c *Client) onPing(s *socket, text []byte) {
	ping, ok := decode[contract.Ping](c, text)
	if !ok {
		return
	}
	pong, err := marshal(contract.Ping{Type: contract.TypePong, T: ping.T})
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, cursor := range ping.Cursors {
		if r := c.rooms[name]; r != nil && r.state == roomJoined && cursor != "" {
			r.cursor = cursor
		}
	}
	if err == nil {
		s.queue(ws.OpText, pong)
		c.wake()
	}
}

func (c *Client) onGoaway(s *socket, text []byte) {
	goaway, ok := decode[contract.Goaway](c, text)
	if !ok {
		return
	}
	c.log.Info("edge asks to go elsewhere", "reason", goaway.Reason, "after", goaway.After)
	after := min(goaway.After, maxGoaway.Milliseconds())
	c.beginMove(s, time.Duration(after)*time.Millisecond)
}
