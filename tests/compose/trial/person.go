//go:build linux

package trial

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/monitor"
)

// watchedRoom is where the persons are.
const watchedRoom = "watched"

// person is a client that may begin the traces of its frames.
type person struct {
	client *client.Client
	room   *client.Room
	trace  atomic.Pointer[monitor.Parent] // of the next frames
}

// pair has two persons meet in a room. The join of the second one begins a trace.
func (t *trial) pair(ctx context.Context) (ada, bob *person, joining monitor.Parent, err error) {
	joining = monitor.NewParent(true)
	if ada, err = t.enter(ctx, "ada", joining); err != nil {
		return nil, nil, joining, err
	}
	if bob, err = t.enter(ctx, "bob", monitor.Parent{}); err != nil {
		return nil, nil, joining, errors.Join(err, ada.close())
	}
	return ada, bob, joining, nil
}

// enter connects through the balancer and joins, with a token for a backend's key.
func (t *trial) enter(ctx context.Context, identity string, joining monitor.Parent) (*person, error) {
	key, err := t.stack.Secret("api_key")
	if err != nil {
		return nil, err
	}
	tokens := standalone.Tokens{URL: "http://" + t.url, APIKey: config.Secret(key)}
	p := &person{}
	p.begin(joining)
	p.client, err = client.Dial(ctx, "ws://"+t.url+"/v1/ws", client.WithName(identity),
		client.WithTraceparent(func() string { return p.trace.Load().String() }),
		client.WithToken(func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
			reply, err := tokens.Token(ctx, contract.TokenRequest{Room: room, Identity: identity})
			return reply.Token, err
		}))
	if err != nil {
		return nil, fmt.Errorf("connect %s: %w", identity, err)
	}
	if p.room, err = p.client.Join(ctx, watchedRoom); err != nil {
		return nil, errors.Join(fmt.Errorf("join %s: %w", identity, err), p.close())
	}
	p.begin(monitor.Parent{})
	return p, nil
}

// begin sets the parent of the frames to come; the zero Parent is none.
func (p *person) begin(parent monitor.Parent) { p.trace.Store(&parent) }

func (p *person) close() error { return p.client.Close() }

// talk sends a candidate, and waits until it is settled and the other one has it.
func (p *person) talk(ctx context.Context, to *person) error {
	mid := "0"
	candidate := contract.ICECandidate{Candidate: "candidate:1 1 udp 2130706431 192.168.1.20 50000 typ host", SDPMid: &mid}
	err := p.room.Candidates(ctx, to.room.Self().Peer, "n1", candidate)
	for err == nil {
		var event client.Event
		if event, err = to.room.Next(ctx); err == nil {
			if _, heard := event.(client.Candidate); heard {
				return nil
			}
		}
	}
	return fmt.Errorf("talk: %w", err)
}

// rejoin leaves the room and enters it again.
func (p *person) rejoin(ctx context.Context) (err error) {
	if err := p.room.Leave(ctx); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	if p.room, err = p.client.Join(ctx, watchedRoom); err != nil {
		return fmt.Errorf("join again: %w", err)
	}
	return nil
}
