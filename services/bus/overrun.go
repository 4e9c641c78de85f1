package bus

import (
	"errors"
	"sync"

	"github.com/nats-io/nats.go"
)

// The NATS client drops what comes for a subscription whose queue is full. A hole
// between two messages shows in their numbers; one behind the last message would
// stay unseen until another comes. So whoever reads a stream is told.
var overruns listeners

type listeners struct {
	mu  sync.Mutex
	fns map[*func()]struct{}
}

// OnOverrun calls fn when a queue begins to drop what this process reads from
// streams, over connections of [Connect]. The library doesn't say whose queue it
// was, so every reader is told; it reads again from the last entry that it has. fn
// must not block. The caller must call stop.
func OnOverrun(fn func()) (stop func()) {
	overruns.mu.Lock()
	defer overruns.mu.Unlock()
	if overruns.fns == nil {
		overruns.fns = map[*func()]struct{}{}
	}
	overruns.fns[&fn] = struct{}{}
	return func() {
		overruns.mu.Lock()
		defer overruns.mu.Unlock()
		delete(overruns.fns, &fn)
	}
}

func (l *listeners) tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for fn := range l.fns {
		(*fn)()
	}
}

// heedOverrun looks whether an error of the library's is the overrun of a stream's
// reader. What queues of requests and answers drop is counted, and asked for again by
// whoever waits for it.
func heedOverrun(sub *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrSlowConsumer) && !drops.counts(sub) {
		overrunsSeen.Inc()
		overruns.tell()
	}
}
