package lifecycle

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/pflag"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/telemetry"
)

// telemetryStopTimeout bounds sending the last spans.
const telemetryStopTimeout = 5 * time.Second

// The check that keeps new work from a process that hasn't begun, or is stopping.
const processCheck = "process"

var errStopping = errors.New("stopping")

// SectionNames lists every section that one config.yaml, shared by all
// programs, may hold.
func SectionNames() []string {
	return []string{"nats", "admin", "log", "edge", "roomsvc", "authsvc", "candidatefilter", "standalone", "turn", "demo"}
}

// program is one service with its configuration.
type program struct {
	name           string
	nats           bus.Config
	admin          AdminConfig
	log            telemetry.Config
	sections       []config.Section
	run            func(ctx context.Context, nc *nats.Conn) error
	stdout, stderr io.Writer
}

// Run is Main without the process: it ends when ctx does or run returns, and
// gives the exit code: 0 for a clean end, 1 for a failure, 2 for a fault in the
// configuration or the command line. environ has the form of os.Environ.
//
// It reads the sections nats, admin, log and the service's own; answers
// --version, --help and the command healthcheck; sets up telemetry; serves the
// admin endpoints from before NATS is there until after the service has ended;
// and drains the connection when run has returned.
func Run[C any](ctx context.Context, name string, defaults C, run func(ctx context.Context, cfg C, nc *nats.Conn) error, args, environ []string, stdout, stderr io.Writer) int {
	cfg := defaults
	p := &program{
		name: name, nats: bus.DefaultConfig(), admin: DefaultAdminConfig(name), log: telemetry.DefaultConfig(),
		stdout: stdout, stderr: stderr,
		run: func(ctx context.Context, nc *nats.Conn) error { return run(ctx, cfg, nc) },
	}
	p.sections = []config.Section{
		{Name: name, Value: &cfg}, {Name: "nats", Value: &p.nats},
		{Name: "admin", Value: &p.admin}, {Name: "log", Value: &p.log},
	}
	return p.main(ctx, args, environ)
}

func (p *program) main(ctx context.Context, args, environ []string) int {
	if slices.Contains(args, "--version") {
		fmt.Fprintln(p.stdout, p.name, BuildVersion())
		return exitOK
	}
	loaded, err := config.Load(p.sections, config.Options{Args: args, Environ: environ, OtherSections: SectionNames()})
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(p.stdout, config.Usage(p.name, p.sections), helpOfCommands)
		return exitOK
	case err != nil:
		fmt.Fprintf(p.stderr, "%s: the configuration has faults:\n%v\n", p.name, err)
		return exitUsage
	}
	switch args := loaded.Args(); {
	case len(args) == 0:
		return p.serve(ctx)
	case len(args) == 1 && args[0] == healthcheckCommand:
		if err := Healthcheck(ctx, p.admin); err != nil {
			fmt.Fprintln(p.stderr, err)
			return exitFailure
		}
		return exitOK
	default:
		fmt.Fprintf(p.stderr, "%s: unknown command %q; the only one is %s, and without one the service runs\n", p.name, args, healthcheckCommand)
		return exitUsage
	}
}

const helpOfCommands = `      --version   print the version and exit
      --help      print this text and exit

The command healthcheck asks the running service on this machine whether it is
ready, and exits with 0 if so and 1 if not.
`

// serve runs the service with all that surrounds it.
func (p *program) serve(ctx context.Context) int {
	flush, err := telemetry.Setup(ctx, p.name, BuildVersion(), instance(), p.log, p.stderr)
	if err != nil {
		fmt.Fprintf(p.stderr, "%s: %v\n", p.name, err)
		return exitFailure
	}
	slog.InfoContext(ctx, "starting", "version", BuildVersion())
	err = p.supervise(ctx)
	if err != nil {
		slog.ErrorContext(ctx, "failed", "error", err)
	}
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), telemetryStopTimeout)
	defer cancel()
	if err := flush(stopCtx); err != nil {
		slog.WarnContext(ctx, "last spans are lost", "error", err)
	}
	if err != nil {
		return exitFailure
	}
	slog.InfoContext(ctx, "stopped")
	return exitOK
}

// supervise runs the admin listener around the service, so that somebody who
// asks why a start or a stop takes long is answered.
func (p *program) supervise(ctx context.Context) error {
	health := NewHealth()
	health.Set(natsCheck, ErrStarting)
	health.Set(processCheck, ErrStarting) // until the service has registered a check
	defer context.AfterFunc(ctx, func() { health.Set(processCheck, errStopping) })()

	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	var adminErr error // written before adminEnded is closed
	adminEnded := make(chan struct{})
	go func() {
		defer close(adminEnded)
		adminErr = ServeAdmin(adminCtx, p.admin, health)
	}()
	defer func() {
		stopAdmin()
		<-adminEnded
	}()

	group := NewGroup(WithHealth(ctx, health))
	group.Go("admin", func(ctx context.Context) error {
		select {
		case <-adminEnded:
			return adminErr
		case <-ctx.Done():
			return nil
		}
	})
	group.Go(p.name, p.connectAndRun)
	return group.Wait()
}

// connectAndRun runs the service, and runs it anew when NATS has lost its data: all
// that the service knows is of that, so it is forgotten as in the end of a process.
func (p *program) connectAndRun(ctx context.Context) error {
	for {
		err := p.connectAndRunOnce(ctx)
		if !errors.Is(err, bus.ErrRemade) {
			return err
		}
		HealthFrom(ctx).Set(processCheck, ErrStarting)
		slog.WarnContext(ctx, "the service begins anew", "error", err)
	}
}

func (p *program) connectAndRunOnce(ctx context.Context) error {
	cfg := p.nats
	cfg.Waiting = func(why error) { HealthFrom(ctx).Set(natsCheck, fmt.Errorf("waiting: %w", why)) }
	nc, err := bus.Connect(ctx, cfg, p.name)
	if err != nil {
		if ctx.Err() != nil {
			return nil // asked to stop before NATS was there
		}
		return err
	}
	defer bus.Drain(nc)
	streams := &bus.Streams{}
	group := NewGroup(bus.WithStreams(ctx, streams))
	group.Go("run", func(ctx context.Context) error { return p.run(ctx, nc) })
	group.Go("streams", func(ctx context.Context) error {
		return streams.Watch(ctx, nc, func(err error) { HealthFrom(ctx).Set(natsCheck, err) })
	})
	group.Go("connection", func(ctx context.Context) error { return WatchNATS(ctx, nc, HealthFrom(ctx)) })
	return group.Wait()
}

// instance names this process among its like: host name and a random part.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails, by its documentation
	return host + "-" + hex.EncodeToString(random[:])
}
