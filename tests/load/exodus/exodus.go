//go:build linux

package exodus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/parley-rtc/parley/tests/load/machine"
	"github.com/parley-rtc/parley/tests/load/target"
)

// End is how an edge ends.
type End string

// The ends that an edge can have.
const (
	Kill  End = "kill"  // by SIGKILL
	Drain End = "drain" // by SIGTERM: it sends its clients to the others first
)

// Plan says what is run.
type Plan struct {
	End      End           //
	Sessions int           // on the edge that ends, two a room
	Servers  int           // NATS servers: 1 or 3
	Targets  int           // edges that are left
	Rate     int           // messages/s, before, during and after
	Steady   time.Duration // of messages before the end, and after all are back
	Most     time.Duration // from the end's beginning until all are back; who isn't then is given up
}

// Full is the run whose figure has a limit.
func Full() Plan {
	return Plan{End: Kill, Sessions: 15_000, Servers: 1, Targets: 2, Rate: 1_000, Steady: 5 * time.Second, Most: time.Minute}
}

// Validate tells what can't be run.
func (p Plan) Validate() error {
	switch {
	case p.End != Kill && p.End != Drain:
		return fmt.Errorf("an edge ends by %s or %s, not by %q", Kill, Drain, p.End)
	case p.Sessions < 2 || p.Sessions%2 != 0:
		return errors.New("the sessions must be an even number, in rooms of two")
	case p.Servers != 1 && p.Servers != 3:
		return errors.New("there can be 1 or 3 NATS servers")
	case p.Targets < 1:
		return errors.New("at least one edge must be left")
	case p.Rate < 1:
		return errors.New("the rate must be at least 1 message/s")
	}
	return nil
}

// Report is what came of it.
type Report struct {
	Command  string        `json:"command,omitempty"`
	Commit   string        `json:"commit,omitempty"`
	Machine  machine.Facts `json:"machine"`
	End      End           `json:"end"`
	Sessions int           `json:"sessions"`
	Servers  int           `json:"nats_servers"`
	Targets  int           `json:"edges_left"`
	Rate     int           `json:"messages_per_second"`

	JoinSeconds float64 `json:"join_s"`      // until all had joined
	EndSeconds  float64 `json:"ended_s"`     // until the edge's process had ended
	P50         float64 `json:"back_p50_s"`  // until a session was back
	P99         float64 `json:"back_p99_s"`  //
	All         float64 `json:"back_all_s"`  // until the last one was
	Peak        int     `json:"back_peak"`   // sessions that were back within one second, at most
	Resumed     int     `json:"resumed"`     // with their session
	Lost        int     `json:"lost"`        // sessions, and who wasn't back at all
	Gaps        int     `json:"gaps"`        //
	Flaps       int     `json:"flaps"`       // members that others saw leave
	Aways       int     `json:"aways"`       // times that one saw another away
	Acked       int     `json:"acked"`       // messages
	Refused     int     `json:"refused"`     //
	Delivered   int     `json:"delivered"`   //
	Disordered  int     `json:"disordered"`  // deliveries that weren't their sender's next
	Undelivered int     `json:"undelivered"` // acknowledged messages that never came
}

// Fault is what must not happen, nil for a report without.
func (r *Report) Fault() error {
	if r.Lost+r.Gaps+r.Flaps+r.Refused+r.Disordered+r.Undelivered > 0 {
		return fmt.Errorf("%d sessions lost, %d gaps, %d flaps, %d messages refused, %d disordered, %d undelivered",
			r.Lost, r.Gaps, r.Flaps, r.Refused, r.Disordered, r.Undelivered)
	}
	return nil
}

// joinTimeout bounds the joins of all, settleTimeout the time until the last
// message has come.
const (
	joinTimeout   = 3 * time.Minute
	settleTimeout = 30 * time.Second
)

// joining is how many join at the same time.
const joining = 200

// Run fills an edge, ends it, and waits for everybody.
func Run(ctx context.Context, p Plan, folders target.Folders, progress io.Writer) (report *Report, err error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	s, err := target.StartEdges(ctx, p.Servers, 1+p.Targets, folders)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, s.Logs())
		}
		err = errors.Join(err, s.Stop())
	}()
	crowd := newCrowd(s, p.Sessions)
	defer crowd.close()
	start := time.Now()
	if err := crowd.join(ctx); err != nil {
		return nil, err
	}
	report = &Report{
		Machine: machine.Describe(), End: p.End, Sessions: p.Sessions, Servers: p.Servers, Targets: p.Targets, Rate: p.Rate,
		JoinSeconds: time.Since(start).Seconds(),
	}
	fmt.Fprintf(progress, "%d sessions on one edge after %.1f s\n", p.Sessions, report.JoinSeconds)
	stop := crowd.talk(ctx, p.Rate)
	defer stop()
	if err := sleep(ctx, p.Steady); err != nil {
		return nil, err
	}
	began := time.Now()
	ended, err := p.end(ctx, s)
	if err != nil {
		return nil, err
	}
	crowd.awaitBack(ctx, p.Most)
	fmt.Fprintf(progress, "all are back, or given up, after %.1f s\n", time.Since(began).Seconds())
	if report.EndSeconds, err = ended(); err != nil {
		return nil, err
	}
	if err := sleep(ctx, p.Steady); err != nil {
		return nil, err
	}
	stop()
	crowd.settle(ctx)
	crowd.report(began, report)
	return report, ctx.Err()
}

// full is the edge on which everybody is at first.
const full = "edge-1"

// drainMost is how long a drained edge may take to end: its drain time, and what it
// takes to close what is left.
const drainMost = 12 * time.Second

// end ends the full edge. ended waits until its process has, and tells how long that
// took.
func (p Plan) end(ctx context.Context, s *target.System) (ended func() (seconds float64, err error), err error) {
	began := time.Now()
	if p.End == Kill {
		err := s.Kill(full)
		took := time.Since(began).Seconds()
		return func() (float64, error) { return took, nil }, err
	}
	process, err := s.Terminate(full)
	if err != nil {
		return nil, err
	}
	took := make(chan time.Duration, 1)
	go func() {
		<-process.Ended() // as Stop sees to
		took <- time.Since(began)
	}()
	return func() (float64, error) {
		select {
		case took := <-took:
			return took.Seconds(), process.Failure()
		case <-time.After(time.Until(began.Add(drainMost))):
			return 0, fmt.Errorf("%s hasn't ended after %v", full, drainMost)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}, nil
}

// join brings everybody into a room.
func (c *crowd) join(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(joining)
	for _, p := range c.people {
		g.Go(func() error { return p.join(ctx) })
	}
	return g.Wait()
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
