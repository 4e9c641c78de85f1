package client_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/parley-rtc/parley/edge/client"
)

func Example() {
	ctx := context.Background()
	token := func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
		return fetchToken(ctx, room) // from your own backend, which asks authsvc
	}
	c, err := client.Dial(ctx, "ws://localhost:7420", client.WithToken(token))
	if err != nil {
		panic(err)
	}
	defer c.Close()
	room, err := c.Join(ctx, "standup", client.WithPresence(map[string]string{"name": "Ada"}))
	if err != nil {
		panic(err)
	}
	for e, err := range room.Events(ctx) {
		switch e := e.(type) {
		case client.PeerJoined:
			err = room.Send(ctx, e.Peer.Peer, "hello, "+e.Peer.Identity)
		case client.Message:
			fmt.Printf("%s says %s\n", e.From, e.Data)
		}
		if err != nil {
			slog.Warn("event not handled", "error", err)
		}
	}
}

func fetchToken(context.Context, string) (string, error) { return "", nil }
