package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	// patience is how long a tab may take to come to what a test waits for. The
	// death of a NATS leader alone keeps signals waiting for up to 10 s.
	patience = 45 * time.Second
	// interval is how often the tab looks whether it has.
	interval = 20 * time.Millisecond
)

// tab is a tab of Chromium with the page in it.
type tab struct {
	name string
	ctx  context.Context //nolint:containedctx // chromedp keeps a tab in one
	edge string          // that it is connected to
}

// wish is what a test asks of a tab (Options of page/call.ts).
type wish struct {
	URL      []string `json:"url"` // nil: the site's
	Room     string   `json:"room"`
	Identity string   `json:"identity"`
	Camera   bool     `json:"camera,omitempty"`
	Channel  any      `json:"channel,omitempty"` // a label, or false
	ICE      string   `json:"ice,omitempty"`
	CutAt    string   `json:"cutAt,omitempty"`
	Backoff  int      `json:"backoff,omitempty"` // milliseconds
}

// end is one end of the candidate pair that carries a call.
type end struct {
	Type, Address, Protocol string
}

// facts are what getStats says of a tab's only connection.
type facts struct {
	FramesDecoded, BytesReceived, ChannelBytes int
	Local, Remote                              end
}

// open opens a tab whose page joins a room, until the test ends.
func (s *site) open(t testing.TB, w wish) *tab {
	t.Helper()
	tb := newTab(t)
	tb.enter(t, s, w)
	return tb
}

// newTab opens an empty tab until the test ends. It takes Chromium half a second,
// for a process and a profile of its own.
func newTab(t testing.TB) *tab {
	t.Helper()
	browser, err := chromium.start()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	return &tab{ctx: ctx}
}

// enter loads the page, which ends the one before, and lets it join a room.
func (tb *tab) enter(t testing.TB, s *site, w wish) {
	t.Helper()
	tb.name = w.Identity
	if err := chromedp.Do(tb.ctx, chromedp.Navigate(s.page)); err != nil {
		t.Fatalf("%s: open %s: %v", tb.name, s.page, err)
	}
	t.Cleanup(func() { tb.show(t) })
	if w.URL == nil {
		w.URL = []string{s.WebSocket}
	}
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	tb.edge = eval[string](t, tb, "tab.start(%s)", text)
}

// eval evaluates an expression in the page; its promise is awaited.
func eval[T any](t testing.TB, tb *tab, format string, args ...any) T {
	t.Helper()
	expression := fmt.Sprintf(format, args...)
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %s: %v", tb.name, expression, err)
	}
	return value
}

// do evaluates an expression whose value doesn't matter.
func (tb *tab) do(t testing.TB, format string, args ...any) {
	t.Helper()
	eval[bool](t, tb, "(async () => { await (%s); return true })()", fmt.Sprintf(format, args...))
}

// until waits until an expression, or what it promises, is true.
func (tb *tab) until(t testing.TB, format string, args ...any) {
	t.Helper()
	expression := fmt.Sprintf(format, args...)
	_, err := chromedp.Run(tb.ctx, chromedp.Poll[bool](
		"(async () => "+expression+")()", chromedp.WithPollingInterval(interval), chromedp.WithPollingTimeout(patience)))
	if err != nil {
		t.Fatalf("%s: waited in vain for %s: %v", tb.name, expression, err)
	}
}

// facts asks getStats.
func (tb *tab) facts(t testing.TB) facts {
	t.Helper()
	return eval[facts](t, tb, "tab.facts()")
}

// events are what happened in the tab.
func (tb *tab) events(t testing.TB) []string {
	t.Helper()
	return eval[[]string](t, tb, "tab.events")
}

// show logs what happened in the tab if the test failed.
func (tb *tab) show(t testing.TB) {
	if !t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(tb.ctx, time.Second)
	defer cancel()
	const state = `[...tab.events, ...tab.frames, "signaling " + tab.link?.pc.signalingState, "ice " + tab.link?.pc.iceConnectionState]`
	events, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](state))
	t.Logf("%s: %q (%v)", tb.name, events, err)
}
