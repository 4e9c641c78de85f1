package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	// patience is how long a tab may take to come to what is waited for.
	patience = 20 * time.Second
	// interval is how often one looks whether it has.
	interval = 50 * time.Millisecond
)

// Screen is what a tab is shown on.
type Screen struct {
	Width, Height int64
	// Touch: fingers instead of a mouse.
	Touch bool
	// Dark is what the user prefers.
	Dark bool
}

// The two screens that the page is made for above all.
var (
	Desktop = Screen{Width: 1280, Height: 800}
	Phone   = Screen{Width: 390, Height: 844, Touch: true}
)

// Tab is a tab with the page in it. Close ends it.
type Tab struct {
	Close  func()
	ctx    context.Context //nolint:containedctx // chromedp keeps a tab in one
	screen Screen
}

// Tab opens a tab of a browser profile of its own: another person, as far as the page can tell. The scripts run before
// those of the page.
func (b *Browser) Tab(screen Screen, url string, scripts ...string) (*Tab, error) {
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t := &Tab{cancel, ctx, screen}
	if err := t.open(url, scripts); err != nil {
		cancel()
		return nil, fmt.Errorf("open %s: %w", url, err)
	}
	return t, nil
}

// Crash ends the page at once, so that nothing of it can say goodbye.
func (t *Tab) Crash() {
	ctx, cancel := context.WithTimeout(t.ctx, time.Second) // nobody is left to answer
	defer cancel()
	_, _ = chromedp.Call(ctx, page.Crash, cdp.Empty{})
	t.Close()
}

func (t *Tab) open(url string, scripts []string) error {
	options := []chromedp.EmulateViewportOption{}
	if t.screen.Touch {
		options = append(options, chromedp.EmulateTouch, chromedp.EmulateMobile, chromedp.EmulatePortrait)
	}
	scheme := "light"
	if t.screen.Dark {
		scheme = "dark"
	}
	features := []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"}, // what is shown is there at once
	}
	if err := chromedp.Do(t.ctx, chromedp.EmulateViewport(t.screen.Width, t.screen.Height, options...)); err != nil {
		return err
	}
	if _, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		return err
	}
	for _, script := range scripts {
		params := page.AddScriptToEvaluateOnNewDocumentParams{Source: script}
		if _, err := chromedp.Call(t.ctx, page.AddScriptToEvaluateOnNewDocument, params); err != nil {
			return err
		}
	}
	return t.Go(url)
}

// Go goes to another page and waits until it is there. A question that meets the change of pages has no answer and is
// asked again.
func (t *Tab) Go(url string) error {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, page.Navigate, page.NavigateParams{URL: url}); err != nil {
		return err
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		there, err := Evaluate[bool](t, "location.protocol === 'http:' && document.readyState === 'complete'")
		if err == nil && there {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%s doesn't load: %w", url, errors.Join(err, ctx.Err()))
		}
	}
}

// Evaluate is the value of an expression in the page; its promise is awaited.
func Evaluate[T any](t *Tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		err = fmt.Errorf("%s: %w", expression, err)
	}
	return value, err
}

// Until waits until an expression is true.
func (t *Tab) Until(expression string) error {
	// The poll has a time limit of its own in the page, which a page that is gone no longer keeps.
	ctx, cancel := context.WithTimeout(t.ctx, patience+time.Second)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](
		expression, chromedp.WithPollingInterval(interval), chromedp.WithPollingTimeout(patience)))
	if err != nil {
		return fmt.Errorf("waited in vain for %s: %w", expression, err)
	}
	return nil
}

// Click clicks, or touches, what has this role and name for assistive technology. It waits until there is one.
func (t *Tab) Click(role, name string) error {
	x, y, err := t.find(role, name)
	if err != nil {
		return err
	}
	if t.screen.Touch {
		return chromedp.Do(t.ctx, chromedp.TapXY(x, y))
	}
	return chromedp.Do(t.ctx, chromedp.MouseClickXY(x, y))
}

// Write clicks a text field and writes into it, in place of what it has.
func (t *Tab) Write(name, text string) error {
	if err := t.Click("textbox", name); err != nil {
		return err
	}
	if _, err := Evaluate[bool](t, "document.activeElement.select(), true"); err != nil {
		return err
	}
	return t.Insert(text)
}

// Insert writes where the focus is.
func (t *Tab) Insert(text string) error {
	_, err := chromedp.Call(t.ctx, input.InsertText, input.InsertTextParams{Text: text})
	return err
}

// Press presses a key, of package kb or a character.
func (t *Tab) Press(key string) error {
	return chromedp.Do(t.ctx, chromedp.KeyEvent(key))
}

// Picture is a PNG of what the screen shows.
func (t *Tab) Picture() ([]byte, error) {
	return chromedp.Run(t.ctx, chromedp.CaptureScreenshot())
}

// Tree is the accessibility tree.
func (t *Tab) Tree() ([]*accessibility.Node, error) {
	tree, err := chromedp.Call(t.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	return tree.Nodes, err
}

// find returns where the middle of a control is, in CSS pixels, once there is one.
func (t *Tab) find(role, name string) (x, y float64, err error) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		x, y, err = locate(ctx, role, name)
		if err == nil {
			return x, y, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return 0, 0, fmt.Errorf("there is no %s %q: %w", role, name, err)
		}
	}
}

var errNotShown = errors.New("it isn't shown")

func locate(ctx context.Context, role, name string) (x, y float64, err error) {
	document, err := chromedp.Call(ctx, dom.GetDocument, dom.GetDocumentParams{})
	if err != nil {
		return 0, 0, err
	}
	found, err := chromedp.Call(ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{
		BackendNodeID: document.Root.BackendNodeID, Role: role, AccessibleName: name,
	})
	if err != nil {
		return 0, 0, err
	}
	for _, node := range found.Nodes {
		if node.Ignored || node.BackendDOMNodeID == 0 {
			continue
		}
		return middle(ctx, node.BackendDOMNodeID)
	}
	return 0, 0, errNotShown
}

func middle(ctx context.Context, node cdp.BackendNodeID) (x, y float64, err error) {
	if _, err := chromedp.Call(ctx, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: node}); err != nil {
		return 0, 0, err
	}
	quads, err := chromedp.Call(ctx, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: node})
	if err != nil {
		return 0, 0, err
	}
	if len(quads.Quads) == 0 {
		return 0, 0, errNotShown
	}
	q := quads.Quads[0]
	return (q[0] + q[4]) / 2, (q[1] + q[5]) / 2, nil
}
