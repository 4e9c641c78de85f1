package bus

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

const (
	// defaultCapacity is how many messages may wait for a worker.
	defaultCapacity = 1024
	// closeLimit is how long Close lets handlers work before it cancels them.
	closeLimit = 5 * time.Second
)

// The headers of a reply that is no answer but a fault, as NATS's own services
// write them.
const (
	ErrorHeader     = "Nats-Service-Error"
	ErrorCodeHeader = "Nats-Service-Error-Code"
)

// ServeOption changes how Serve works.
type ServeOption func(*serveOptions)

type serveOptions struct{ capacity int }

// Capacity bounds the messages that wait for a worker (default 1,024); what
// comes while so many wait is dropped and counted as queue_full.
func Capacity(n int) ServeOption { return func(o *serveOptions) { o.capacity = n } }

// Handler answers one message, by m.Respond or by a publish of its own.
type Handler = func(ctx context.Context, m *nats.Msg)

// Server answers one subject with a fixed number of workers.
type Server struct {
	// Static after construction.
	handler  Handler
	nc       *nats.Conn
	sub      *nats.Subscription
	messages chan *nats.Msg // never closed: the connection may still send
	stop     chan struct{}
	ctx      context.Context
	cancel   context.CancelFunc
	workers  sync.WaitGroup
	closing  sync.Once
}

// Serve calls h for each message on subject, shared with all members of queue
// (with an empty queue every server gets every message), from at most workers
// goroutines at once.
//
// The context h gets carries ctx's values and the trace parent of the message's
// header, but not ctx's end: work begun before a shutdown may finish. It ends
// when the server has been closing for 5 s. A panic in h is recovered, logged
// and answered with an internal error. The caller must Close the server.
func Serve(ctx context.Context, nc *nats.Conn, subject, queue string, workers int, h func(ctx context.Context, m *nats.Msg), opts ...ServeOption) (*Server, error) {
	o := serveOptions{capacity: defaultCapacity}
	for _, opt := range opts {
		opt(&o)
	}
	s := &Server{handler: h, nc: nc, messages: make(chan *nats.Msg, o.capacity), stop: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	sub, err := subscribe(nc, subject, queue, s.messages)
	if err != nil {
		s.cancel()
		return nil, fmt.Errorf("serve %s: %w", subject, err)
	}
	s.sub = sub
	drops.add(sub)
	for range workers {
		s.workers.Go(s.work)
	}
	return s, nil
}

// subscribe returns when the server we are connected to knows of the
// subscription; while NATS is away it will be told on reconnect.
func subscribe(nc *nats.Conn, subject, queue string, messages chan *nats.Msg) (sub *nats.Subscription, err error) {
	if queue == "" {
		sub, err = nc.ChanSubscribe(subject, messages)
	} else {
		sub, err = nc.ChanQueueSubscribe(subject, queue, messages)
	}
	if err != nil {
		return nil, err
	}
	if err := nc.Flush(); err != nil && !IsTransient(err) {
		return nil, err
	}
	return sub, nil
}

// Close takes no new messages, lets the workers finish those that wait, and
// returns when all workers have. Messages that are on their way when it is
// called may still be answered.
func (s *Server) Close() {
	s.closing.Do(func() {
		limit := time.AfterFunc(closeLimit, s.cancel)
		defer limit.Stop()
		drops.remove(s.sub)
		s.drain()
		close(s.stop)
		s.workers.Wait()
		s.cancel()
	})
}

// drain ends the subscription and returns when everything the server had sent
// before is in the queue: at once if NATS is away, since nothing can come then, while
// the library would wait 10 s for an answer to its ping.
func (s *Server) drain() {
	away := s.nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	defer s.nc.RemoveStatusListener(away)
	closed := make(chan struct{})
	tell := sync.OnceFunc(func() { close(closed) })
	s.sub.SetClosedHandler(func(string) { tell() }) // once for each of the two below
	if err := s.sub.Drain(); err != nil {
		return // the connection is gone, and with it all that could still come
	}
	if s.nc.IsConnected() {
		select {
		case <-closed:
			return
		case <-away:
		case <-s.ctx.Done():
		}
	}
	_ = s.sub.Unsubscribe() // or it would come back with the connection; it may have ended just now
}

func (s *Server) work() {
	for {
		select {
		case m := <-s.messages:
			s.handle(m)
		case <-s.stop:
			for {
				select {
				case m := <-s.messages:
					s.handle(m)
				default:
					return
				}
			}
		}
	}
}

func (s *Server) handle(m *nats.Msg) {
	defer func() {
		if r := recover(); r != nil {
			s.answerPanic(m, r)
		}
	}()
	s.handler(ExtractTrace(s.ctx, m.Header), m)
}

func (s *Server) answerPanic(m *nats.Msg, reason any) {
	panics.Inc()
	slog.Error("handler panicked", "subject", m.Subject, "panic", reason, "stack", string(debug.Stack()))
	if m.Reply == "" {
		return
	}
	reply := nats.NewMsg(m.Reply)
	reply.Header.Set(ErrorHeader, string(contract.CodeInternal))
	reply.Header.Set(ErrorCodeHeader, strconv.Itoa(contract.CodeInternal.Status()))
	if err := m.RespondMsg(reply); err != nil {
		slog.Warn("answer after a panic failed", "subject", m.Subject, "error", err)
	}
}
