package demo

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

func TestCall_twoPeopleSeeEachOtherAndWrite(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "talk", Desktop)
	bob := joins(t, d, "Bob", "talk", Desktop)
	ada.sees("Bob")
	bob.sees("Ada")
	ada.stateOf("Bob", "connected")
	bob.stateOf("Ada", "connected")

	ada.click("Chat")
	ada.write("Message", "Can you read this?")
	ada.press(kb.Enter)
	ada.reads(".line.own", "Can you read this?")
	bob.click("Chat, 1 unread")
	bob.reads(".line:not(.own)", "Ada")
	bob.reads(".line:not(.own)", "Can you read this?")
	bob.write("Message", "<b>I can</b>")
	bob.click("Send")
	ada.reads(".line:not(.own)", "<b>I can</b>")
}

func TestCall_showsWhereTheTabIs(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "where", Desktop)
	bob := joins(t, d, "Bob", "where", Desktop)
	edgeOf := func(p *person) string {
		p.reads(".facts", "connected")
		p.reads(".facts", "private addresses pass")
		p.until("/[0-9] ms/.test(document.querySelector('.facts').innerText)")
		return value[string](p, "[...document.querySelectorAll('.fact')].find((f) => f.innerText.startsWith('Edge')).querySelector('dd').innerText")
	}
	edges := strings.Join(d.Edges, " ")
	a, b := edgeOf(ada), edgeOf(bob)
	if a == "" || a == b || !strings.Contains(edges, a) || !strings.Contains(edges, b) {
		t.Errorf("got edges %q and %q, want two of %q", a, b, edges)
	}
}

func TestCall_goesOnWithoutSignal(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "cut", Desktop)
	bob := joins(t, d, "Bob", "cut", Desktop)
	ada.sees("Bob")
	bob.sees("Ada")

	ada.click("Cut the signal")
	ada.reads(".banner", "Signal cut. The call goes on.")
	ada.reads(".facts", "cut")
	bob.stateOf("Ada", "signal lost, call goes on")
	ada.stillSees("Bob")
	bob.stillSees("Ada")
	ada.until("parseInt(document.querySelector('.banner-clock').textContent) >= 1")

	bob.click("Chat")
	bob.write("Message", "You are gone, they say")
	bob.press(kb.Enter)
	ada.click("Chat, 1 unread")
	ada.reads(".line:not(.own)", "Came while the signal was cut.")
	ada.write("Message", "Am I?")
	ada.press(kb.Enter)
	bob.reads(".line:not(.own)", "Am I?")

	ada.click("Reconnect")
	ada.reads(".banner", "Resumed: nothing lost")
	bob.stateOf("Ada", "connected")
	ada.reads(".facts", "connected")
	ada.stillSees("Bob")
	if got := value[int](ada, "document.querySelectorAll('.tile:not([data-self])').length"); got != 1 {
		t.Errorf("Ada sees %d others, want 1", got)
	}
}

func TestCall_comesBackByItselfAfterFiveSeconds(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "five", Desktop)
	ada.click("Cut the signal for 5 seconds")
	ada.reads(".banner", "Reconnects in")
	ada.reads(".banner", "Resumed: nothing lost")
}

func TestCall_showsWhatWasSignaled(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "list", Desktop)
	bob := joins(t, d, "Bob", "list", Desktop)
	ada.sees("Bob")
	bob.sees("Ada")
	bob.click("What was signaled")
	for _, kind := range []string{"offer", "answer", "candidate", "room"} {
		bob.until("document.querySelector('.row[data-kind=%s]') !== null", kind)
	}
	bob.reads(".row", "Ada")
	bob.reads(".row.quiet", "acked up to")

	value[bool](bob, "document.querySelector('.row[data-kind=answer] .row-head').click(), true")
	bob.reads(".row-detail pre", "v=0\n")
	bob.reads(".row-detail pre", "m=video")
	trace := value[string](bob, "document.querySelector('.row-detail .trace code')?.textContent ?? ''")
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(trace) {
		t.Errorf("got trace id %q, want 32 hex digits", trace)
	}
	value[bool](bob, "[...document.querySelectorAll('.chip')].find((c) => c.dataset.kind === 'answer').click(), true")
	bob.until("!document.querySelector('.row[data-kind=answer]').checkVisibility()")

	value[bool](bob, "document.querySelector('.pause').click(), true")
	rows := value[int](bob, "document.querySelectorAll('.row').length")
	ada.click("Mute the microphone") // presence, which Bob is told of
	bob.reads(".pause", "1 new")
	if got := value[int](bob, "document.querySelectorAll('.row').length"); got != rows {
		t.Errorf("the list has %d lines while it pauses, want the %d of before", got, rows)
	}
	bob.until("%s.querySelector('.tile-muted').checkVisibility()", Tile("Ada"))
}

func TestCall_leavingIsSeen(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "leave", Desktop)
	bob := joins(t, d, "Bob", "leave", Desktop)
	ada.sees("Bob")
	bob.click("Leave the call")
	bob.until("document.querySelector('.join') !== null")
	ada.until("%s === undefined", Tile("Bob"))
	ada.reads(".invite", "You're the first one here")
}

func TestCall_aReloadReplacesItself(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "reload", Desktop)
	bob := joins(t, d, "Bob", "reload", Desktop)
	ada.sees("Bob")
	value[bool](bob, "window.before = true")
	bob.must(bob.tab.Go(d.URL + "/?room=reload&name=Bob&join=1"))
	bob.until("window.before === undefined && %s !== undefined", Tile("Ada"))
	bob.sees("Ada")
	ada.sees("Bob")
	if got := value[int](ada, "document.querySelectorAll('.tile:not([data-self])').length"); got != 1 {
		t.Errorf("Ada sees %d others, want 1", got)
	}
}

// TestCall_withBots has tabs crash in the middle of a call, without a goodbye: the
// bots must not hold up the end of `parley dev`.
func TestCall_withBots(t *testing.T) {
	d := startParley(t, "--bots", "2", "--bots-room", "company")
	for _, name := range []string{"Ada", "Bob"} {
		p := joins(t, d, name, "company", Desktop)
		p.sees("Bot 1")
		p.sees("Bot 2")
		p.tab.Crash()
	}
}

// noDevices is a machine without a camera and a microphone, as the page meets it.
const noDevices = `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("none", "NotFoundError"))`

func TestCall_worksWithoutDevices(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "bare", Desktop)
	bob := visit(t, "Bob", Desktop, d.URL+"/?room=bare", noDevices)
	bob.reads(".problem", "No camera or microphone was found.")
	bob.write("Your name", "Bob")
	bob.click("Join")
	bob.sees("Ada")
	ada.stateOf("Bob", "connected")
	ada.until("!%s.hasAttribute('data-picture')", Tile("Bob"))
	bob.click("Chat")
	bob.write("Message", "I have no camera")
	bob.press(kb.Enter)
	ada.click("Chat, 1 unread")
	ada.reads(".line:not(.own)", "I have no camera")
}

func TestCall_theCameraGoesOffAndOn(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "camera", Desktop)
	bob := joins(t, d, "Bob", "camera", Desktop)
	bob.sees("Ada")
	ada.click("Turn the camera off")
	bob.until("!%s.hasAttribute('data-picture')", Tile("Ada"))
	ada.click("Turn the camera on")
	bob.sees("Ada")
}
