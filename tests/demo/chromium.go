package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// chromiums are the names that Chromium has, in the order in which they are looked for.
var chromiums = []string{"chromium", "chromium-browser", "google-chrome"}

// FindChromium is the path of Chromium: $PARLEY_CHROMIUM, or the first one that is installed.
func FindChromium() (string, error) {
	if path := os.Getenv("PARLEY_CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range chromiums {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no Chromium: apt-get install chromium, or set PARLEY_CHROMIUM to its path")
}

// Browser is a headless Chromium with a camera and a microphone that aren't real. Close ends it.
type Browser struct {
	ctx   context.Context //nolint:containedctx // chromedp keeps a browser in one
	Close func()
}

// OpenBrowser starts Chromium with user data in a new folder, which is removed at its end.
func OpenBrowser(ctx context.Context) (*Browser, error) {
	path, err := FindChromium()
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	for _, name := range []string{
		"disable-gpu", "disable-quic", "disable-component-update", "hide-scrollbars",
		"use-fake-device-for-media-stream", "use-fake-ui-for-media-stream",
	} {
		options = append(options, chromedp.Flag(name, true))
	}
	allocator, freed := chromedp.NewExecAllocator(ctx, options...)
	browser, cancel := chromedp.NewContext(allocator)
	b := &Browser{browser, func() { cancel(); freed() }}
	if err := chromedp.Do(browser); err != nil {
		b.Close()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return b, nil
}
