package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestMain(m *testing.M) {
	defer closeBrowser()
	m.Run()
}

// All tests share one Chromium; each tab has a profile of its own.
var browser = sync.OnceValues(func() (*Browser, error) { return OpenBrowser(context.Background()) })

func closeBrowser() {
	if b, err := browser(); err == nil {
		b.Close()
	}
}

// startParley runs `parley dev` until the test ends; it must end well, too.
func startParley(t testing.TB, args ...string) *Parley {
	t.Helper()
	binary, err := Binary(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	p, err := StartParley(binary, t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// person uses one tab; what it can't do fails the test.
type person struct {
	name string
	tab  *Tab
	t    testing.TB
}

// visit opens the page for somebody, until the test ends.
func visit(t testing.TB, name string, screen Screen, url string, scripts ...string) *person {
	t.Helper()
	b, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	tab, err := b.Tab(screen, url, scripts...)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{name, tab, t}
	t.Cleanup(tab.Close)
	t.Cleanup(p.keepPicture)
	return p
}

// keepPicture keeps what a failed test saw, in $PARLEY_PICTURES if that is set.
func (p *person) keepPicture() {
	folder := os.Getenv("PARLEY_PICTURES")
	if !p.t.Failed() || folder == "" {
		return
	}
	if picture, err := p.tab.Picture(); err == nil {
		file := filepath.Join(folder, strings.ReplaceAll(p.t.Name(), "/", "_")+"-"+p.name+".png")
		p.t.Logf("%s: %s (%v)", p.name, file, os.WriteFile(file, picture, 0o600))
	}
}

// joins opens the page with a room in its address, writes a name and joins.
func joins(t testing.TB, d *Parley, name, room string, screen Screen) *person {
	t.Helper()
	p := visit(t, name, screen, d.URL+"/?room="+room)
	p.write("Your name", name)
	p.click("Join")
	p.until("document.querySelector('.call') !== null")
	return p
}

func (p *person) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

func (p *person) click(name string) {
	p.t.Helper()
	p.must(p.tab.Click("button", name))
}

func (p *person) write(field, text string) {
	p.t.Helper()
	p.must(p.tab.Write(field, text))
}

func (p *person) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		p.must(p.tab.Press(key))
	}
}

func (p *person) until(format string, args ...any) {
	p.t.Helper()
	p.must(p.tab.Until(fmt.Sprintf(format, args...)))
}

// reads waits until the element, found by a selector, shows the text.
func (p *person) reads(selector, text string) {
	p.t.Helper()
	p.until("[...document.querySelectorAll(%q)].some((e) => e.checkVisibility() && e.innerText.includes(%q))", selector, text)
}

// value is what an expression is.
func value[T any](p *person, format string, args ...any) T {
	p.t.Helper()
	got, err := Evaluate[T](p.tab, fmt.Sprintf(format, args...))
	p.must(err)
	return got
}

// sees waits until somebody's picture moves.
func (p *person) sees(name string) {
	p.t.Helper()
	p.must(p.tab.Sees(name))
}

// stillSees waits until more of somebody's pictures were shown.
func (p *person) stillSees(name string) {
	p.t.Helper()
	p.must(p.tab.StillSees(name))
}

// stateOf waits until the connection with somebody is shown so.
func (p *person) stateOf(name, state string) {
	p.t.Helper()
	p.until("%s?.querySelector('.tile-state').textContent === %q", Tile(name), state)
}
