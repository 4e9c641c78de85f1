package bot

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/edge/client/negotiate"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// idle closes the connections that HTTP clients keep, before leaks are looked
// for.
type idle struct{ *testing.M }

func (m idle) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	return m.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(idle{m}) }

// patience is how long a test waits for real connections.
const patience = 30 * time.Second

// parley is all of Parley in this process, until the test ends.
type parley struct {
	url    string
	tokens standalone.Tokens
}

func start(t *testing.T) parley {
	t.Helper()
	cfg := standalone.DevDefaults()
	cfg.Standalone.StoreDir = t.TempDir()
	cfg.TURN.Listen = ""
	l, _, err := standalone.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Edge.Listen, cfg.Edge.Listener = l.Addr().String(), l
	if err := cfg.Develop(); err != nil {
		t.Fatal(err)
	}
	health := lifecycle.NewHealth()
	health.Set(standalone.CheckFront, lifecycle.ErrStarting)
	ctx, cancel := context.WithCancel(lifecycle.WithHealth(context.WithoutCancel(t.Context()), health))
	ended := make(chan error, 1)
	go func() { ended <- standalone.Run(ctx, cfg) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("parley ended with %v", err)
		}
	})
	await(t, "parley", func() bool { ready, _ := health.Ready(); return ready })
	key, err := standalone.Files{Dir: cfg.Standalone.StoreDir}.APIKey()
	if err != nil {
		t.Fatal(err)
	}
	return parley{"http://" + cfg.Edge.Listen, standalone.Tokens{URL: "http://" + cfg.Edge.Listen, APIKey: key}}
}

func (p parley) token(grants ...string) func(ctx context.Context, room, identity string) (string, error) {
	return func(ctx context.Context, room, identity string) (string, error) {
		reply, err := p.tokens.Token(ctx, contract.TokenRequest{Room: room, Identity: identity, Grants: grants})
		return reply.Token, err
	}
}

// bots runs some until stop is called, at the end of the test at the latest.
func (p parley) bots(t *testing.T, count int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, Options{URL: p.url, Room: "hello", Count: count, Token: p.token()}) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the bots ended with %v", err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return stop
}

// viewer is somebody with a connection to each bot.
type viewer struct {
	room  *client.Room
	lines chan string // what the bots wrote
	keys  chan string // identities of bots, one for each key frame that came whole
	texts chan *webrtc.DataChannel
}

// view joins somebody who can't roll back either, as a Go program.
func (p parley) view(t *testing.T, identity string, grants ...string) *viewer {
	t.Helper()
	token := p.token(grants...)
	c, err := client.Dial(t.Context(), p.url, client.WithToken(
		func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
			return token(ctx, room, identity)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // it never fails
	v := &viewer{lines: make(chan string, 64), keys: make(chan string, 1024), texts: make(chan *webrtc.DataChannel, 16)}
	if v.room, err = c.Join(t.Context(), "hello"); err != nil {
		t.Fatal(err)
	}
	api, err := newAPI()
	if err != nil {
		t.Fatal(err)
	}
	use := func(dc *webrtc.DataChannel) {
		dc.OnOpen(func() { v.texts <- dc })
		dc.OnMessage(func(m webrtc.DataChannelMessage) { v.lines <- string(m.Data) })
	}
	n := negotiate.New(v.room, negotiate.Config{
		API:  api,
		Only: func(other contract.Peer) bool { return strings.HasPrefix(other.Identity, "bot-") },
		OnPeerConnection: func(other contract.Peer, pc *webrtc.PeerConnection) {
			if other.Polite {
				return
			}
			dc, err := pc.CreateDataChannel(Channel, nil)
			if err != nil {
				t.Error(err)
				return
			}
			use(dc)
		},
		OnDataChannel: func(_ contract.Peer, dc *webrtc.DataChannel) { use(dc) },
		OnTrack: func(other contract.Peer, track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
			go v.watch(other.Identity, track)
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = n.Run(ctx) }() // it ends with the test
	t.Cleanup(func() { cancel(); <-ended; _ = n.Close() })
	return v
}

// watch puts the packets of a track together until it ends.
func (v *viewer) watch(identity string, track *webrtc.TrackRemote) {
	var frame []byte
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		var vp8 codecs.VP8Packet
		payload, err := vp8.Unmarshal(packet.Payload)
		if err != nil {
			continue
		}
		if vp8.S == 1 && vp8.PID == 0 {
			frame = nil
		}
		if frame = append(frame, payload...); packet.Marker && isKey(frame) {
			select {
			case v.keys <- identity:
			default: // enough came
			}
		}
	}
}

func await(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func take[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

func TestRun(t *testing.T) {
	p := start(t)
	early := p.view(t, "early")
	stop := p.bots(t, 2)
	await(t, "both bots", func() bool { return len(early.room.Peers()) == 2 })
	late := p.view(t, "late")
	t.Run("shows each of several people each bot's camera", func(t *testing.T) {
		for _, v := range []*viewer{early, late} {
			seen := map[string]bool{}
			for len(seen) < 2 {
				seen[take(t, "a key frame", v.keys)] = true
			}
		}
	})
	t.Run("answers each in the chat", func(t *testing.T) {
		for _, v := range []*viewer{early, late} {
			for range 2 {
				if err := take(t, "a data channel", v.texts).SendText("hello " + v.room.Self().Identity); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if got, want := take(t, "an answer", v.lines), "You said: hello "+v.room.Self().Identity; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		}
	})
	t.Run("says who they are", func(t *testing.T) {
		for _, peer := range late.room.Peers() {
			var got presence
			if err := json.Unmarshal(peer.Presence, &got); peer.Identity != "early" && (err != nil || got.Name != "Bot "+strings.TrimPrefix(peer.Identity, "bot-") || !got.Camera || got.Mic) {
				t.Errorf("%s shows %s (%v)", peer.Identity, peer.Presence, err)
			}
		}
	})
	t.Run("leaves when it is stopped", func(t *testing.T) {
		stop()
		await(t, "the room without bots", func() bool { return len(late.room.Peers()) == 1 && len(early.room.Peers()) == 1 })
	})
}

func TestRun_goesOnWithoutABotThatWasKicked(t *testing.T) {
	p := start(t)
	v := p.view(t, "ada", contract.GrantKick)
	stop := p.bots(t, 2)
	await(t, "both bots", func() bool { return len(v.room.Peers()) == 2 })
	if err := v.room.Moderate(t.Context(), contract.ActionKick, v.room.Peers()[0].Peer); err != nil {
		t.Fatal(err)
	}
	await(t, "the end of one", func() bool { return len(v.room.Peers()) == 1 })
	staying := v.room.Peers()[0].Identity
	for seen := 0; seen < 3; {
		if take(t, "a key frame", v.keys) == staying {
			seen++
		}
	}
	if got := len(v.room.Peers()); got != 1 {
		t.Errorf("%d bots are there, want the kicked one to stay away", got)
	}
	stop()
}

func TestRun_saysWhatKeepsABotOut(t *testing.T) {
	p := start(t)
	refuse := func(context.Context, string, string) (string, error) { return "nonsense", nil }
	err := Run(t.Context(), Options{URL: p.url, Room: "hello", Count: 2, Token: refuse})
	if err == nil || !strings.Contains(err.Error(), "bot-") || !strings.Contains(err.Error(), string(contract.CodeBadToken)) {
		t.Errorf("got %v, want which bot and why", err)
	}
}

func TestReadClip(t *testing.T) {
	c, err := readClip(clipFile)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(c.frames), 60; got != want || c.pace != time.Second/15 {
		t.Errorf("%d frames every %v, want %d at 15/s", got, c.pace, want)
	}
	if len(clipFile) > 200_000 {
		t.Errorf("%d bytes are too many for a program", len(clipFile))
	}
	for at, want := range map[int]int{0: 0, 1: 15, 15: 15, 44: 45, 46: 0, 61: 15} {
		if got := c.nextKey(at); got != want {
			t.Errorf("the key frame from %d on is %d, want %d", at, got, want)
		}
	}
	for name, file := range map[string][]byte{
		"nothing": nil, "no IVF": []byte(strings.Repeat("x", 64)), "cut off": clipFile[:len(clipFile)-10], "no frame": clipFile[:32],
		"another codec": []byte(strings.Replace(string(clipFile), "VP80", "VP90", 1)),
	} {
		if _, err := readClip(file); err == nil || !strings.HasPrefix(err.Error(), "clip: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAnswer(t *testing.T) {
	long := strings.Repeat("é", maxRepeated)
	for text, want := range map[string]string{
		"hello": "You said: hello", "  two\nlines ": "You said: two\nlines", "": "", " ": "", "\xff": "",
		long: "You said: " + long[:maxRepeated] + "…", "x" + long: "You said: x" + long[:maxRepeated-2] + "…",
	} {
		if got := answer(webrtc.DataChannelMessage{IsString: true, Data: []byte(text)}); got != want {
			t.Errorf("to %.20q: got %q, want %q", text, got, want)
		}
	}
	if got := answer(webrtc.DataChannelMessage{Data: []byte("bytes")}); got != "" {
		t.Errorf("to bytes: got %q", got)
	}
}
