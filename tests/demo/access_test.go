package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp/kb"
)

// accessible checks what can be checked without ears: names, ids, headings, landmarks.
func (p *person) accessible(where string) {
	p.t.Helper()
	nodes, err := p.tab.Tree()
	p.must(err)
	seen := map[string]int{}
	for _, node := range nodes {
		if node.Ignored {
			continue
		}
		role, name := plain(node.Role), plain(node.Name)
		seen[role]++
		if slices.Contains([]string{"button", "textbox", "link", "dialog", "region", "group", "list", "heading"}, role) && name == "" && role != "list" {
			p.t.Errorf("%s: a %s has no name", where, role)
		}
	}
	for _, role := range []string{"banner", "main"} {
		if seen[role] != 1 {
			p.t.Errorf("%s has the landmark %s %d times, want it once", where, role, seen[role])
		}
	}
	if twice := value[string](p, "[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i).join()"); twice != "" {
		p.t.Errorf("%s has ids twice: %s", where, twice)
	}
	if lost := value[string](p, `[...document.querySelectorAll('[for], [aria-labelledby], [aria-describedby]')].flatMap((e) =>
		['for', 'aria-labelledby', 'aria-describedby'].flatMap((a) => (e.getAttribute(a) ?? '').split(' ').filter((id) => id && !document.getElementById(id)))).join()`); lost != "" {
		p.t.Errorf("%s refers to ids that aren't there: %s", where, lost)
	}
	headings := value[string](p, "[...document.querySelectorAll('h1, h2, h3')].filter((e) => e.checkVisibility()).map((e) => e.tagName).join(' ')")
	if headings != "H1" && headings != "H1 H2" {
		p.t.Errorf("%s has the headings %q, want one h1 and an open panel's h2", where, headings)
	}
}

func plain(value *accessibility.Value) string {
	if value == nil {
		return ""
	}
	var text string
	_ = json.Unmarshal(value.Value, &text) // a value of another type is no text
	return text
}

func TestAccess_everythingHasAName(t *testing.T) {
	d := startParley(t)
	ada := visit(t, "Ada", Desktop, d.URL+"/?room=names")
	ada.accessible("the screen to join")
	ada.write("Your name", "Ada")
	ada.click("Join")
	ada.until("document.querySelector('.call') !== null")
	ada.accessible("the call alone")
	bob := joins(t, d, "Bob", "names", Desktop)
	bob.sees("Ada")
	ada.sees("Bob")
	ada.accessible("the call")
	ada.click("Chat")
	ada.accessible("the call with its chat")
	ada.click("What was signaled")
	ada.accessible("the call with its signals")
	ada.click("Cut the signal")
	ada.reads(".banner", "Signal cut")
	ada.accessible("the call without signal")
}

func TestAccess_eventsAreSaid(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "said", Desktop)
	said := func(text string) {
		t.Helper()
		ada.until("document.querySelector('[role=status][aria-live=polite]').textContent.includes(%q)", text)
	}
	said("You are in said")
	bob := joins(t, d, "Bob", "said", Desktop)
	said("Bob joined")
	bob.sees("Ada")
	bob.click("Chat")
	bob.until("%s?.querySelector('.tile-state').textContent === 'connected'", Tile("Ada"))
	bob.write("Message", "Do you hear?")
	bob.press(kb.Enter)
	said("Bob: Do you hear?")
	ada.click("Cut the signal")
	said("Signal cut. The call goes on.")
	ada.click("Reconnect")
	said("Resumed: nothing lost")
	bob.click("Leave the call")
	said("Bob left")
}

// focused is the accessible name of what has the focus, and whether that can be seen.
func (p *person) focused() (name string, visible bool) {
	p.t.Helper()
	const outlined = "getComputedStyle(document.activeElement).outlineStyle !== 'none' && parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2"
	name = value[string](p, "document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent")
	return name, value[bool](p, outlined)
}

// tabsTo presses Tab until the focus is at something of that name.
func (p *person) tabsTo(name string) {
	p.t.Helper()
	var met []string
	for range 24 {
		at, visible := p.focused()
		if at == name {
			if !visible {
				p.t.Errorf("the focus on %q can't be seen", name)
			}
			return
		}
		met = append(met, at)
		p.press(kb.Tab)
	}
	p.t.Fatalf("Tab doesn't come to %q; it met %q", name, met)
}

func TestAccess_theKeyboardIsEnough(t *testing.T) {
	d := startParley(t)
	ada := visit(t, "Ada", Desktop, d.URL+"/?room=keys")
	ada.tabsTo("Your name")
	ada.must(ada.tab.Insert("Ada"))
	ada.tabsTo("Room")
	ada.tabsTo("Another room name")
	ada.tabsTo("Join")
	ada.press(kb.Enter)
	ada.until("document.querySelector('.call') !== null")
	if got := value[string](ada, "document.activeElement.textContent"); got != "Room keys" {
		t.Errorf("after the join the focus is on %q, want the name of the room", got)
	}
	for _, name := range []string{"Copy the link to this room", "Mute the microphone", "Turn the camera off", "Cut the signal"} {
		ada.tabsTo(name)
	}
	ada.press(kb.Enter)
	ada.reads(".banner", "Signal cut")
	ada.press(kb.Enter) // it is the same control, which now reconnects
	ada.reads(".banner", "Resumed: nothing lost")
	ada.tabsTo("Chat")
	ada.press(kb.Enter)
	ada.until("document.activeElement.id === 'chat-input'")
	ada.press(kb.Escape)
	ada.until("!document.querySelector('#chat').open")
	if got, _ := ada.focused(); got != "Chat" {
		t.Errorf("after the chat the focus is on %q, want Chat", got)
	}
}

func TestAccess_anEmptyNameIsExplained(t *testing.T) {
	d := startParley(t)
	ada := visit(t, "Ada", Desktop, d.URL+"/?room=empty")
	ada.click("Join")
	ada.reads(".complaint", "Your name is needed")
	const explained = "document.activeElement.id === 'name' && document.activeElement.getAttribute('aria-invalid') === 'true' && document.activeElement.getAttribute('aria-describedby')?.includes('name-complaint')"
	ada.until(explained)
}

// contrast is a script for the contrast of text with what is behind it (WCAG 2.2, 1.4.3), where that is one colour.
const contrast = `(async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))); // what changes colour has done so
  const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = (text) => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; if (c[3] > 0) return null; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('h1, h2, p, span, button, a, label, dt, dd, time, input, pre')) {
    if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== '')) continue;
    const style = getComputedStyle(e), ground = behind(e), ink = parse(style.color);
    if (!ground || ink.length > 3 || e.closest('.visually-hidden, .face, .tile-state, [aria-hidden=true]')) continue;
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(e.textContent.trim().slice(0, 30) + ' ' + ratio.toFixed(2));
  }
  return bad.join('; ');
})()`

func TestAccess_textStandsOut(t *testing.T) {
	d := startParley(t)
	for _, dark := range []bool{false, true} {
		screen := Desktop
		screen.Dark = dark
		ada := visit(t, "Ada", screen, d.URL+"/?room=contrast")
		check := func(where string) {
			t.Helper()
			if bad := value[string](ada, "%s", contrast); bad != "" {
				t.Errorf("%s (dark: %v) has text under 4.5 : 1: %s", where, dark, bad)
			}
		}
		check("the screen to join")
		ada.click("Join")
		ada.reads(".complaint", "Your name is needed")
		check("the screen with a complaint")
		ada.write("Your name", fmt.Sprintf("Ada %v", dark))
		ada.click("Join")
		ada.until("document.querySelector('.call') !== null")
		ada.click("What was signaled")
		ada.until("document.querySelector('.row') !== null")
		check("the list of signals")
		ada.click("Chat")
		ada.write("Message", "Alone")
		ada.press(kb.Enter)
		ada.reads(".line.own", "Reached nobody")
		check("the chat")
		ada.click("Cut the signal")
		ada.reads(".banner", "Signal cut")
		check("the call without signal")
	}
}
