// Command screenshots takes the pictures of the demo page for the documentation: a call with three bots of `parley dev`,
// on a phone and on a desktop, light and dark.
//
//	go run ./demo/cmd/screenshots [-out folder]
//
// It runs in the folder tests and needs Chromium and `make build`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/parley-rtc/parley/tests/demo"
)

// limit is how many bytes a picture may have, so that a clone stays small.
const limit = 300_000

func main() {
	repository := flag.String("repository", "..", "root of the repository, for bin/parley")
	out := flag.String("out", filepath.Join("..", "docs", "images"), "folder for the pictures")
	flag.Parse()
	if err := run(*repository, *out); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(repository, out string) (err error) {
	binary, err := demo.Binary(repository)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "parley-screenshots-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	parley, err := demo.StartParley(binary, dir, "--bots", "3", "--bots-room", "quiet-harbour")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, parley.Stop()) }()
	browser, err := demo.OpenBrowser(context.Background())
	if err != nil {
		return err
	}
	defer browser.Close()
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	return takeAll(browser, parley.URL+"/?room=quiet-harbour&name=Ada", out)
}

func takeAll(browser *demo.Browser, url, out string) error {
	for device, screen := range map[string]demo.Screen{"phone": demo.Phone, "desktop": demo.Desktop} {
		for scheme, dark := range map[string]bool{"light": false, "dark": true} {
			screen.Dark = dark
			picture, err := take(browser, screen, url)
			if err == nil && len(picture) > limit {
				err = fmt.Errorf("it has %d bytes, at most %d", len(picture), limit)
			}
			name := filepath.Join(out, "demo-"+device+"-"+scheme+".png")
			if err == nil {
				err = os.WriteFile(name, picture, 0o644)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Fprintf(os.Stdout, "%s: %d bytes\n", name, len(picture))
		}
	}
	return nil
}

// take joins, waits until all three others are seen, and takes a picture: on a desktop with the list of signals.
func take(browser *demo.Browser, screen demo.Screen, url string) ([]byte, error) {
	tab, err := browser.Tab(screen, url)
	if err != nil {
		return nil, err
	}
	defer tab.Close()
	err = errors.Join(
		tab.Click("button", "Join"),
		tab.Until("document.querySelectorAll('.tile:not([data-self])[data-picture][data-tone=good]').length >= 3"),
		tab.Until("document.querySelector('.tile[data-self][data-picture]') !== null"),
	)
	if err != nil {
		return nil, err
	}
	if !screen.Touch {
		if err := tab.Click("button", "What was signaled"); err != nil {
			return nil, err
		}
	}
	err = errors.Join(
		tab.Until("/[0-9] ms/.test(document.querySelector('.facts').innerText)"),
		tab.Until("[...document.querySelectorAll('video')].every((v) => v.getVideoPlaybackQuality().totalVideoFrames > 20)"),
	)
	if err != nil {
		return nil, err
	}
	picture, err := tab.Picture()
	// It leaves, so that the next one finds three others again.
	return picture, errors.Join(err, tab.Click("button", "Leave the call"), tab.Until("document.querySelector('.join') !== null"))
}
