//go:build linux

package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/cluster"
	"github.com/parley-rtc/parley/tests/chaos/crowd"
	"github.com/parley-rtc/parley/tests/chaos/schedule"
)

// Options say what a run is.
type Options struct {
	Seed    uint64
	Signals int // acknowledged ones that a run must come to
	Faults  int // that it must come to, too
	Kinds   []schedule.Kind
	Most    time.Duration // a run ends by itself after it, whatever it came to
	Rate    int           // signals/s
	Pairs   int           // rooms of 2, 5 and 50
	Fives   int
	Fifties int

	Visitors int
	Break    int // each so many-th delivery is broken on purpose
	Window   time.Duration
	Bin      string
	Commit   string // of what is tested, for the report
	Progress io.Writer
}

// The times of a run.
const (
	enterTimeout = time.Minute
	// ghostAllowance is how long over the resume window a member may be in the
	// document after its end.
	ghostAllowance = 20 * time.Second
	// settleStill ends the wait for what is missing when nothing came for so long,
	// and settleMost ends it in any case.
	settleStill = 35 * time.Second
	settleMost  = 3 * time.Minute
	// brokenStill is settleStill of a run that breaks deliveries itself: no fault
	// holds the others up there.
	brokenStill = 5 * time.Second
	// reserve is what the end of a run takes beside settling and ghosts.
	reserve = 40 * time.Second
	// readInterval is the time between two reads of a document.
	readInterval = 250 * time.Millisecond
	// thirdEdge is the fault after which the third edge joins.
	thirdEdge = 2
)

// trial is a run under way.
type trial struct {
	o       Options
	dir     string
	begun   time.Time
	cluster *cluster.Cluster
	crowd   *crowd.Crowd
	diary   *diary
}

// Run runs it. It must be called in a network namespace that is nobody else's. The
// error is about the run itself; what Parley did wrong stands in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := cluster.CheckTools(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "parley-chaos-")
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	t := &trial{o: o, dir: dir, begun: time.Now(), diary: newDiary()}
	report, err := t.run(ctx)
	if err != nil {
		return report, fmt.Errorf("chaos: %w (the logs are in %s)", err, dir)
	}
	if !report.Clean() {
		return report, report.write(dir)
	}
	return report, os.RemoveAll(dir)
}

func (t *trial) now() time.Duration { return time.Since(t.begun) }

func (t *trial) progress(format string, args ...any) {
	fmt.Fprintf(t.o.Progress, "%7.1f s  %s\n", t.now().Seconds(), fmt.Sprintf(format, args...))
}

func (t *trial) run(ctx context.Context) (*Report, error) {
	var err error
	if t.cluster, err = cluster.Start(ctx, cluster.Options{Bin: t.o.Bin, Dir: t.dir, Window: t.o.Window}); err != nil {
		return nil, err
	}
	defer t.cluster.Stop()
	t.progress("the cluster is ready")
	if t.crowd, err = crowd.New(crowd.Options{
		Seed: t.o.Seed, Edges: t.cluster.EdgeURLs, Tokens: t.cluster.Tokens, Pairs: t.o.Pairs, Fives: t.o.Fives, Fifties: t.o.Fifties,
		Rate: t.o.Rate, Visitors: t.o.Visitors, Break: t.o.Break, Dir: t.dir, Now: t.now, Recovered: t.diary.recovered, Tell: t.progress,
	}); err != nil {
		return nil, err
	}
	defer t.crowd.Close()
	entering, cancel := context.WithTimeout(ctx, enterTimeout)
	defer cancel()
	if err := t.crowd.Enter(entering); err != nil {
		return nil, err
	}
	t.progress("everybody is in")
	reading, stopReading := context.WithCancel(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		t.read(reading)
	}()
	stall := watchStalls(reading)
	begin := t.now()
	t.crowd.Send(ctx)
	faulty := errors.Join(t.faults(ctx), rest(ctx, shadow))
	length := t.now() - begin
	t.progress("nobody sends any more")
	t.crowd.StopSending()
	err = errors.Join(faulty, t.settle(ctx))
	if err == nil {
		err = t.lookForGhosts(ctx)
	}
	stopReading()
	<-read
	if longest := <-stall; longest > stallMost {
		err = errors.Join(err, fmt.Errorf("this machine stood still for %s, so the run proves nothing", longest.Round(time.Millisecond)))
	}
	return t.report(t.crowd.Result(), length), err
}

// faults injects faults until the run came to what it must, or its time is over.
func (t *trial) faults(ctx context.Context) error {
	s := schedule.New(t.o.Seed, t.o.Kinds)
	end := t.o.Most - settleMost - t.o.Window - ghostAllowance - reserve
	for n := 0; t.now() < end; n++ {
		if n >= t.o.Faults && t.crowd.Acknowledged() >= t.o.Signals {
			return nil
		}
		if n >= thirdEdge {
			if err := t.startThirdEdge(ctx); err != nil {
				return err
			}
		}
		if n >= t.o.Faults && t.o.Faults == 0 {
			if err := rest(ctx, readInterval); err != nil { // only signals are missing
				return err
			}
			continue
		}
		if err := t.inject(ctx, s.Next()); err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) startThirdEdge(ctx context.Context) error {
	all := t.cluster.Of(cluster.Edge)
	last := all[len(all)-1]
	if last.Runs() {
		return nil
	}
	t.progress("%s joins", last.Name)
	if err := last.Start(); err != nil {
		return err
	}
	well, cancel := context.WithTimeout(ctx, wellTimeout)
	defer cancel()
	return t.cluster.WaitHealthy(well)
}

// settle waits until all that was sent has settled, and what is owed has come.
func (t *trial) settle(ctx context.Context) error {
	still := settleStill
	if t.o.Break > 0 {
		still = brokenStill
	}
	missing, err := t.crowd.Settle(ctx, still, settleMost)
	if err == nil && missing > 0 {
		t.progress("%d signals are still missing", missing)
	}
	return err
}

// lookForGhosts reads every room when nobody who ended may be in one any more.
func (t *trial) lookForGhosts(ctx context.Context) error {
	last := t.crowd.LastEnd()
	if wait := last + t.o.Window + ghostAllowance + time.Second - t.now(); last > 0 && wait > 0 {
		t.progress("waiting %s for those that vanished to be gone", wait.Round(time.Second))
		if err := rest(ctx, wait); err != nil {
			return err
		}
	}
	for _, room := range t.crowd.Rooms {
		if err := t.compare(ctx, room); err != nil {
			return fmt.Errorf("read room %s: %w", room.Name, err)
		}
	}
	return rest(ctx, readInterval) // what the clients know, their applications have taken then
}

// compare waits until everybody in a room knows its members.
func (t *trial) compare(ctx context.Context, room *crowd.Room) error {
	for begin := t.now(); ; {
		document, err := t.readRoom(ctx, room, 0)
		if err != nil {
			return err
		}
		differs := t.crowd.Differs(room, document)
		if differs == "" {
			return nil
		}
		if t.now()-begin > settleStill {
			t.crowd.Trouble("%s", differs)
			return nil
		}
		if err := rest(ctx, readInterval); err != nil {
			return err
		}
	}
}

// read reads one room after the other until ctx ends. A read that fails says nothing.
func (t *trial) read(ctx context.Context) {
	random := rand.New(rand.NewPCG(t.o.Seed, 0x72656164))
	for rest(ctx, readInterval) == nil {
		room := t.crowd.Rooms[random.IntN(len(t.crowd.Rooms))]
		_, _ = t.readRoom(ctx, room, random.IntN(len(t.cluster.Rooms)))
	}
}

func (t *trial) readRoom(ctx context.Context, room *crowd.Room, by int) ([]contract.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	begin := t.now()
	view, err := t.cluster.Rooms[by].Show(ctx, room.Name)
	if err != nil {
		return nil, err
	}
	var peers []contract.Token
	for _, m := range view.Members {
		peers = append(peers, m.Peer)
	}
	room.Read(view.Revision, peers, begin, t.now(), t.o.Window+ghostAllowance)
	return peers, nil
}
