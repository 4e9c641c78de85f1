package client

import (
	"errors"

	"github.com/parley-rtc/parley/services/contract"
)

// onJoined takes a whole room: the answer to a join, or the state after a
// resume that could not be replayed.
func (c *Client) onJoined(text []byte) {
	frame, ok := decode[contract.Joined](c, text)
	if !ok {
		return
	}
	c.mu.Lock()
	r := c.rooms[frame.Room]
	if r == nil || frame.Self.Peer.IsZero() {
		c.stats.Unmatched++
		c.mu.Unlock()
		return
	}
	events := r.joined(frame)
	c.mu.Unlock()
	for _, e := range events {
		c.deliver(r, e, 0)
	}
}

func (c *Client) onPeerJoined(text []byte) {
	frame, ok := decode[contract.PeerJoined](c, text)
	if !ok {
		return
	}
	c.change(frame.Room, len(text), func(r *Room) (Event, bool) {
		return r.roster.join(frame.Revision, frame.Peer)
	})
}

func (c *Client) onPeerLeft(text []byte) {
	frame, ok := decode[contract.PeerLeft](c, text)
	if !ok {
		return
	}
	c.change(frame.Room, len(text), func(r *Room) (Event, bool) {
		e, news := r.roster.leave(frame.Revision, frame.Peer, frame.Reason)
		if news {
			r.depart(frame.Peer)
		}
		return e, news
	})
}

func (c *Client) onPeerUpdated(text []byte) {
	frame, ok := decode[contract.PeerUpdated](c, text)
	if !ok {
		return
	}
	c.change(frame.Room, len(text), func(r *Room) (Event, bool) { return r.roster.update(frame.Peer) })
}

// change applies f to a room and delivers the event if there is news.
func (c *Client) change(room string, size int, f func(*Room) (Event, bool)) {
	c.mu.Lock()
	r, ok := c.roomOf(room)
	if !ok {
		c.mu.Unlock()
		return
	}
	event, news := f(r)
	if !news {
		c.stats.Stale++
	}
	c.mu.Unlock()
	if news {
		c.deliver(r, event, size)
	}
}

// onLeft ends this client's membership.
func (c *Client) onLeft(text []byte) {
	frame, ok := decode[contract.Left](c, text)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.roomOf(frame.Room); ok {
		r.finish(Left{Revision: frame.Revision, Reason: frame.Reason})
	}
}

func (c *Client) onGap(text []byte) {
	frame, ok := decode[contract.Gap](c, text)
	if !ok {
		return
	}
	c.change(frame.Room, len(text), func(*Room) (Event, bool) {
		return Gap{From: frame.From, Reason: frame.Reason}, true
	})
}

func (c *Client) onICEServers(text []byte) {
	frame, ok := decode[contract.ICEServersFrame](c, text)
	if !ok {
		return
	}
	c.change(frame.Room, len(text), func(r *Room) (Event, bool) {
		r.servers = frame.ICEServers
		return ICEServersChanged{}, true
	})
}

// onTokenExpiring renews the grants with a new token.
func (c *Client) onTokenExpiring(text []byte) {
	frame, ok := decode[contract.TokenExpiring](c, text)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.roomOf(frame.Room)
	if !ok || r.refreshing || c.opts.token == nil {
		return
	}
	r.refreshing = true
	c.task(func() {
		if err := r.Refresh(c.ctx); err != nil && !errors.Is(err, ErrClosed) {
			c.log.Warn("token could not be refreshed", "room", r.name, "error", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		r.refreshing = false
	})
}
