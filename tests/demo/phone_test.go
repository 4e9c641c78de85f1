package demo

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// smallest is what a finger hits (WCAG 2.2, 2.5.5 target size), in CSS pixels.
const smallest = 44

// fits checks that nothing stands out to the right, and that what is pressed is large enough.
func (p *person) fits(where string) {
	p.t.Helper()
	// What comes in has come, and stands where it stays.
	value[bool](p, `new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true)))).then(() => Promise.all(
		document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime !== Infinity).map((a) => a.finished.catch(() => null)))).then(() => true)`)
	if got := value[int](p, "document.documentElement.scrollWidth"); int64(got) > p.tab.screen.Width {
		p.t.Errorf("%s is %d pixels wide on a screen of %d", where, got, p.tab.screen.Width)
	}
	beyond := value[string](p, `[...document.querySelectorAll('button, input, a, h1, h2, .tile, .fact, .banner')]
		.filter((e) => e.checkVisibility() && !e.closest('.chips') && e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML.slice(0, 80)).join('; ')`)
	if beyond != "" {
		p.t.Errorf("%s: these stand out of the screen: %s", where, beyond)
	}
	small := value[string](p, `[...document.querySelectorAll('button, input, a')].filter((e) => e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()])
		.filter(([, r]) => r.width < %d || r.height < %d).map(([e, r]) => r.width + 'x' + r.height + ' ' + (e.getAttribute('aria-label') ?? e.textContent)).join('; ')`, smallest, smallest)
	if small != "" {
		p.t.Errorf("%s: these are too small for a finger: %s", where, small)
	}
}

func TestPhone_everythingFitsAndCanBeTouched(t *testing.T) {
	d := startParley(t)
	for _, width := range []int64{390, 360} {
		screen := Screen{Width: width, Height: 844, Touch: true}
		room := strings.Repeat("a-long-name-", 3)
		ada := visit(t, "Ada", screen, d.URL+"/?room="+room)
		ada.fits("the screen to join")
		ada.write("Your name", "Ada")
		ada.click("Join")
		ada.until("document.querySelector('.call') !== null")
		ada.fits("the call alone")
		bob := joins(t, d, "Bob", room, screen)
		ada.sees("Bob")
		bob.sees("Ada")
		ada.fits("the call")
		if got := value[bool](ada, "[...document.querySelectorAll('.tile')].every((t) => t.getBoundingClientRect().bottom <= document.querySelector('.dock').getBoundingClientRect().top)"); !got {
			t.Error("two tiles don't fit above the controls")
		}
		ada.click("Cut the signal")
		ada.reads(".banner", "Signal cut")
		ada.fits("the call without signal")
		ada.click("Reconnect now")
		ada.reads(".banner", "Resumed")
		ada.fits("the call after it")

		ada.click("Chat")
		ada.until("document.querySelector('#chat:modal') !== null")
		ada.fits("the chat")
		ada.write("Message", "Hello from a phone")
		ada.press(kb.Enter)
		ada.reads(".line.own", "Hello from a phone")
		ada.click("Close Chat")
		ada.click("What was signaled")
		ada.until("document.querySelector('#signals:modal') !== null")
		ada.fits("the list of signals")
		value[bool](ada, "document.querySelector('.row[data-kind=answer] .row-head, .row[data-kind=offer] .row-head').click(), true")
		ada.reads(".row-detail pre", "v=0")
		ada.fits("a signal")
		ada.click("Close What was signaled")
		ada.click("Leave the call")
		bob.click("Leave the call")
	}
}
