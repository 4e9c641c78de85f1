package ladder_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/deploy/standalone/ladder"
)

var update = flag.Bool("update", false, "write the golden files as they are now")

func events(t *testing.T, file string) []ladder.Event {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var all []ladder.Event
	for line := range bytes.Lines(text) {
		e, err := ladder.Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

func TestLadder(t *testing.T) {
	for name, o := range map[string]ladder.Options{
		"wide":     {Width: 100},
		"narrow":   {Width: 64},
		"tiny":     {Width: 40},
		"list":     {},
		"coloured": {Width: 100, Colour: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := ladder.New(o)
			var out strings.Builder
			for _, e := range events(t, "call.ndjson") {
				for _, line := range l.Add(e) {
					if w := ladder.Width(line); o.Width > 0 && !o.Colour && w > o.Width {
						t.Errorf("a line of %d columns, want at most %d: %s", w, o.Width, line)
					}
					fmt.Fprintln(&out, line)
				}
			}
			golden(t, name+".txt", out.String())
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

func TestLadder_anyWidth(t *testing.T) {
	all := events(t, "call.ndjson")
	for width := range 200 {
		l := ladder.New(ladder.Options{Width: 200})
		for i, e := range all {
			l.Resize(width)
			if i%3 == 0 {
				l.Resize(max(1, 200-width))
			}
			l.Add(e)
		}
	}
}

// TestLadder_anyLine gives it lines that lack anything that they may lack.
func TestLadder_anyLine(t *testing.T) {
	kinds := []string{"snapshot", "heartbeat", "dropped", "joined", "left", "offer", "message", "presence", "refused", "locked", "new", ""}
	for _, width := range []int{0, 1, 13, 14, 29, 30, 60, 200} {
		l := ladder.New(ladder.Options{Width: width, Colour: true})
		for _, room := range []string{`{}`, `{"members":[{"peer":"a","identity":"é日"},{"peer":"b"}]}`} {
			l.Add(parse(t, `{"kind":"snapshot","room":`+room+`}`))
			for _, kind := range kinds {
				for _, rest := range []string{
					``, `,"from":"a"`, `,"to":"a"`, `,"from":"a","to":"b"`, `,"from":"b","to":"a"`, `,"from":"x","to":"y"`, `,"from":"a","to":"a"`,
					`,"from":"a","seq":1,"candidates":[{}],"filtered":[{}],"refused":"r","description":{}`, `,"from":"c","fromIdentity":"日"`,
				} {
					l.Add(parse(t, `{"kind":"`+kind+`"`+rest+`}`))
				}
			}
		}
	}
}

func parse(t *testing.T, line string) ladder.Event {
	t.Helper()
	e, err := ladder.Parse([]byte(line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return e
}

func TestWidth(t *testing.T) {
	for text, want := range map[string]int{"": 0, "ada": 3, "é": 1, "e\u0301": 1, "日本": 4, "🙂": 2} {
		if got := ladder.Width(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
	for _, test := range []struct {
		text string
		most int
		want string
	}{{"ada", 3, "ada"}, {"adam", 3, "ad…"}, {"日本語", 4, "日…"}, {"ada", 0, ""}, {"ada", 1, "…"}} {
		if got := ladder.Fit(test.text, test.most); got != test.want {
			t.Errorf("%q in %d: got %q, want %q", test.text, test.most, got, test.want)
		}
	}
	if got := ladder.Clean("a\x1b[31m\u202eb\u2028"); strings.ContainsAny(got, "\x1b\u202e\u2028") {
		t.Errorf("got %q, want no control characters", got)
	}
}
