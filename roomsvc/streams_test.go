package roomsvc

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/tail"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// watch reads an event stream of a room until the test ends.
type watch struct {
	t     testing.TB
	lines chan string // closed at its end
	stop  context.CancelFunc
}

func (a api) watch(room string) *watch {
	a.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a.t.Cleanup(cancel)
	req := a.request(http.MethodGet, RoomsPath+"/"+room+"/events", nil).WithContext(ctx)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "application/x-ndjson" {
		a.t.Fatalf("got %s, %s", resp.Status, got)
	}
	w := &watch{a.t, make(chan string, 10_000), cancel}
	go func() {
		defer close(w.lines)
		defer func() { _ = resp.Body.Close() }()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			w.lines <- lines.Text()
		}
	}()
	return w
}

// text waits for the next line but heartbeats.
func (w *watch) text() string {
	w.t.Helper()
	for {
		select {
		case line, more := <-w.lines:
			if !more {
				w.t.Fatal("the stream ended")
			}
			if !strings.Contains(line, `"heartbeat"`) {
				return line
			}
		case <-time.After(30 * time.Second):
			w.t.Fatal("no line comes")
		}
	}
}

func (w *watch) next() tail.Line {
	w.t.Helper()
	text := w.text()
	var line tail.Line
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		w.t.Fatalf("%q: %v", text, err)
	}
	if line.At == 0 {
		w.t.Errorf("%q has no time", text)
	}
	return line
}

// signals writes an entry as a filter does.
func (s *stand) signals(from, to string, signals []contract.Signal, verdicts ...contract.Verdict) {
	s.t.Helper()
	log, err := link.OpenLog(s.t.Context(), s.js)
	if err != nil {
		s.t.Fatal(err)
	}
	entry := contract.AppendEntry(nil)
	for i := range signals {
		signals[i].App, signals[i].Room = []byte(hall.App.String()), []byte(hall.Room.String())
		entry = contract.AppendSignal(entry, &signals[i])
	}
	for i := range verdicts {
		entry = contract.AppendVerdict(entry, &verdicts[i])
	}
	if _, err := s.js.Publish(s.t.Context(), log.Subject(token(from), token(to)), entry); err != nil {
		s.t.Fatal(err)
	}
}

func TestStream_tellsWhatHappens(t *testing.T) {
	s := newStand(t)
	a := s.runAPI(func(c *Config) { c.Shards = 1 }) // between shards there is no order
	door := s.door("edge-1")
	door.change(hall, join("ada", "Ada"))
	door.change(hall, join("bob", "Bob"))
	w := a.watch("hall")
	first := w.text()
	for _, part := range []string{`"kind":"snapshot"`, `"identity":"Ada"`, `"identity":"Bob"`, `"revision":2`} {
		if !strings.Contains(first, part) {
			t.Errorf("the first line is %s, want %s in it", first, part)
		}
	}
	const secret = "192.168.7.7"
	const sdp = "v=0\r\nm=audio 9 x\r\na=candidate:1 1 udp 1 " + secret + " 9 typ host\r\nm=video 9 x\r\na=candidate:1 1 udp 1 " + secret + " 9 typ host\r\n"
	body, err := json.Marshal(map[string]any{"negotiation": "n1", "description": contract.SessionDescription{Type: "offer", SDP: sdp}})
	if err != nil {
		t.Fatal(err)
	}
	candidates := []byte(`{"negotiation":"n1","candidates":[{"candidate":"candidate:1 1 UDP 1 ` + secret + ` 9 typ srflx raddr 0.0.0.0 rport 9"},{"candidate":"candidate:1 1 x-` + secret + ` 1 a 9 typ b"},{"candidate":""}]}`)
	s.signals("edge-1", "edge-2", []contract.Signal{
		{Kind: contract.KindOffer, From: []byte("ada"), Epoch: 1, Seq: 7, To: []byte("bob"), Negotiation: []byte("n1"), Trace: []byte("tp"), Body: body},
		{Kind: contract.KindCandidate, From: []byte("ada"), Epoch: 1, Seq: 8, To: []byte("bob"), Negotiation: []byte("n1"), Body: candidates},
	}, contract.Verdict{From: "ada", Seq: 7, Rule: contract.RulePrivateAddress, Count: 2},
		contract.Verdict{From: "ada", Seq: 9, Refused: true, Rule: contract.RuleBadCandidate})
	for _, to := range []string{"edge-1", "edge-2"} { // a broadcast to two edges
		s.signals("edge-1", to, []contract.Signal{
			{Kind: contract.KindMessage, From: []byte("bob"), Epoch: 2, Seq: 3, Body: []byte(`{"data":"` + secret + `"}`)},
			{Kind: contract.KindPresence, From: []byte("bob"), Body: []byte(`{"peer":"bob","version":4,"presence":{"x":"` + secret + `"},"state":"away"}`)},
		})
	}
	door.change(hall, join("cy", "Cy"))
	door.change(hall, leave("cy"))
	a.post("lock", "")
	a.post("message", `{"data":"`+secret+`","to":"bob"}`)

	var got []string
	for range 9 {
		text := w.text()
		if strings.Contains(text, secret) {
			t.Errorf("a body is told: %s", text)
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if line["at"].(float64) < 1e12 {
			t.Errorf("at %v, want Unix milliseconds", line["at"])
		}
		delete(line, "at")
		if edges := line["edges"].([]any); strings.HasPrefix(edges[0].(string), "roomsvc-") {
			line["edges"] = "roomsvc"
		}
		got = append(got, show(line))
	}
	want(t, "lines", strings.Join(got, "\n"), strings.Join([]string{
		fmt.Sprintf(`{"bytes":%d,"description":{"candidates":2,"media":2},"edges":["edge-1","edge-2"],"filtered":[{"count":2,"rule":"private_address"}],`, len(body)) +
			`"from":"ada","fromIdentity":"Ada","kind":"offer","negotiation":"n1","seq":7,"to":"bob","toIdentity":"Bob","trace":"tp"}`,
		fmt.Sprintf(`{"bytes":%d,"candidates":[{"protocol":"udp","type":"srflx"},{"protocol":"other","type":"other"},{"end":true}],"edges":["edge-1","edge-2"],`, len(candidates)) +
			`"from":"ada","fromIdentity":"Ada","kind":"candidate","negotiation":"n1","seq":8,"to":"bob","toIdentity":"Bob"}`,
		`{"edges":["edge-1","edge-2"],"from":"ada","fromIdentity":"Ada","kind":"refused","refused":"bad_candidate","seq":9}`,
		`{"bytes":22,"edges":["edge-1","edge-1"],"from":"bob","fromIdentity":"Bob","kind":"message","seq":3}`,
		`{"bytes":19,"edges":["edge-1","edge-1"],"from":"bob","fromIdentity":"Bob","kind":"presence","state":"away"}`,
		`{"edges":"roomsvc","from":"cy","fromIdentity":"Cy","kind":"joined","revision":3}`,
		`{"edges":"roomsvc","from":"cy","fromIdentity":"Cy","kind":"left","reason":"left","revision":4}`,
		`{"edges":"roomsvc","kind":"locked","revision":5}`,
		`{"bytes":13,"edges":"roomsvc","kind":"message","revision":6,"seq":6,"to":"bob","toIdentity":"Bob"}`,
	}, "\n"))
}

func TestStream_ofARoomThatIsStillEmpty(t *testing.T) {
	s := newStand(t)
	a := s.runAPI(nil)
	w := a.watch("hall")
	want(t, "the first line", w.next().Kind, tail.KindSnapshot)
	s.door("edge-1").change(hall, join("ada", "Ada"))
	want(t, "the second", w.next().FromIdentity, "Ada")
}

func TestStream_isForItsOwnApp(t *testing.T) {
	s := newStand(t)
	a := s.runAPI(nil)
	w := api{t, a.url, otherKey}.watch("hall")
	mine := a.watch("hall")
	s.door("edge-1").change(hall, join("ada", "Ada"))
	mine.next()
	want(t, "the app's own", mine.next().Kind, "joined")
	want(t, "another app's first line", w.next().Revision, uint64(0))
	select {
	case line := <-w.lines:
		t.Errorf("another app hears %s", line)
	default:
	}
}

func TestStream_heartbeats(t *testing.T) {
	s := newStand(t)
	a := s.runAPI(func(c *Config) { c.Heartbeat = 10 * time.Millisecond })
	w := a.watch("hall")
	w.next()
	for range 3 {
		if line := <-w.lines; !strings.Contains(line, `"kind":"heartbeat"`) {
			t.Errorf("got %s, want a heartbeat", line)
		}
	}
}

func TestStream_atMostSoMany(t *testing.T) {
	s := newStand(t)
	a := s.runAPI(func(c *Config) { c.Streams = 2 })
	one := a.watch("hall")
	one.next()
	a.watch("other").next()
	a.refuses(contract.CodeUnavailable, http.MethodGet, RoomsPath+"/hall/events", "")
	one.stop()
	eventually(t, "a place is free", func() (bool, any) {
		req := a.request(http.MethodGet, RoomsPath+"/hall/events", nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req.WithContext(ctx))
		if err != nil {
			return false, err
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode == http.StatusOK, resp.Status
	})
}

func TestStream_endsWithTheService(t *testing.T) {
	s := newStand(t)
	cfg, url := apiConfig(t)
	r := s.run(cfg)
	s.putApp("app", hallKey)
	a := api{t, url, hallKey}
	eventually(t, "the key is known", func() (bool, any) {
		status, _ := a.call(http.MethodGet, RoomsPath, nil)
		return status == http.StatusOK, status
	})
	w := a.watch("hall")
	w.next()
	began := time.Now()
	r.stop()
	for range w.lines { // until its end
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the service took %v to stop, want no wait for streams", took)
	}
}

func TestStreamer_dropsForASlowReader(t *testing.T) {
	s := newStreamer(Config{Streams: 1, StreamQueue: 2}, nil, 0, nil)
	one, err := s.join(t.Context(), hall)
	if err != nil {
		t.Fatal(err)
	}
	defer s.leave(one)
	s.mu.Lock()
	for i := range 5 {
		s.tell(hall, &tail.Told{Key: fmt.Sprint(i)})
		s.tell(hall, &tail.Told{Key: fmt.Sprint(i)}) // to another edge
	}
	s.mu.Unlock()
	want(t, "lines that wait", len(one.lines), 2)
	want(t, "dropped", s.takeDropped(one), 3)
	want(t, "dropped since", s.takeDropped(one), 0)
}

func TestStreamer_forgetsOldLines(t *testing.T) {
	one := &stream{seen: map[string]struct{}{}}
	for i := range rememberedLines + 1 {
		want(t, "news", one.news(fmt.Sprint(i)), true)
	}
	want(t, "the newest again", one.news(fmt.Sprint(rememberedLines)), false)
	want(t, "the oldest again", one.news("0"), true)
	want(t, "remembered", len(one.seen), rememberedLines)
}
