package stack

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// App and APIKey are the tenant of every Stack.
const (
	App    = "test"
	APIKey = config.Secret("an-api-key-for-tests-0123456789abcdef")
)

// Options are what a test may change; the zero value is the default.
type Options struct {
	Limits  contract.Limits // of the edges; zero: generous ones
	Policy  contract.Policy // of the filter; empty: all, since one machine has private addresses only
	Environ []string        // of every process, for example OTEL_*
	Shards  int             // of the signal log; 0: 1
	Edges   int             // 0: 2
	Nodes   int             // NATS servers, of processes only; 0: 1
	Doubles int             // authsvcs, and candidatefilters, of processes only; 0: 1
	Bin     string          // folder of the programs but nats-server; empty: that of make build
	TURN    authsvc.TURN    // that authsvc makes credentials for

	// Admin is the address of the admin listener of edge-1, roomsvc-2 and so on, of
	// processes only; nil: a free one.
	Admin func(name string) string

	StoreDir string // of processes: where NATS keeps its files; empty: a folder of the test

	// In process only.
	Rooms   func(*roomsvc.Config)                          // changes the configuration of both
	Edge    func(*edge.Config)                             // changes the configuration of each
	Filter  func(ctx context.Context, nc *nats.Conn) error // runs in the place of the candidatefilter
	Connect func(name string) *nats.Conn                   // of roomsvc-1, authsvc, edge-2 and so on; nil: to a server of the stack's own
}

func (o *Options) fill() {
	if o.Limits == (contract.Limits{}) {
		o.Limits = GenerousLimits()
	}
	if o.Policy == "" {
		o.Policy = contract.PolicyAll
	}
	if o.Shards == 0 {
		o.Shards = 1
	}
	if o.Edges == 0 {
		o.Edges = 2
	}
	o.Nodes, o.Doubles = max(1, o.Nodes), max(1, o.Doubles)
	if o.TURN.TTL == 0 {
		o.TURN.TTL = time.Hour
	}
}

// GenerousLimits are the default limits without the rates, for tests that send
// as fast as they can.
func GenerousLimits() contract.Limits {
	l := contract.DefaultLimits()
	l.FrameRate, l.FrameBurst = 100_000, 100_000
	l.ByteRate, l.ByteBurst = 1<<28, 1<<28
	l.OutboundFrames, l.OutboundBytes = 20_000, 32<<20
	return l
}

// Stack is a running Parley.
type Stack struct {
	Edges     []string // WebSocket addresses
	AuthURLs  []string
	RoomsURLs []string           // of the Server API, one a roomsvc
	Admin     []string           // admin addresses, of processes only
	Key       ed25519.PrivateKey // signs the stack's tokens
	NATS      *nats.Conn         // to the server of a stack in process that has one of its own

	natsURL   string // of processes
	processes map[string]*Process
	started   []string // their names, in the order in which they were started

	// Of those in this process.
	health *lifecycle.Health
	parts  []string // how the names of a check of each part of this process begin
	end    func() error
}

// newKey makes the stack's signing key and returns it as authsvc reads it.
func (s *Stack) newKey() config.Secret {
	var seed [ed25519.SeedSize]byte
	rand.Read(seed[:])
	s.Key = ed25519.NewKeyFromSeed(seed[:])
	return config.Secret(base64.RawURLEncoding.EncodeToString(seed[:]))
}

// Token asks the stack's authsvcs for a room token, one after the other as whatever
// stands before them in production does.
func (s *Stack) Token(ctx context.Context, room, identity string, grants ...string) (token string, err error) {
	for _, url := range s.AuthURLs {
		tokens := standalone.Tokens{URL: url, APIKey: APIKey}
		reply, failed := tokens.Token(ctx, contract.TokenRequest{Room: room, Identity: identity, Grants: grants})
		if failed == nil {
			return reply.Token, nil
		}
		err = failed
	}
	return "", err
}

// tokens has a client ask for its tokens.
func (s *Stack) tokens(identity string) client.TokenFunc {
	return func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
		return s.Token(ctx, room, identity)
	}
}

// Dial connects a client to one of the edges; it is closed when the test ends.
func (s *Stack) Dial(t testing.TB, edge int, identity string, opts ...client.Option) *client.Client {
	t.Helper()
	opts = append([]client.Option{client.WithToken(s.tokens(identity))}, opts...)
	c, err := client.Dial(t.Context(), s.Edges[edge], opts...)
	if err != nil {
		t.Fatalf("connect %s to edge %d: %v", identity, edge, err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close %s: %v", identity, err)
		}
	})
	return c
}

// Join joins a room, and waits until the roster has the given number of others.
func Join(t testing.TB, c *client.Client, room string) *client.Room {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := c.Join(ctx, room)
	if err != nil {
		t.Fatalf("join %s: %v", room, err)
	}
	return r
}

// waitHealthy asks a program's health page until it is ready.
func waitHealthy(t testing.TB, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	last := "no answer"
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			var body bytes.Buffer
			_, _ = body.ReadFrom(resp.Body) // what came is only shown
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			last = body.String()
		}
		wait(ctx, 20*time.Millisecond)
	}
	t.Fatalf("%s did not become ready: %s", url, last)
}

// wait waits, or returns early when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// The ports of programs. Those above are for outgoing connections on Linux, and
// one of them could take a port between its choice and its use. Each test
// process has a range of its own, by its id, so that packages whose tests run at
// once don't meet either.
const (
	lowestPort  = 20_000
	portRanges  = 60
	portsARange = 200
)

// portsChosen counts the ports that this process tried.
var portsChosen atomic.Int64

// FreeAddress is a loopback address whose port was free a moment ago.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range portsARange {
		port := lowestPort + os.Getpid()%portRanges*portsARange + int(portsChosen.Add(1)%portsARange)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", address) //nolint:noctx // binds at once
		if err == nil {
			_ = l.Close() // it served its purpose
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// mustJSON is a value as the environment holds it.
func mustJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("stack: internal error: %v", err))
	}
	return string(text)
}
