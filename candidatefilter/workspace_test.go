package candidatefilter

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// usual is an entry as a busy link cuts it.
func usual() []byte {
	body := candidateBody(mdnsHost + " generation 0 ufrag pB10001 network-id 1 network-cost 10")
	return entryOf(signal(contract.KindCandidate, 1, body),
		signal(contract.KindCandidate, 2, candidatesBody(srflxBlank, relayed)),
		signal(contract.KindMessage, 3, `{"id":"m1","data":{"x":1}}`),
		signal(contract.KindPresence, 4, `{"peer":"peeraaaaaaaaaaaaaaaa","version":3,"state":"here"}`))
}

func TestSanitiser_entry_allocatesNothingForOneThatPasses(t *testing.T) {
	n, w := sanitiserOf(contract.PolicyPublic), new(workspace)
	for name, data := range map[string][]byte{
		"as it came": usual(),
		"with a related address that says nothing, in another form": entryOf(
			signal(contract.KindCandidate, 1, candidateBody(strings.Replace(srflxBlank, "rport 9", "rport 0", 1)))),
	} {
		got := testing.AllocsPerRun(100, func() {
			if e, wrong := n.entry(w, data); wrong != nil || len(e.verdicts) > 0 {
				t.Fatalf("%s: %+v, %+v", name, wrong, e.verdicts)
			}
		})
		if got != 0 {
			t.Errorf("%s: %v allocations, want none", name, got)
		}
	}
}

// Handling an entry that passes allocates what nats.go does to publish with a
// header: its bytes and the buffer around them. There is no server, so nobody
// else allocates.
func TestFilter_handleEntry_allocatesOnlyTheHeaderOfNATS(t *testing.T) {
	b := newBench(t, 1, -1)
	nc, err := nats.Connect(b.server.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	gone := nc.StatusChanged(nats.RECONNECTING)
	f := newFilter(DefaultConfig(), nc, b.log)
	b.nc.Close()
	b.server.Shutdown()
	<-gone
	m := nats.NewMsg(contract.FilterSubject(b.from, b.to))
	m.Reply = nats.NewInbox()
	m.Header[contract.HeaderMessageID] = []string{contract.MessageID(b.from, b.to, 1)}
	m.Data = usual()
	before, failed := nc.Stats().OutMsgs, figure(t, `parley_candidatefilter_failed_commits_total{reason="publish"}`)
	const runs = 500
	ctx, w := t.Context(), new(workspace)
	handle := func() {
		f.handle(ctx, w, m)
		w.forget()
	}
	if got := testing.AllocsPerRun(runs, handle); got > 2 {
		t.Errorf("%v allocations, want 2", got)
	}
	if got := nc.Stats().OutMsgs - before; got != runs+1 {
		t.Errorf("%d entries were published, want %d; %v failed", got, runs+1,
			figure(t, `parley_candidatefilter_failed_commits_total{reason="publish"}`)-failed)
	}
}

func TestWorkspace_forget(t *testing.T) {
	w := workspace{text: make([]byte, maxKeptBytes), body: make([]byte, maxKeptBytes+1), entry: make([]byte, contract.MaxEntryBytes)}
	w.signal.Body, w.out.Data = []byte("borrowed"), []byte("borrowed")
	w.forget()
	if w.text == nil || w.body != nil || w.entry != nil {
		t.Errorf("kept %d, %d and %d bytes, want the first alone", cap(w.text), cap(w.body), cap(w.entry))
	}
	if w.signal.Body != nil || w.out.Data != nil {
		t.Error("it still borrows")
	}
}

func TestRoutes_areBounded(t *testing.T) {
	b := newBench(t, 2, -1)
	known := routes{log: b.log}
	for range 2 { // the second time the first are forgotten, or known
		for i := range maxRoutes + 10 {
			from := token(t, "edge-"+strconv.Itoa(i))
			got, err := known.of(contract.FilterSubject(from, b.to))
			if err != nil || got.subject != b.log.Subject(from, b.to) || !got.isMessageID(contract.MessageID(from, b.to, 7)) {
				t.Fatalf("link %d: %+v, %v", i, got, err)
			}
			if len(known.known) > maxRoutes {
				t.Fatalf("%d links are known, want at most %d", len(known.known), maxRoutes)
			}
		}
	}
	if _, err := known.of("filter.a.b.c.d"); err == nil || len(known.known) == 0 {
		t.Errorf("a subject of no link: %v, and %d are known", err, len(known.known))
	}
}

// What is written for one entry is nothing of another one that was handled in
// the same memory, also while that waits for its commit.
func TestFilter_entriesInTheSameMemory(t *testing.T) {
	b := newBench(t, 1, -1)
	cfg := DefaultConfig()
	cfg.Workers = 1
	b.start(cfg)
	came := []string{
		srflxBlank, // goes on as it came
		strings.Replace(srflxBlank, "rport 9", "rport 0", 1), // is written anew
		srflx, // is written anew with a verdict
	}
	var inboxes []*nats.Subscription
	var want [][]byte
	for n := range uint64(60) {
		s := signal(contract.KindCandidate, n+1, candidateBody(came[n%3]))
		inboxes = append(inboxes, b.publish(b.to, n+1, entryOf(s)))
		s.Body = []byte(candidateBody(srflxBlank))
		goes := entryOf(s)
		if n%3 == 2 {
			goes = withVerdicts(goes, contract.Verdict{From: sender, Seq: n + 1, Rule: contract.RuleRelatedAddress, Count: 1})
		}
		want = append(want, goes)
	}
	for _, inbox := range inboxes {
		if _, err := inbox.NextMsg(patience); err != nil {
			t.Fatal(err)
		}
	}
	// One with verdicts may be committed behind one that came later.
	got := b.stored()
	slices.SortFunc(got, bytes.Compare)
	slices.SortFunc(want, bytes.Compare)
	if !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("the log holds %d entries, want %d:\n got %q\nwant %q", len(got), len(want), got, want)
	}
}
