package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/link"
)

// gate is a filter that passes everything on, as the candidatefilter does with
// what is clean, but not on ways that the test has shut.
type gate struct {
	mu   sync.Mutex
	nc   *nats.Conn
	log  *link.Log
	shut map[way]bool
	held map[way][]*nats.Msg
	edit map[way]editor
	past map[way]int // entries that were stored or passed on
}

// way is the link from one edge to another, which are counted from 0.
type way struct{ from, to int }

// editor makes of a signal what is stored in its place, and says what of it, or
// nothing.
type editor func(*contract.Signal) *contract.Verdict

// gated is a stack with a gate.
func gated(t *testing.T, edges int) (*Stack, *gate) {
	t.Helper()
	g := &gate{shut: map[way]bool{}, held: map[way][]*nats.Msg{}, edit: map[way]editor{}, past: map[way]int{}}
	return InProcess(t, Options{Edges: edges, Filter: g.run}), g
}

func (g *gate) run(ctx context.Context, nc *nats.Conn) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	g.nc = nc
	if g.log, err = link.OpenLog(ctx, js); err != nil {
		return err
	}
	sub, err := nc.Subscribe(contract.SubjectFilterAll, func(m *nats.Msg) {
		if err := g.take(ctx, m); err != nil && ctx.Err() == nil {
			panic(fmt.Sprintf("the gate: %v", err))
		}
	})
	if err != nil {
		return err
	}
	lifecycle.HealthFrom(ctx).Set("gate", nil)
	<-ctx.Done()
	return sub.Drain()
}

// take holds an entry or passes it on.
func (g *gate) take(ctx context.Context, m *nats.Msg) error {
	w, err := wayOf(m)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	edit := g.edit[w]
	delete(g.edit, w)
	switch {
	case edit != nil:
		g.past[w]++
		return g.commit(ctx, m, edit)
	case g.shut[w]:
		g.held[w] = append(g.held[w], m)
		return nil
	default:
		g.past[w]++
		return g.pass(m, m.Reply, m.Data)
	}
}

func wayOf(m *nats.Msg) (way, error) {
	from, to, err := contract.ParseFilterSubject(m.Subject)
	if err != nil {
		return way{}, err
	}
	return way{edgeOf(from), edgeOf(to)}, nil
}

// edgeOf is the number of an edge, which its process has in its name.
func edgeOf(process contract.Token) int {
	var n int
	_, _ = fmt.Sscanf(strings.TrimPrefix(process.String(), "edge-"), "%d", &n) // -1 for others
	return n - 1
}

func (g *gate) pass(m *nats.Msg, reply string, data []byte) error {
	from, to, err := contract.ParseFilterSubject(m.Subject)
	if err != nil {
		return err
	}
	return g.nc.PublishMsg(&nats.Msg{Subject: g.log.Subject(from, to), Header: m.Header, Reply: reply, Data: data})
}

// commit stores an entry as edit makes it, and tells nobody.
func (g *gate) commit(ctx context.Context, m *nats.Msg, edit editor) error {
	items, err := contract.ReadEntry(m.Data)
	if err != nil {
		return err
	}
	entry := contract.AppendEntry(nil)
	var verdicts []contract.Verdict
	for {
		more, err := items.Next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		var s contract.Signal
		if err := items.Signal(&s); err != nil {
			return err
		}
		if v := edit(&s); v != nil {
			verdicts = append(verdicts, *v)
		}
		entry = contract.AppendSignal(entry, &s)
	}
	for i := range verdicts {
		entry = contract.AppendVerdict(entry, &verdicts[i])
	}
	inbox := g.nc.NewRespInbox()
	sub, err := g.nc.SubscribeSync(inbox)
	if err != nil {
		return err
	}
	if err := g.pass(m, inbox, entry); err != nil {
		return err
	}
	answer, err := sub.NextMsgWithContext(ctx)
	if err != nil {
		return err
	}
	var ack struct{ Seq uint64 }
	if err := json.Unmarshal(answer.Data, &ack); err != nil || ack.Seq == 0 {
		return fmt.Errorf("the entry wasn't stored: %s", answer.Data)
	}
	return sub.Unsubscribe()
}

// loseAnswer has the next entry on a way be stored as edit makes it; its edge
// isn't told. To the next attempt, if the way is open, there is nothing to say.
func (g *gate) loseAnswer(w way, edit editor) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.edit[w] = edit
}

func (g *gate) close(ways ...way) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range ways {
		g.shut[w] = true
	}
}

// open lets go on what was held.
func (g *gate) open(t *testing.T, ways ...way) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range ways {
		for _, m := range g.held[w] {
			g.past[w]++
			if err := g.pass(m, m.Reply, m.Data); err != nil {
				t.Error(err)
			}
		}
		delete(g.held, w)
		delete(g.shut, w)
	}
}

// await waits until something is held on a way.
func (g *gate) await(ctx context.Context, t *testing.T, w way) {
	t.Helper()
	g.until(ctx, t, w, func() bool { return len(g.held[w]) > 0 })
}

// passed is how many entries went on on a way.
func (g *gate) passed(w way) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.past[w]
}

// awaitPassed waits until more went on than that.
func (g *gate) awaitPassed(ctx context.Context, t *testing.T, w way, before int) {
	t.Helper()
	g.until(ctx, t, w, func() bool { return g.past[w] > before })
}

func (g *gate) until(ctx context.Context, t *testing.T, w way, done func() bool) {
	t.Helper()
	for {
		g.mu.Lock()
		ok := done()
		g.mu.Unlock()
		if ok {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("nothing came on the way %v", w)
		}
		wait(ctx, time.Millisecond)
	}
}
