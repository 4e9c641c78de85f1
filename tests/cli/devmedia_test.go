package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/edge/client/negotiate"
	"github.com/parley-rtc/parley/services/contract"
)

// mediaTimeout is how long a connection may take.
const mediaTimeout = 30 * time.Second

// take waits for something of a connection.
func take[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(mediaTimeout):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

// newPion is pion without its log.
func newPion(t *testing.T) *webrtc.API {
	t.Helper()
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	settings.LoggerFactory = quiet
	codecs := &webrtc.MediaEngine{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(codecs))
}

func TestDev_relays(t *testing.T) {
	d := startDev(t, newPlace(t), anyPorts...)
	room, err := dial(t, d, d.greeting.WebSocket, "ada").Join(t.Context(), "hello")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, server := range room.ICEServers() {
		told = append(told, server.URLs...)
	}
	if !slices.Equal(told, d.greeting.ICE) || len(told) != 3 {
		t.Fatalf("members are told of %q, the greeting says %q", told, d.greeting.ICE)
	}
	gather := func(t *testing.T, change func(*contract.ICEServer)) (relays []string) {
		t.Helper()
		configuration := webrtc.Configuration{ICETransportPolicy: webrtc.ICETransportPolicyRelay}
		for _, server := range room.ICEServers() {
			change(&server)
			one := webrtc.ICEServer{URLs: server.URLs, Username: server.Username}
			if server.Credential != "" {
				one.Credential = server.Credential
			}
			configuration.ICEServers = append(configuration.ICEServers, one)
		}
		pc, err := newPion(t).NewPeerConnection(configuration)
		if err != nil {
			t.Fatal(err)
		}
		defer pc.GracefulClose()
		found := make(chan *webrtc.ICECandidate, 64)
		pc.OnICECandidate(func(c *webrtc.ICECandidate) { found <- c })
		if _, err := pc.CreateDataChannel("data", nil); err != nil {
			t.Fatal(err)
		}
		offer, err := pc.CreateOffer(nil)
		if err == nil {
			err = pc.SetLocalDescription(offer)
		}
		if err != nil {
			t.Fatal(err)
		}
		for {
			c := take(t, "the end of gathering", found)
			if c == nil {
				return relays
			}
			relays = append(relays, c.Typ.String()+" "+c.Address)
		}
	}
	t.Run("with the credentials of joined.iceServers", func(t *testing.T) {
		if got := gather(t, func(*contract.ICEServer) {}); len(got) == 0 || slices.ContainsFunc(got, func(c string) bool { return c != "relay 127.0.0.1" }) {
			t.Errorf("got the candidates %q, want relays of this machine", got)
		}
	})
	t.Run("and not with others", func(t *testing.T) {
		if got := gather(t, func(s *contract.ICEServer) {
			if s.Credential != "" {
				s.Credential = "another"
			}
		}); len(got) != 0 {
			t.Errorf("got the candidates %q", got)
		}
	})
}

func TestDev_bots(t *testing.T) {
	d := startDev(t, newPlace(t), append([]string{"--bots", "2", "--bots-room", "café"}, anyPorts...)...)
	if d.greeting.Bots != 2 || !strings.HasSuffix(d.greeting.Demo, "?room="+url.QueryEscape("café")) {
		t.Errorf("got %s", d.line)
	}
	room, err := dial(t, d, d.greeting.WebSocket, "ada").Join(t.Context(), "café")
	if err != nil {
		t.Fatal(err)
	}
	seen, lines := make(chan string, 1000), make(chan string, 10)
	use := func(dc *webrtc.DataChannel) {
		dc.OnOpen(func() { _ = dc.SendText("hello") }) // the answer tells
		dc.OnMessage(func(m webrtc.DataChannelMessage) { lines <- string(m.Data) })
	}
	n := negotiate.New(room, negotiate.Config{
		API: newPion(t),
		OnPeerConnection: func(other contract.Peer, pc *webrtc.PeerConnection) {
			if other.Polite {
				return
			}
			dc, err := pc.CreateDataChannel("parley", nil)
			if err != nil {
				t.Error(err)
				return
			}
			use(dc)
		},
		OnDataChannel: func(_ contract.Peer, dc *webrtc.DataChannel) { use(dc) },
		OnTrack: func(other contract.Peer, track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
			if packet, _, err := track.ReadRTP(); err == nil && len(packet.Payload) > 0 {
				seen <- other.Identity + " " + track.Codec().MimeType
			}
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = n.Run(ctx) }() // it ends with the test
	t.Cleanup(func() { cancel(); <-ended; _ = n.Close() })
	cameras := []string{take(t, "a camera", seen), take(t, "another camera", seen)}
	slices.Sort(cameras)
	if !slices.Equal(cameras, []string{"bot-1 video/VP8", "bot-2 video/VP8"}) {
		t.Errorf("the cameras are %q", cameras)
	}
	for range 2 {
		if got, want := take(t, "an answer", lines), "You said: hello"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	began := time.Now()
	d.stop(t, os.Interrupt)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("with bots it took %v to stop", took)
	}
	if logs := d.logs.String(); strings.Contains(logs, "bot") {
		t.Errorf("the log speaks of bots: %s", logs)
	}
}

// networked reports whether this machine has an address that others can reach.
func networked(t *testing.T) bool {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		ip, _, err := net.ParseCIDR(a.String())
		return err == nil && ip.IsGlobalUnicast()
	})
}

func TestDev_lan(t *testing.T) {
	p := newPlace(t)
	args := append([]string{"--lan"}, anyPorts...)
	if !networked(t) {
		p.run(t, append([]string{"dev"}, args...)...).check(t, 1, "--lan", "no address")
		return
	}
	d := startDev(t, p, args...)
	g := d.greeting
	if !strings.HasPrefix(g.LAN, "https://") || !strings.HasPrefix(g.Demo, g.LAN+"/?room=") || !strings.HasPrefix(g.URL, "http://127.0.0.1:") {
		t.Fatalf("got %s", d.line)
	}
	pem, err := os.ReadFile(filepath.Join(p.dir, ".parley", "lan.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	trust := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	browser := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: trust},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(browser.CloseIdleConnections)
	get := func(url string) *http.Response {
		t.Helper()
		resp, err := browser.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp
	}
	t.Run("shows the demo with a certificate for the address", func(t *testing.T) {
		if resp := get(g.Demo); resp.StatusCode != http.StatusOK || resp.TLS == nil {
			t.Errorf("got %s", resp.Status)
		}
	})
	t.Run("sends http to https", func(t *testing.T) {
		plain := strings.Replace(g.Demo, "https://", "http://", 1)
		if resp := get(plain); resp.StatusCode != http.StatusPermanentRedirect || resp.Header.Get("Location") != g.Demo {
			t.Errorf("got %s to %q, want a redirect to %s", resp.Status, resp.Header.Get("Location"), g.Demo)
		}
	})
	t.Run("serves http to this machine, and its tools", func(t *testing.T) {
		if resp := get(g.URL + "/"); resp.StatusCode != http.StatusOK {
			t.Errorf("got %s", resp.Status)
		}
		join(t, g.WebSocket, g.Room, g.Token)
	})
	t.Run("gives pages of the network tokens, and lets them join", func(t *testing.T) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.LAN+"/dev/token", strings.NewReader(`{"room":"r","identity":"phone"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", g.LAN)
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			t.Errorf("got %s", resp.Status)
		}
		c, err := client.Dial(t.Context(), g.LAN, client.WithTLSConfig(trust), client.WithOrigin(g.LAN))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("relays from the address", func(t *testing.T) {
		host, err := url.Parse(g.LAN)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range g.ICE {
			if _, at, _ := strings.Cut(one, ":"); !strings.HasPrefix(at, strings.TrimSuffix(host.Host, ":"+host.Port())+":") {
				t.Errorf("%s isn't at %s", one, g.LAN)
			}
		}
	})
	d.stop(t, os.Interrupt)
	startDev(t, p, args...).stop(t, os.Interrupt)
	if again, err := os.ReadFile(filepath.Join(p.dir, ".parley", "lan.crt")); err != nil || string(again) != string(pem) {
		t.Errorf("the certificate is another after a restart (%v)", err)
	}
}
