package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/chromedp/chromedp"
)

// chromiums are the names that Chromium has, in the order in which they are
// looked for.
var chromiums = []string{"chromium", "chromium-browser", "google-chrome"}

// findChromium is the path of Chromium: $PARLEY_CHROMIUM or the first one that is
// installed.
func findChromium() (string, error) {
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

// shared is the one Chromium of this process. It lives until stopBrowser.
type shared struct {
	once sync.Once
	ctx  context.Context //nolint:containedctx // chromedp keeps a browser in one
	stop context.CancelFunc
	err  error
}

var chromium shared

// start starts Chromium, or returns the one that runs.
func (s *shared) start() (context.Context, error) {
	s.once.Do(func() {
		path, err := findChromium()
		if err != nil {
			s.err = err
			return
		}
		dir, err := os.MkdirTemp("", "parley-browser-")
		if err != nil {
			s.err = err
			return
		}
		allocator, freed := chromedp.NewExecAllocator(context.Background(), flags(path, dir)...)
		ctx, cancel := chromedp.NewContext(allocator)
		s.stop = func() {
			_ = chromedp.Cancel(ctx) // lets it end by itself; it is stopped in any case
			cancel()
			freed()
			_ = os.RemoveAll(dir) // nothing hangs on it
		}
		s.ctx, s.err = ctx, chromedp.Do(ctx)
		if s.err != nil {
			s.err = fmt.Errorf("start %s: %w", path, s.err)
		}
	})
	return s.ctx, s.err
}

// close ends Chromium and removes its files, if it was started.
func (s *shared) close() {
	if s.stop != nil {
		s.stop()
	}
}

// flags make Chromium quiet, give it a camera and a microphone, and keep its files
// in a folder.
func flags(path, dir string) []chromedp.ExecAllocatorOption {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.Env("TMPDIR="+dir))
	for _, name := range []string{
		"disable-gpu", "disable-quic", "disable-component-update",
		"use-fake-device-for-media-stream", "use-fake-ui-for-media-stream",
	} {
		options = append(options, chromedp.Flag(name, true))
	}
	return options
}
