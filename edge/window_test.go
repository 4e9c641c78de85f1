package edge

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/services/contract"
)

// visitor is a client without a room that comes and goes, on the bubble's clock.
// What asks NATS in between, its records and its replay, has no part in this.
type visitor struct {
	e       *Edge
	s       *clientSession
	c       *conn.Conn        // nil while it is away
	secret  [sha256.Size]byte // that resumes s
	attempt uint64
	left    time.Time
}

func newVisitor() *visitor {
	e := &Edge{cfg: DefaultConfig(), sessions: map[string]*clientSession{}, bySecret: map[secretHash]*clientSession{}}
	e.work, e.stopWork = context.WithCancel(context.Background())
	return &visitor{e: e}
}

// come opens a connection, which takes over from the one there may be.
func (v *visitor) come(t *rapid.T) {
	v.attempt++
	secret := sha256.Sum256(fmt.Append(nil, "secret ", v.attempt))
	next := sha256.Sum256(secret[:])
	hello := &contract.Hello{Attempt: v.attempt, Resume: []string{base64.RawURLEncoding.EncodeToString(v.secret[:])}}
	lives := v.lives()
	s := v.e.takeOver(hello, next)
	if got := s != nil; got != lives || got && s != v.s {
		t.Fatalf("after %v: resumed %v, want %v", v.absence(), got, lives)
	}
	if s == nil {
		s = v.e.newSession(hello, next)
	}
	old := v.c
	v.s, v.c, v.secret = s, new(conn.Conn), secret
	s.mu.Lock()
	s.conn = v.c
	s.mu.Unlock()
	connections.Inc()
	if old != nil {
		s.detach(old) // late, as the end of a socket is that nobody closed
	}
}

func (v *visitor) leave(*rapid.T) {
	if v.c != nil {
		v.s.detach(v.c)
		v.c, v.left = nil, time.Now()
	}
}

func (v *visitor) absence() time.Duration {
	if v.c != nil || v.s == nil {
		return 0
	}
	return time.Since(v.left)
}

// lives reports whether the client's session can be resumed.
func (v *visitor) lives() bool { return v.s != nil && v.absence() < v.e.cfg.ResumeWindow }

func (v *visitor) check(t *rapid.T) {
	synctest.Wait()
	v.e.mu.Lock()
	defer v.e.mu.Unlock()
	want := 0
	if v.lives() {
		want = 1
	}
	if len(v.e.sessions) != want || len(v.e.bySecret) != want {
		t.Fatalf("after %v the edge has %d sessions and %d secrets, want %d", v.absence(), len(v.e.sessions), len(v.e.bySecret), want)
	}
}

// TestSession_resumeWindow_properties: a session lives as long as its client is
// away for less than the resume window at a time, however often it comes back,
// and is forgotten when that is over.
func TestSession_resumeWindow_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			v := newVisitor()
			window := v.e.cfg.ResumeWindow
			wait := func(t *rapid.T) {
				time.Sleep(rapid.SampledFrom([]time.Duration{
					time.Millisecond, window / 3, window - time.Second, window + time.Second,
				}).Draw(t, "while"))
			}
			t.Repeat(map[string]func(*rapid.T){"": v.check, "come": v.come, "go": v.leave, "wait": wait, "wait 2": wait})
			v.leave(t)
			time.Sleep(window)
			v.check(t)
			v.e.stopWork()
		})
	})
}

// TestSession_expire_givesWayToAClientThatIsBack has the client's hello take the
// session in the moment in which its window is over, and before the session has
// ended: it must go on.
func TestSession_expire_givesWayToAClientThatIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisitor()
		s := v.e.newSession(&contract.Hello{Attempt: 1}, secretHash{})
		s.mu.Lock()
		s.awaitReturn()
		time.Sleep(v.e.cfg.ResumeWindow) // what ends the session waits for the lock
		s.stopAway()
		s.mu.Unlock()
		synctest.Wait()
		if s.over {
			t.Error("the session is over, and its client is back")
		}
		s.mu.Lock()
		s.awaitReturn()
		s.mu.Unlock()
		time.Sleep(v.e.cfg.ResumeWindow)
		synctest.Wait()
		if !s.over {
			t.Error("the session isn't over after a second absence")
		}
		v.e.stopWork()
	})
}
