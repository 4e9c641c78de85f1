package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
)

// TestRolling_restartOfEverything stops and starts every program of a cluster, one after
// the other, while members signal and others come and go: nothing is lost and no
// application sees an error.
func TestRolling_restartOfEverything(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{Nodes: 3, Shards: 3, Doubles: 2})
	l := s.startLoad(t)
	for _, name := range slices.Concat(s.services(), s.started[:3]) {
		l.replace(t, name, s.Process(t, name))
	}
	l.end(t)
}

// services are the programs but NATS, in the order in which they were started: an edge
// comes after the filter that it needs.
func (s *Stack) services() []string {
	return slices.DeleteFunc(slices.Clone(s.started), func(name string) bool { return s.processes[name].Program() == NATS })
}

// load is what an application does meanwhile: five members signal, and visitors come,
// say something and go, to all edges in turn.
type load struct {
	ctx     context.Context
	clients []*client.Client
	x       *exchange
	stop    chan struct{}
	wg      sync.WaitGroup

	mu     sync.Mutex // held during a visit
	closed string     // an edge that visitors must not go to
	visits int
	errs   []error
}

func (s *Stack) startLoad(t *testing.T) *load {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	l := &load{ctx: ctx, stop: make(chan struct{})}
	members := s.party(t, 5, "load")
	l.clients = members.clients
	l.x = startExchange(ctx, t, members.rooms, 5*time.Millisecond)
	l.wg.Go(func() { l.visit(s) })
	return l
}

// replace stops a program and starts what stands in its place, under load.
func (l *load) replace(t *testing.T, name string, p *Process) {
	t.Helper()
	wait(l.ctx, 300*time.Millisecond)
	began := time.Now()
	p.Stop(t)
	stopped := time.Since(began)
	p.Start(t)
	p.WaitReady(t)
	t.Logf("%s: stopped after %v, ready again after %v", name, stopped.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

// visit has one visitor after the other.
func (l *load) visit(s *Stack) {
	for n := 0; ; n++ {
		select {
		case <-l.stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
		l.mu.Lock()
		err := s.visit(l.ctx, n, l.closed)
		l.visits++
		if err != nil && len(l.errs) < 20 {
			l.errs = append(l.errs, fmt.Errorf("visitor %d: %w", n, err))
		}
		l.mu.Unlock()
	}
}

// visit is one visitor, who meets nobody.
func (s *Stack) visit(ctx context.Context, n int, closed string) (err error) {
	name := fmt.Sprintf("visitor-%d", n)
	var urls []string
	for i := range s.Edges {
		if at := (n + i) % len(s.Edges); fmt.Sprintf("edge-%d", at+1) != closed {
			urls = append(urls, s.Edges[at])
		}
	}
	c, err := client.Dial(ctx, urls[0], client.WithURLs(urls[1:]...), client.WithToken(s.tokens(name)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	room, err := c.Join(ctx, name)
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	if err := room.Broadcast(ctx, n); err != nil {
		return fmt.Errorf("broadcast: %w", err)
	}
	return room.Leave(ctx)
}

// end stops the load and reports what an application would have noticed.
func (l *load) end(t *testing.T) {
	t.Helper()
	if refused := l.endWithRefusals(t); refused > 0 {
		t.Errorf("%d signals were refused", refused)
	}
}

// endWithRefusals is end for programs that may refuse signals, to be sent again.
func (l *load) endWithRefusals(t *testing.T) (refused int) {
	t.Helper()
	close(l.stop)
	l.wg.Wait()
	for _, err := range l.errs {
		t.Error(err)
	}
	signals, refused := l.x.endWithRefusals(t)
	var resumes uint64
	for i, c := range l.clients {
		stats := c.Stats()
		resumes += stats.Resumes
		if stats.Losses > 0 {
			t.Errorf("client %d lost its session %d times", i, stats.Losses)
		}
	}
	t.Logf("%d signals, %d refused, %d visits, %d resumes, members seen away %d times", signals, refused, l.visits, resumes, l.x.aways)
	return refused
}
