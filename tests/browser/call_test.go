package browser

import (
	"slices"
	"testing"
)

func TestMain(m *testing.M) {
	defer chromium.close()
	m.Run()
}

// sent is how many bytes a test sends over a data channel.
const sent = 100_000

// exchange sends bytes both ways, and waits until getStats and the page have
// counted them.
func exchange(t *testing.T, tabs ...*tab) {
	t.Helper()
	before := make([]int, len(tabs))
	for i, tb := range tabs {
		before[i] = eval[int](t, tb, "tab.received")
	}
	for _, tb := range tabs {
		if n := eval[int](t, tb, "tab.send(%d)", sent); n != len(tabs)-1 {
			t.Fatalf("%s sends to %d others, want %d", tb.name, n, len(tabs)-1)
		}
	}
	for i, tb := range tabs {
		want := before[i] + sent*(len(tabs)-1)
		tb.until(t, "tab.received === %d", want)
		tb.until(t, "(await tab.channelBytes()) >= %d", want)
	}
}

// watch waits until a tab has decoded more video frames than now.
func watch(t *testing.T, tabs ...*tab) {
	t.Helper()
	for _, tb := range tabs {
		before := tb.facts(t).FramesDecoded
		tb.until(t, "(await tab.facts()).framesDecoded > %d", before+3)
	}
}

func TestCall_twoTabsOnDifferentEdgesSeeAndHearEachOther(t *testing.T) {
	d := startDev(t)
	ada := d.open(t, wish{Room: "call", Identity: "ada", Camera: true})
	bob := d.open(t, wish{Room: "call", Identity: "bob", Camera: true})
	if ada.edge == bob.edge || !slices.Contains(d.Edges, ada.edge) || !slices.Contains(d.Edges, bob.edge) {
		t.Errorf("they are on the edges %q and %q, want two of %q", ada.edge, bob.edge, d.Edges)
	}
	for _, tb := range []*tab{ada, bob} {
		tb.until(t, "tab.open")
		tb.until(t, "tab.link.streams.length === 1")
	}
	watch(t, ada, bob)
	exchange(t, ada, bob)
	for _, tb := range []*tab{ada, bob} {
		if got := tb.facts(t); got.BytesReceived == 0 || got.Local.Type == "" {
			t.Errorf("%s: got %+v, want media over a pair of candidates", tb.name, got)
		}
		if got := eval[int](t, tb, "tab.probe.made.length"); got != 1 {
			t.Errorf("%s made %d connections, want one", tb.name, got)
		}
	}
}
