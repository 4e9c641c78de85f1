//go:build linux

package bench

import (
	"context"
	"errors"
	"time"

	"github.com/parley-rtc/parley/tests/load/target"
)

// Idle is what joins and idle connections cost.
type Idle struct {
	Target        target.Name      `json:"target"`
	Round         int              `json:"round"`
	Joins         int              `json:"joins"`
	OpenSeconds   float64          `json:"open_s"` // of the same connections, up to the server's greeting
	JoinSeconds   float64          `json:"join_s"`
	Few           map[string]int64 `json:"few_bytes"` // resident memory by process
	Many          map[string]int64 `json:"many_bytes"`
	PerConnection float64          `json:"per_connection_bytes"` // of all processes
}

// JoinRate is the joins a second; 0 if nothing is to be joined.
func (i Idle) JoinRate() float64 {
	if i.JoinSeconds == 0 {
		return 0
	}
	return float64(i.Joins) / i.JoinSeconds
}

// idle fills a target with connections that have joined and then say nothing.
func (b *Bench) idle(ctx context.Context, name target.Name, round int) error {
	s, err := b.open(ctx, name, b.Plan.Many)
	if err != nil {
		return err
	}
	one := Idle{Target: name, Round: round, Joins: b.Plan.Joins}
	if err := s.close(ctx, s.fill(ctx, b.Plan, &one)); err != nil {
		return err
	}
	b.results.Idles = append(b.results.Idles, one)
	b.say("  %s", one)
	return nil
}

// fill brings a few connections, those whose joins are timed, and the rest.
func (s *session) fill(ctx context.Context, p Plan, one *Idle) error {
	_, _, err := s.arrive(ctx, 0, p.Few)
	if err != nil {
		return err
	}
	if one.Few, err = s.rest(ctx, p.Settle); err != nil {
		return err
	}
	opened, joined, err := s.arrive(ctx, p.Few, p.Few+p.Joins)
	if err != nil {
		return err
	}
	one.OpenSeconds, one.JoinSeconds = opened.Seconds(), joined.Seconds()
	if _, ok := s.system.Dialect.(interface{ Roomless() }); ok {
		one.JoinSeconds = 0
	}
	if _, _, err = s.arrive(ctx, p.Few+p.Joins, p.Many); err != nil {
		return err
	}
	if one.Many, err = s.rest(ctx, p.Settle); err != nil {
		return err
	}
	for process, bytes := range one.Many {
		one.PerConnection += float64(bytes-one.Few[process]) / float64(p.Many-p.Few)
	}
	return nil
}

// arrive opens connections until there are so many, and lets them join.
func (s *session) arrive(ctx context.Context, from, to int) (opened, joined time.Duration, err error) {
	if from == to {
		return 0, 0, nil
	}
	start := time.Now()
	if err := s.crowd.Open(ctx, to); err != nil {
		return 0, 0, err
	}
	opened = time.Since(start)
	joined, err = s.crowd.Join(ctx, from)
	return opened, joined, err
}

// rest reads the memory after a while.
func (s *session) rest(ctx context.Context, settle time.Duration) (map[string]int64, error) {
	err := s.crowd.Rest(ctx, settle)
	resident, readErr := s.system.Resident()
	return resident, errors.Join(err, readErr)
}
