package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// greeting is what dev prints: text on a terminal, one JSON line elsewhere.
type greeting struct {
	URL       string          `json:"url"`
	Demo      string          `json:"demo"`
	WebSocket string          `json:"websocket"`
	Room      string          `json:"room"`
	Identity  string          `json:"identity"`
	Token     string          `json:"token"`
	Tokens    string          `json:"tokens"`
	DevToken  string          `json:"dev_token"`
	Rooms     string          `json:"rooms"`
	Admin     string          `json:"admin,omitempty"`
	Edges     []string        `json:"edges"`
	ICE       []string        `json:"ice"`
	LAN       string          `json:"lan,omitempty"`
	Bots      int             `json:"bots,omitempty"`
	Policy    contract.Policy `json:"candidate_policy"`
	ReadyMS   int64           `json:"ready_ms"`
	Moved     []string        `json:"moved,omitempty"`
}

// newGreeting asks for the token that it shows.
func (d *development) newGreeting(ctx context.Context) (greeting, error) {
	ready := time.Since(d.started)
	key, err := standalone.Files{Dir: d.cfg.Standalone.StoreDir}.APIKey()
	if err != nil {
		return greeting{}, err
	}
	reply, err := standalone.Tokens{URL: d.place.URL, APIKey: key}.Token(ctx, contract.TokenRequest{Room: devRoom, Identity: devIdentity})
	if err != nil {
		return greeting{}, err
	}
	shown, room := d.place.URL, devRoom
	if d.options.lan {
		shown = d.lanURL()
	}
	if d.options.bots > 0 {
		room = d.options.botsRoom
	}
	return greeting{
		URL: d.place.URL, Demo: shown + "/?room=" + url.QueryEscape(room), LAN: d.lanURL(), Bots: d.options.bots, WebSocket: d.place.WebSocket,
		Room: devRoom, Identity: devIdentity, Token: reply.Token,
		Tokens: d.place.URL + authsvc.TokensPath, DevToken: d.place.URL + "/dev/token", Rooms: d.place.URL + "/v1/rooms",
		Admin: d.place.Admin, Edges: d.cfg.Front.EdgeIDs(), ICE: d.iceURLs(), Policy: d.cfg.Filter.Policy,
		ReadyMS: ready.Milliseconds(), Moved: d.moved,
	}, nil
}

// iceURLs are the servers that members are told of.
func (d *development) iceURLs() []string {
	urls := []string{}
	for _, server := range d.cfg.Edge.ICEServers {
		urls = append(urls, server.URLs...)
	}
	if len(d.cfg.Auth.TURN.URLs) > 0 {
		return append(urls, d.cfg.Auth.TURN.URLs...)
	}
	return append(urls, d.cfg.TURN.URLs()...)
}

func (d *development) greet(ctx context.Context) error {
	g, err := d.newGreeting(ctx)
	if err != nil {
		return err
	}
	file, ok := d.out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return printJSON(d.out, g)
	}
	if _, err = io.WriteString(d.out, g.text(d.cfg.Standalone.StoreDir, colours())); err == nil && g.LAN != "" {
		printQR(d.out, g.Demo)
	}
	return err
}

// paint is how a terminal shows what stands out; empty: it doesn't.
type paint struct{ title, name, link, note, plain string }

// colours are those of the terminal, none where the user or the terminal wants
// none (no-color.org).
func colours() paint {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return paint{}
	}
	return paint{title: "\x1b[1;35m", name: "\x1b[2m", link: "\x1b[36m", note: "\x1b[33m", plain: "\x1b[0m"}
}

// text is the greeting for people. Links stand alone, so that terminals make
// them clickable.
func (g greeting) text(store string, p paint) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %s%-11s%s %s\n", p.name, name, p.plain, fmt.Sprintf(format, args...))
	}
	link := func(address string) string { return p.link + address + p.plain }
	fmt.Fprintf(&b, "\n  %sparley dev%s %s   ready in %d ms\n\n", p.title, p.plain, lifecycle.BuildVersion(), g.ReadyMS)
	line("Demo", "%s   open it twice", link(g.Demo))
	if g.LAN != "" {
		line("", "phones in this network: the link above or the code below. The certificate is self-signed: the browser")
		line("", "warns once. On this machine %s works, too", link(g.URL))
	}
	if g.Bots > 0 {
		line("Bots", "%d are there", g.Bots)
	}
	line("WebSocket", "%s   %d edges, taken in turn", link(g.WebSocket), len(g.Edges))
	line("Token", "parley token --room %s --id bob", g.Room)
	line("", "or POST {\"room\", \"identity\"} to %s   development only", link(g.DevToken))
	line("Backend", "POST %s   with the API key in %s", link(g.Tokens), filepath.Join(store, "api.key"))
	line("", "GET %s", link(g.Rooms))
	if len(g.ICE) > 0 {
		line("STUN/TURN", "%s", strings.Join(g.ICE, " "))
	}
	if g.Admin != "" {
		line("Metrics", "%s   health %s", link(g.Admin+"/metrics"), link(g.Admin+"/readyz"))
	}
	line("Candidates", "policy %q: %s (the default elsewhere is %q)", g.Policy, why(g), contract.PolicyPublic)
	if g.LAN != "" {
		line(p.note+"Note", "%swhoever is in this network can join any room%s", p.note, p.plain)
	}
	for _, moved := range g.Moved {
		line(p.note+"Note", "%s%s%s", p.note, moved, p.plain)
	}
	b.WriteString("\n  Ctrl-C stops it, a second one at once.\n\n")
	return b.String()
}

// why says what the candidate policy is good for here.
func why(g greeting) string {
	switch {
	case g.Policy != contract.PolicyAll:
		return "as it is configured"
	case g.LAN != "":
		return "in one network only private addresses exist"
	default:
		return "on one machine only private addresses exist"
	}
}
