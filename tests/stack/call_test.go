package stack

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/parley-rtc/parley/deploy/standalone/call"
)

// megabyte is what each peer of a call sends.
const megabyte = 1_000_000

func TestCall_twoPionPeersOnDifferentEdgesExchangeAMegabyte(t *testing.T) {
	s := Processes(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	got, err := call.Run(ctx, call.Options{
		Edges: s.Edges, Room: "a call", Bytes: megabyte,
		Token: func(ctx context.Context, room, identity string) (string, error) { return s.Token(ctx, room, identity) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Bytes != megabyte || got.Edges[0] == got.Edges[1] {
		t.Errorf("got %+v, want %d bytes between two edges", got, megabyte)
	}
	line, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", line)
}
