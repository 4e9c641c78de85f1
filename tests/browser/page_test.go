package browser

import (
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patient is a wait before a retry that no test lives to see the end of.
const patient = 24 * 60 * 60 * 1000

// TestPage_thatEndsLeavesAtOnce: the others don't wait for the resume window of a minute,
// which is longer than the test's patience. Of a page that is left for another one Chromium
// says that it may keep it, and doesn't keep one with a call.
func TestPage_thatEndsLeavesAtOnce(t *testing.T) {
	d := startDev(t)
	for name, ends := range map[string]func(tb *tab) error{
		"closed": func(tb *tab) error {
			_, err := chromedp.Call(tb.ctx, page.Close, cdp.Empty{})
			return err
		},
		"left for another page": func(tb *tab) error { return chromedp.Do(tb.ctx, chromedp.Navigate("about:blank")) },
	} {
		t.Run(name, func(t *testing.T) {
			ada := d.open(t, wish{Room: name, Identity: "ada"})
			bob := d.open(t, wish{Room: name, Identity: "bob"})
			bob.until(t, "tab.open")
			if err := ends(ada); err != nil {
				t.Fatal(err)
			}
			bob.until(t, "tab.events.includes('peer-left left')")
			bob.until(t, "tab.connections.connections.size === 0")
		})
	}
}

// TestPage_comesBackAtOnce has a page lose its socket while it is offline, or in the
// background. It would try again tomorrow, and does so when it is online, or seen.
func TestPage_comesBackAtOnce(t *testing.T) {
	d := startDev(t)
	for name, one := range map[string]struct {
		away, back func(t *testing.T, tb *tab)
		is         string // while it is away
	}{
		"online": {
			func(t *testing.T, tb *tab) { tb.offline(t, true) },
			func(t *testing.T, tb *tab) { tb.offline(t, false) },
			"!navigator.onLine",
		},
		"seen": {
			func(t *testing.T, tb *tab) { tb.window(t, browser.WindowStateMinimized) },
			func(t *testing.T, tb *tab) { tb.window(t, browser.WindowStateNormal) },
			"document.visibilityState === 'hidden'",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t, d.WebSocket)
			ada := d.open(t, wish{URL: []string{l.address}, Room: name, Identity: "ada", Backoff: patient})
			bob := d.open(t, wish{Room: name, Identity: "bob"})
			bob.until(t, "tab.open")
			one.away(t, ada)
			ada.until(t, "%s", one.is)
			l.cut()
			ada.until(t, "tab.client.state === 'reconnecting'")
			bob.until(t, "tab.other === 'away'")
			one.back(t, ada)
			ada.until(t, "tab.events.includes('resumed')")
			bob.until(t, "tab.other === 'here'")
			unbroken(t, ada)
			unbroken(t, bob)
		})
	}
}

// offline tells the page that there is no network, or that it is back.
func (tb *tab) offline(t *testing.T, is bool) {
	t.Helper()
	_, err := chromedp.Call(tb.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{
		Offline: is, DownloadThroughput: -1, UploadThroughput: -1,
	})
	if err != nil {
		t.Fatalf("%s: offline %t: %v", tb.name, is, err)
	}
}

// window gives the tab's window another state. Who minimises it doesn't see the page.
func (tb *tab) window(t *testing.T, state browser.WindowState) {
	t.Helper()
	window, err := chromedp.Call(tb.ctx, browser.GetWindowForTarget, browser.GetWindowForTargetParams{})
	if err == nil {
		_, err = chromedp.Call(tb.ctx, browser.SetWindowBounds, browser.SetWindowBoundsParams{
			WindowID: window.WindowID, Bounds: &browser.Bounds{WindowState: state},
		})
	}
	if err != nil {
		t.Fatalf("%s: the window %s: %v", tb.name, state, err)
	}
}
