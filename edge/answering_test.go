package edge

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnswering_countsWhileNATSAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := &answering{users: 1}
		var broken atomic.Bool
		go n.run(ctx, func(context.Context) error {
			if broken.Load() {
				return errors.New("no leader")
			}
			return nil
		})
		check := func(total, unbroken time.Duration) {
			t.Helper()
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if gotTotal, gotUnbroken := n.counted(); gotTotal != total || gotUnbroken != unbroken {
				t.Errorf("counted %v and %v, want %v and %v", gotTotal, gotUnbroken, total, unbroken)
			}
		}
		time.Sleep(10 * answerLook)
		check(10*answerLook, 10*answerLook)
		broken.Store(true)
		time.Sleep(5 * answerLook)
		check(10*answerLook, 0)
		broken.Store(false)
		time.Sleep(3 * answerLook)
		check(13*answerLook, 3*answerLook)
		cancel()
		synctest.Wait()
	})
}

// Nobody asks NATS while nobody wants to know.
func TestAnswering_ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &answering{users: 2}
		asked := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			n.run(t.Context(), func(context.Context) error { asked++; return nil })
		}()
		n.end()
		time.Sleep(3 * answerLook)
		n.end()
		<-done
		if want := 4; asked > want {
			t.Errorf("NATS was asked %d times, want at most %d", asked, want)
		}
	})
}

// A process that stood still doesn't know whether NATS answered meanwhile.
func TestAnswering_count_aStall(t *testing.T) {
	n := &answering{users: 1}
	n.count(answerLook, true)
	n.count(answerStall+1, true)
	if total, unbroken := n.counted(); total != answerLook || unbroken != 0 {
		t.Errorf("counted %v and %v, want %v and none", total, unbroken, answerLook)
	}
}
