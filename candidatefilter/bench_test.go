package candidatefilter

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/embednats"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/link"
	"github.com/parley-rtc/parley/services/natstest"
	"github.com/parley-rtc/parley/services/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is far more than anything here takes.
const patience = 60 * time.Second

// bench is a NATS server with a signal log, and an edge's side of it.
type bench struct {
	t      *testing.T
	server *embednats.Server
	nc     *nats.Conn // the edge's
	js     jetstream.JetStream
	log    *link.Log
	from   contract.Token
	to     contract.Token
}

// newBench makes shards of at most maxBytes each, as roomsvc makes them.
func newBench(t *testing.T, shards int, maxBytes int64) *bench {
	t.Helper()
	b := &bench{t: t, server: natstest.Start(t)}
	b.nc = natstest.Connect(t, b.server)
	var err error
	if b.js, err = jetstream.New(b.nc); err != nil {
		t.Fatal(err)
	}
	for shard := range shards {
		bucket := contract.SignalsBucket(shard)
		_, err = b.js.CreateStream(t.Context(), jetstream.StreamConfig{
			Name: contract.StreamOf(bucket), Subjects: []string{"$KV." + bucket + ".>"},
			MaxMsgsPerSubject: -1, MaxBytes: maxBytes, Discard: jetstream.DiscardNew, Storage: jetstream.MemoryStorage,
			Metadata: map[string]string{contract.ShardsMetadata: strconv.Itoa(shards)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if b.log, err = link.OpenLog(t.Context(), b.js); err != nil {
		t.Fatal(err)
	}
	b.from, b.to = process(t, "from"), process(t, "to")
	return b
}

func process(t *testing.T, name string) contract.Token {
	t.Helper()
	id, err := contract.NewProcessID(name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// start runs a filter of its own connection and returns when it is ready. stop
// ends it and returns when it has ended; the test's end does the same.
func (b *bench) start(cfg Config) (stop func()) {
	b.t.Helper()
	nc := natstest.Connect(b.t, b.server)
	return b.run(func(ctx context.Context) error { return Run(ctx, cfg, nc) })
}

func (b *bench) run(run func(ctx context.Context) error) (stop func()) {
	b.t.Helper()
	health := lifecycle.NewHealth()
	health.Set(check, lifecycle.ErrStarting)
	ctx, cancel := context.WithCancel(lifecycle.WithHealth(b.t.Context(), health))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("the filter ended with: %v", err)
		}
	})
	b.t.Cleanup(stop)
	await(b.t, "the filter is ready", func() bool { ready, _ := health.Ready(); return ready })
	return stop
}

// await asks again and again whether something has come true.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(patience)
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !is() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}

// reply is what an edge hears: JetStream's acknowledgement or the filter's.
type reply struct {
	Stream    string             `json:"stream"`
	Sequence  uint64             `json:"seq"`
	Duplicate bool               `json:"duplicate"`
	Filter    bool               `json:"filter"`
	Revision  uint64             `json:"revision"`
	Verdicts  []contract.Verdict `json:"verdicts"`
	Error     *struct {
		Code    contract.Code `json:"code"`
		Message string        `json:"message"`
	} `json:"error"`

	text string
}

// ask sends an entry once, as the edge's link does.
func (b *bench) ask(n uint64, data []byte) reply {
	b.t.Helper()
	return b.send(contract.FilterSubject(b.from, b.to), contract.MessageID(b.from, b.to, n), data)
}

func (b *bench) send(subject, id string, data []byte) reply {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	m := nats.NewMsg(subject)
	m.Header[contract.HeaderMessageID] = []string{id}
	m.Data = data
	answer, err := b.nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		b.t.Fatalf("no answer on %.80q: %v", subject, err)
	}
	r := reply{text: string(answer.Data)}
	if err := json.Unmarshal(answer.Data, &r); err != nil {
		b.t.Fatalf("answer %q: %v", answer.Data, err)
	}
	return r
}

// stored reads every entry of the log of b.to, in order.
func (b *bench) stored() (entries [][]byte) {
	b.t.Helper()
	info, err := b.log.Stream(b.to).Info(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	for revision := uint64(1); revision <= info.State.LastSeq; revision++ {
		m, err := b.log.Stream(b.to).GetMsg(ctx, revision)
		if err != nil {
			b.t.Fatal(err)
		}
		entries = append(entries, m.Data)
	}
	return entries
}

func (b *bench) wantStored(want ...[]byte) {
	b.t.Helper()
	got := b.stored()
	if !slices.EqualFunc(got, want, bytes.Equal) {
		b.t.Fatalf("the log holds %d entries, want %d:\n got %.300q\nwant %.300q", len(got), len(want), got, want)
	}
}

// read returns the signals and the verdicts of an entry.
func read(t *testing.T, data []byte) (signals []contract.Signal, verdicts []contract.Verdict) {
	t.Helper()
	items, err := contract.ReadEntry(data)
	for more := false; err == nil; {
		if more, err = items.Next(); err != nil || !more {
			break
		}
		if items.IsSignal() {
			var s contract.Signal
			err = items.Signal(&s)
			signals = append(signals, s)
			continue
		}
		var v contract.Verdict
		err = items.Verdict(&v)
		verdicts = append(verdicts, v)
	}
	if err != nil {
		t.Fatalf("entry %q: %v", data, err)
	}
	return signals, verdicts
}

// The sender of most signals, as long as every peer's id.
const sender = "peeraaaaaaaaaaaaaaaa"

func signal(kind contract.Kind, seq uint64, body string) *contract.Signal {
	return &contract.Signal{
		Kind: kind, App: []byte("app"), Room: []byte("room"), Revision: 3, From: []byte(sender),
		Epoch: 2, Seq: seq, To: []byte("peerbbbbbbbbbbbbbbbb"), Body: []byte(body),
	}
}

func entryOf(signals ...*contract.Signal) []byte {
	data := contract.AppendEntry(nil)
	for _, s := range signals {
		data = contract.AppendSignal(data, s)
	}
	return data
}

func withVerdicts(data []byte, verdicts ...contract.Verdict) []byte {
	data = bytes.Clone(data)
	for i := range verdicts {
		data = contract.AppendVerdict(data, &verdicts[i])
	}
	return data
}

// Texts of bodies.
const (
	publicHost  = "candidate:1 1 udp 2113937151 93.184.216.34 5000 typ host"
	privateHost = "candidate:1 1 udp 2113937151 192.168.7.8 5000 typ host"
	mdnsHost    = "candidate:1 1 udp 2113937151 4b2f1d1e-7d0e-4c7f-9a53-0f1f4f6c2b11.local 5000 typ host"
	srflx       = "candidate:2 1 udp 1677729535 93.184.216.34 5000 typ srflx raddr 192.168.7.8 rport 5000"
	srflxBlank  = "candidate:2 1 udp 1677729535 93.184.216.34 5000 typ srflx raddr 0.0.0.0 rport 9"
	relayed     = "candidate:3 1 udp 33562367 151.101.1.69 5000 typ relay raddr 0.0.0.0 rport 9"
	badPort     = "candidate:1 1 udp 1 93.184.216.34 70000 typ host"
)

func candidateBody(text string) string {
	return `{"negotiation":"n1","candidate":{"candidate":` + strconv.Quote(text) + `,"sdpMid":"0","sdpMLineIndex":0}}`
}

func candidatesBody(texts ...string) string {
	var list []string
	for _, text := range texts {
		list = append(list, `{"candidate":`+strconv.Quote(text)+`,"sdpMid":"0"}`)
	}
	return `{"negotiation":"n1","candidates":[` + strings.Join(list, ",") + `]}`
}

func offerBody(sdp string) string { return describe("offer", sdp) }

func describe(kind, sdp string) string {
	return `{"negotiation":"n1","description":{"type":"` + kind + `","sdp":` + string(encode(sdp)) + `}}`
}

// cleanSDP has nothing to take out under the policy public.
const cleanSDP = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n" +
	"a=ice-ufrag:EEtu\r\na=ice-pwd:nnfHnLqCvDGQ0Kyq1yDCyM0l\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n"

// figure reads one line of the metrics, 0 if it isn't there.
func figure(t *testing.T, series string) float64 {
	t.Helper()
	w := httptest.NewRecorder()
	telemetry.MetricsHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if text, ok := strings.CutPrefix(line, series+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	return 0
}
