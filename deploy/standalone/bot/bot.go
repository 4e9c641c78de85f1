package bot

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/edge/client/negotiate"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// Options describe the bots.
type Options struct {
	// URL is the WebSocket address of the edges.
	URL string
	// Room is where they meet people.
	Room string
	// Count is how many there are.
	Count int
	// Token returns a room token for an identity.
	Token func(ctx context.Context, room, identity string) (string, error)
}

// Channel is the label of the data channel, as the SDKs have it.
const Channel = "parley"

// presence is what the others see of a bot, in the form that the demo has.
type presence struct {
	Name   string `json:"name"`
	Mic    bool   `json:"mic"`
	Camera bool   `json:"camera"`
}

// Run runs the bots until ctx ends, and returns nil then. It ends with an error
// if one of them can't join.
func Run(ctx context.Context, o Options) error {
	c, err := readClip(clipFile)
	if err != nil {
		return fmt.Errorf("bot: %w", err)
	}
	bots := make([]*bot, o.Count)
	identities := make(map[string]bool, o.Count)
	for i := range bots {
		identities[identity(i)] = true
		bots[i] = &bot{options: o, index: i, others: identities, log: slog.Default().With("bot", identity(i))}
		if bots[i].camera, err = newCamera(c, identity(i)); err != nil {
			return fmt.Errorf("bot: %w", err)
		}
	}
	group := lifecycle.NewGroup(ctx)
	group.Go("bots", func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
	for i, b := range bots {
		group.Go(identity(i), b.run)
	}
	return group.Wait()
}

func identity(i int) string { return fmt.Sprintf("bot-%d", i+1) }

// bot is one of them.
type bot struct {
	options Options
	index   int
	others  map[string]bool // the identities of all bots
	camera  *camera
	log     *slog.Logger
	readers sync.WaitGroup // of what the connections bring; they end with them
}

// run joins and stays until ctx ends.
func (b *bot) run(ctx context.Context) error {
	c, err := client.Dial(ctx, b.options.URL, client.WithName("parley-bot"), client.WithToken(
		func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
			return b.options.Token(ctx, room, identity(b.index))
		}))
	if err != nil {
		return err
	}
	defer c.Close()
	room, err := c.Join(ctx, b.options.Room, client.WithPresence(presence{Name: fmt.Sprintf("Bot %d", b.index+1), Camera: true}))
	if err != nil {
		return err
	}
	api, err := newAPI()
	if err != nil {
		return err
	}
	playing, stop := context.WithCancel(ctx)
	defer stop()
	negotiator := negotiate.New(room, negotiate.Config{
		API:              api,
		Only:             func(other contract.Peer) bool { return !b.others[other.Identity] },
		OnPeerConnection: func(other contract.Peer, pc *webrtc.PeerConnection) { b.connect(playing, other, pc) },
		OnDataChannel:    func(_ contract.Peer, dc *webrtc.DataChannel) { b.chat(dc) },
		OnTrack: func(_ contract.Peer, track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
			b.readers.Go(func() { discard(playing, track) })
		},
	})
	b.readers.Go(func() { b.camera.play(playing, b.index*len(b.camera.clip.frames)/max(1, b.options.Count)) })
	err = negotiator.Run(ctx)
	stop()
	_ = negotiator.Close() // whatever becomes of the connections
	b.readers.Wait()
	if ctx.Err() == nil {
		b.log.InfoContext(ctx, "the bot stays away", "error", err) // it was kicked, or the room closed
		<-ctx.Done()
	}
	return nil
}

// connect gives a new connection what a bot sends. The side that can't roll
// back makes the channel, and towards another of that kind the earlier one.
func (b *bot) connect(ctx context.Context, other contract.Peer, pc *webrtc.PeerConnection) {
	sender, err := pc.AddTrack(b.camera.track)
	if err != nil {
		b.log.ErrorContext(ctx, "the bot has no camera", "error", err)
		return
	}
	b.camera.lost.Store(true) // who comes can't decode yet
	b.readers.Go(func() { b.camera.listen(ctx, sender) })
	if other.Polite {
		return
	}
	dc, err := pc.CreateDataChannel(Channel, nil)
	if err != nil {
		b.log.ErrorContext(ctx, "the bot can't chat", "error", err)
		return
	}
	b.chat(dc)
}

// The bounds of a chat: how much of a line is repeated, in bytes, and how many
// bytes of answers may wait for somebody who doesn't read.
const (
	maxRepeated = 400
	maxWaiting  = 64 << 10
)

// chat answers each line of text.
func (b *bot) chat(dc *webrtc.DataChannel) {
	if dc.Label() != Channel {
		return
	}
	dc.OnMessage(func(m webrtc.DataChannelMessage) {
		if line := answer(m); line != "" && dc.BufferedAmount() < maxWaiting {
			_ = dc.SendText(line) // a channel that has ended needs none
		}
	})
}

// answer is what a bot has to say; nothing to what isn't text.
func answer(m webrtc.DataChannelMessage) string {
	text := strings.TrimSpace(string(m.Data))
	if !m.IsString || text == "" || !utf8.ValidString(text) {
		return ""
	}
	if len(text) > maxRepeated {
		text = strings.ToValidUTF8(text[:maxRepeated], "") + "…"
	}
	return "You said: " + text
}

// discard reads a track until it or ctx ends: pion reports to a sender only what
// was read.
func discard(ctx context.Context, track *webrtc.TrackRemote) {
	defer endReads(ctx, track)()
	packet := make([]byte, 1500)
	for {
		if _, _, err := track.Read(packet); err != nil {
			return
		}
	}
}

// endReads ends the reads of a reader when ctx does: of a track that was
// renegotiated pion doesn't always end them with the connection. The caller
// must call what it returns when it reads no more.
func endReads(ctx context.Context, reader interface{ SetReadDeadline(time.Time) error }) func() bool {
	return context.AfterFunc(ctx, func() { _ = reader.SetReadDeadline(time.Now()) }) // fails only when it has ended
}

// newAPI is pion as browsers expect it, on any interface, and without its own
// log.
func newAPI() (*webrtc.API, error) {
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true) // a machine without a network has no other
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	settings.LoggerFactory = quiet
	codecs := &webrtc.MediaEngine{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		return nil, fmt.Errorf("codecs: %w", err)
	}
	registry := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(codecs, registry); err != nil {
		return nil, fmt.Errorf("interceptors: %w", err)
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(codecs), webrtc.WithInterceptorRegistry(registry)), nil
}
