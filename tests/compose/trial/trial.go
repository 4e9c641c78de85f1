//go:build linux

package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/tests/chaos/crowd"
	"github.com/parley-rtc/parley/tests/compose/engine"
	"github.com/parley-rtc/parley/tests/load/machine"
)

// Options say where everything is.
type Options struct {
	Repository string
	Compose    string // the program docker-compose
	GoRoot     string
	Rate       int    // signals/s
	Profile    string // of compose.yaml, which is tried first; empty: none
	Progress   io.Writer
}

const (
	// project keeps the containers and volumes of a run apart from a user's.
	project = "parley-test"
	// registry is where the images of Parley are pulled from.
	registry = "ghcr.io/parley-rtc/"

	enterTimeout = time.Minute
	// settleStill ends the wait for what is missing when nothing came for so long,
	// and settleMost ends it in any case.
	settleStill = 35 * time.Second
	settleMost  = 2 * time.Minute
	// endTimeout bounds what is cleaned up after a run that was cut short.
	endTimeout = 2 * time.Minute
)

// trial is a run under way.
type trial struct {
	o      Options
	dir    string
	begun  time.Time
	stack  engine.Stack
	url    string // of the balancer, without scheme
	report *Report

	// Of the profile.
	watched   *Watched          // nil: without one
	addresses map[string]string // of its services' pages
}

// Run runs it. The error is about the run itself; what Parley did wrong stands in
// the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	dir, err := os.MkdirTemp("", "parley-compose-")
	if err != nil {
		return nil, fmt.Errorf("compose test: %w", err)
	}
	t := &trial{o: o, dir: dir, begun: time.Now(), report: &Report{ImageBytes: map[string]int64{}}}
	if o.Profile != "" {
		t.watched = &Watched{}
		t.report.Watched = t.watched
	}
	err = t.run(ctx)
	t.report.Seconds = tenths(t.now())
	if err == nil {
		err = t.report.fault()
	}
	if err != nil {
		err = errors.Join(err, t.report.write(filepath.Join(dir, "violations.json")))
		return t.report, fmt.Errorf("compose test: %w (the logs are in %s)", err, dir)
	}
	return t.report, os.RemoveAll(dir)
}

func (t *trial) now() time.Duration { return time.Since(t.begun) }

func (t *trial) progress(format string, args ...any) {
	fmt.Fprintf(t.o.Progress, "%7.1f s  %s\n", t.now().Seconds(), fmt.Sprintf(format, args...))
}

func (t *trial) run(ctx context.Context) (err error) {
	docker, err := engine.Start(ctx, filepath.Join(t.dir, "dockerd.log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, docker.Stop()) }()
	if err := t.prepare(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.end(context.WithoutCancel(ctx))) }()
	if err := t.start(ctx); err != nil {
		return err
	}
	if t.watched != nil {
		if err := t.watch(ctx); err != nil {
			return err
		}
	}
	if err := t.call(ctx); err != nil {
		return err
	}
	if err := t.underLoad(ctx); err != nil {
		return err
	}
	t.report.Changed, err = t.stack.Changed(ctx)
	return err
}

// prepare copies the files, and builds and makes all that the stack needs.
func (t *trial) prepare(ctx context.Context) error {
	ports := map[string]string{} // by setting
	for _, name := range []string{"PARLEY_PORT", "PARLEY_TURN_PORT", "PARLEY_TRACES_PORT", "PARLEY_METRICS_PORT", "PARLEY_DASHBOARD_PORT"} {
		port, err := freePort()
		if err != nil {
			return err
		}
		ports[name] = port
	}
	t.url = net.JoinHostPort("localhost", ports["PARLEY_PORT"])
	t.addresses = map[string]string{"jaeger": "http://127.0.0.1:" + ports["PARLEY_TRACES_PORT"], "prometheus": "http://127.0.0.1:" + ports["PARLEY_METRICS_PORT"]}
	t.stack = engine.Stack{
		Compose: t.o.Compose, Source: filepath.Join(t.o.Repository, "deploy", "compose"), Dir: filepath.Join(t.dir, "stack"), Project: project,
	}
	for name, port := range ports {
		t.stack.Environ = append(t.stack.Environ, name+"="+port)
	}
	if err := t.stack.Copy(ctx); err != nil {
		return err
	}
	if err := t.stack.AsksForInit(ctx); err != nil {
		return err
	}
	settings := t.stack.Environ
	t.stack.Environ = append(slices.Clip(settings), "PARLEY_HOST=localhost") // which Init will write
	if err := t.stack.Validate(ctx); err != nil {
		return err
	}
	if err := t.images(ctx); err != nil {
		return err
	}
	t.stack.Environ = settings
	return t.stack.Init(ctx, registry+"parley")
}

// freePort is a port that nobody uses: somebody may run Parley on its own ones.
func freePort() (string, error) {
	address, err := machine.FreeAddress()
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(address)
	return port, err
}

// start brings the stack up, and measures how long that takes.
func (t *trial) start(ctx context.Context) error {
	if err := t.stack.Down(ctx); err != nil { // what a run that was killed left
		return err
	}
	begin := t.now()
	if err := t.stack.Up(ctx, nil); err != nil {
		return err
	}
	t.report.Ready = tenths(t.now() - begin)
	t.progress("ready after %.1f s", t.report.Ready)
	return nil
}

// end takes everything down and keeps the logs, which are removed after a run in
// which all was well.
func (t *trial) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	return errors.Join(t.stack.Logs(ctx, filepath.Join(t.dir, "containers.log")), t.stack.Down(ctx))
}

// underLoad has a crowd talk while the stack is changed and broken.
func (t *trial) underLoad(ctx context.Context) error {
	key, err := t.stack.Secret("api_key")
	if err != nil {
		return err
	}
	balancer := "ws://" + t.url + "/v1/ws" // twice: a crowd wants to know where to go next
	people, err := crowd.New(crowd.Options{
		Seed: 1, Edges: []string{balancer, balancer}, Tokens: standalone.Tokens{URL: "http://" + t.url, APIKey: config.Secret(key)},
		Pairs: 12, Fives: 3, Rate: t.o.Rate, Visitors: 2, Dir: t.dir, Now: t.now, Recovered: func(crowd.Recovery) {}, Tell: t.progress,
	})
	if err != nil {
		return err
	}
	defer people.Close()
	entering, cancel := context.WithTimeout(ctx, enterTimeout)
	defer cancel()
	if err := people.Enter(entering); err != nil {
		return err
	}
	t.progress("everybody is in")
	people.Send(ctx)
	err = t.steps(ctx)
	people.StopSending()
	if err != nil {
		return err
	}
	missing, err := people.Settle(ctx, settleStill, settleMost)
	if err != nil {
		return err
	}
	t.progress("%d signals are missing", missing)
	t.report.count(people.Result())
	return nil
}
