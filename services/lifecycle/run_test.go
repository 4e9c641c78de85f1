package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/natstest"
)

// echo is a service as small as one can be.
type echo struct {
	Subject string `koanf:"subject"`
	Stuck   bool   `koanf:"stuck"`
}

func (e echo) Validate() error {
	if e.Subject == "" {
		return errors.New("subject: must be set")
	}
	return nil
}

func defaultEcho() echo { return echo{Subject: "echo"} }

func runEcho(ctx context.Context, cfg echo, nc *nats.Conn) error {
	health := HealthFrom(ctx)
	health.Set("echo", ErrStarting)
	sub, err := nc.Subscribe(cfg.Subject, func(m *nats.Msg) { _ = m.Respond(m.Data) })
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if err := nc.Flush(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	health.Set("echo", nil)
	<-ctx.Done()
	if cfg.Stuck {
		select {}
	}
	return sub.Drain()
}

const serviceVariable = "LIFECYCLE_TEST_SERVICE"

// runAsService makes this test's binary the service itself, for the tests that
// need a process.
func runAsService() bool {
	if os.Getenv(serviceVariable) == "" {
		return false
	}
	Main("echo", defaultEcho(), runEcho)
	return true
}

// process is the service as a process of its own.
type process struct {
	*exec.Cmd
	admin string
	out   *output
}

// output is what a service writes, from many goroutines.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func startProcess(t *testing.T, natsURL string, args ...string) *process {
	t.Helper()
	p := &process{admin: freeAddress(t), out: &output{}}
	p.Cmd = exec.Command(os.Args[0], args...)
	p.Env = append(os.Environ(), serviceVariable+"=1", "PARLEY_NATS__URL="+natsURL, "PARLEY_ADMIN__LISTEN="+p.admin)
	p.Stdout, p.Stderr = p.out, p.out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

func (p *process) awaitReady(t *testing.T) {
	t.Helper()
	until(t, "ready", func() bool { return Healthcheck(t.Context(), AdminConfig{Listen: p.admin}) == nil })
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// exitCode waits for the process to end.
func (p *process) exitCode(t *testing.T) int {
	t.Helper()
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

func TestMain_Signals(t *testing.T) {
	s := natstest.Start(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			p := startProcess(t, s.ClientURL())
			p.awaitReady(t)
			if _, err := natstest.Connect(t, s).Request("echo", []byte("x"), patience); err != nil {
				t.Errorf("request: %v", err)
			}
			p.signal(t, sig)
			if got := p.exitCode(t); got != exitOK {
				t.Errorf("exit code: got %d, want 0\n%s", got, p.out)
			}
			for _, want := range []string{`"msg":"starting"`, `"msg":"stopping"`, `"msg":"stopped"`, `"service":"echo"`} {
				if !strings.Contains(p.out.String(), want) {
					t.Errorf("log lacks %s:\n%s", want, p.out)
				}
			}
		})
	}
}

func TestMain_ASecondSignalEndsAtOnce(t *testing.T) {
	s := natstest.Start(t)
	p := startProcess(t, s.ClientURL(), "--echo.stuck")
	p.awaitReady(t)
	p.signal(t, syscall.SIGTERM)
	until(t, "not ready any more", func() bool {
		return strings.Contains(readBody(t, "http://"+p.admin+"/readyz"), `"process":"stopping"`)
	})
	p.signal(t, syscall.SIGTERM)
	if got := p.exitCode(t); got != exitFailure {
		t.Errorf("exit code: got %d, want 1\n%s", got, p.out)
	}
}

func TestMain_StopsWhileItWaitsForNATS(t *testing.T) {
	p := startProcess(t, "nats://"+freeAddress(t))
	until(t, "alive and not ready", func() bool {
		return readBody(t, "http://"+p.admin+"/healthz") == "ok\n" &&
			strings.Contains(readBody(t, "http://"+p.admin+"/readyz"), `"nats":"waiting: nats: no servers available for connection: start nats-server, or correct nats.url"`)
	})
	p.signal(t, syscall.SIGTERM)
	if got := p.exitCode(t); got != exitOK {
		t.Errorf("exit code: got %d, want 0\n%s", got, p.out)
	}
}

func TestMain_Healthcheck(t *testing.T) {
	s := natstest.Start(t)
	p := startProcess(t, s.ClientURL())
	p.awaitReady(t)
	check := func(admin string) int {
		c := startProcess(t, s.ClientURL(), "healthcheck", "--admin.listen="+admin)
		return c.exitCode(t)
	}
	if got := check(p.admin); got != exitOK {
		t.Errorf("a running service: got %d, want 0", got)
	}
	if got := check(freeAddress(t)); got != exitFailure {
		t.Errorf("nobody there: got %d, want 1", got)
	}
}

// runIn calls Run in this process.
func runIn(ctx context.Context, t *testing.T, run func(context.Context, echo, *nats.Conn) error, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	before := slog.Default()
	defer slog.SetDefault(before)
	var out, errs output
	code = Run(ctx, "echo", defaultEcho(), run, args, append(environ, "PARLEY_ADMIN__LISTEN=127.0.0.1:0"), &out, &errs)
	return code, out.String(), errs.String()
}

func TestRun_CommandLine(t *testing.T) {
	unwanted := func(context.Context, echo, *nats.Conn) error { return errors.New("the service ran") }
	for _, tc := range []struct {
		name         string
		args         []string
		code         int
		out, problem string
	}{
		{"version", []string{"--version"}, exitOK, "echo " + BuildVersion() + "\n", ""},
		{"help", []string{"--help"}, exitOK, "--echo.subject string", ""},
		{"help lists what surrounds the service", []string{"-h"}, exitOK, "--nats.password_file path", ""},
		{"unknown command", []string{"dance"}, exitUsage, "", `unknown command ["dance"]`},
		{"unknown flag", []string{"--echo.subjekt=x"}, exitUsage, "", "did you mean --echo.subject?"},
		{"a fault in each section", []string{"--echo.subject=", "--nats.url=x", "--admin.listen=x", "--log.level=x"}, exitUsage, "",
			"echo.subject: must be set (from --echo.subject)\nnats.url: "},
		{"help for a wrong place", []string{"healthcheck", "--admin.listen="}, exitFailure, "", "admin.listen must name a port"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, out, problem := runIn(t.Context(), t, unwanted, nil, tc.args...)
			if strings.Contains(problem, "the service ran") {
				t.Error("the service ran")
			}
			if code != tc.code || !strings.Contains(out, tc.out) || !strings.Contains(problem, tc.problem) {
				t.Errorf("got %d, %q, %q; want %d, %q, %q", code, out, problem, tc.code, tc.out, tc.problem)
			}
		})
	}
}

func TestRun_OneFileForAllPrograms(t *testing.T) {
	s := natstest.Start(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	content := "nats: {url: '" + s.ClientURL() + "'}\necho: {subject: from.file}\nedge: {listen: ':1'}\nroomsvc: {}\n"
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	got := ""
	code, _, problem := runIn(t.Context(), t, func(_ context.Context, cfg echo, _ *nats.Conn) error {
		got = cfg.Subject
		return nil
	}, []string{"PARLEY_CONFIG=" + path, "PARLEY_AUTHSVC__LISTEN=:2"})
	if code != exitOK || got != "from.file" {
		t.Errorf("got %d and %q, want 0 and from.file\n%s", code, got, problem)
	}
}

// A connection to NATS alone doesn't make a service ready that hasn't begun.
func TestRun_IsNotReadyBeforeTheServiceBegins(t *testing.T) {
	s := natstest.Start(t)
	code, _, problem := runIn(t.Context(), t, func(ctx context.Context, _ echo, _ *nats.Conn) error {
		health := HealthFrom(ctx)
		until(t, "connected", func() bool { _, checks := health.Ready(); return checks[natsCheck] == checkOK })
		if ready, checks := health.Ready(); ready {
			t.Errorf("ready with %v before the service has a check", checks)
		}
		health.Set("echo", nil)
		if ready, checks := health.Ready(); !ready {
			t.Errorf("not ready with %v when the service is", checks)
		}
		return nil
	}, []string{"PARLEY_NATS__URL=" + s.ClientURL()})
	if code != exitOK {
		t.Errorf("exit code: got %d, want 0\n%s", code, problem)
	}
}

func TestRun_Failures(t *testing.T) {
	s := natstest.Start(t)
	environ := []string{"PARLEY_NATS__URL=" + s.ClientURL()}
	t.Run("the service's own", func(t *testing.T) {
		code, _, log := runIn(t.Context(), t, func(context.Context, echo, *nats.Conn) error { return errBroken }, environ)
		if code != exitFailure || !strings.Contains(log, `"error":"echo: run: broken"`) {
			t.Errorf("got %d and\n%s\nwant 1 and the error", code, log)
		}
	})
	t.Run("the connection is closed for good", func(t *testing.T) {
		code, _, log := runIn(t.Context(), t, func(ctx context.Context, _ echo, nc *nats.Conn) error {
			nc.Close()
			<-ctx.Done()
			return nil
		}, environ)
		if code != exitFailure || !strings.Contains(log, "connection to NATS is closed") {
			t.Errorf("got %d and\n%s\nwant 1 and the reason", code, log)
		}
	})
	t.Run("the admin port is in use", func(t *testing.T) {
		server := startProcess(t, s.ClientURL())
		server.awaitReady(t)
		code, _, log := runIn(t.Context(), t, runEcho, environ, "--admin.listen="+server.admin)
		if code != exitFailure || !strings.Contains(log, "admin.listen: ") {
			t.Errorf("got %d and\n%s\nwant 1 and the key", code, log)
		}
		server.signal(t, syscall.SIGTERM)
		server.exitCode(t)
	})
}

func TestRun_ClosesTheConnectionAfterTheService(t *testing.T) {
	s := natstest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	var kept *nats.Conn
	code, _, log := runIn(ctx, t, func(ctx context.Context, _ echo, nc *nats.Conn) error {
		kept = nc
		cancel()
		<-ctx.Done()
		if !nc.IsConnected() {
			t.Error("the connection ended before the service")
		}
		return nil
	}, []string{"PARLEY_NATS__URL=" + s.ClientURL()})
	if code != exitOK || !kept.IsClosed() {
		t.Errorf("got %d, closed %v; want 0 and closed\n%s", code, kept.IsClosed(), log)
	}
}

func TestVersion(t *testing.T) {
	revision := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}}
	for want, info := range map[string]*debug.BuildInfo{
		"v1.2.3":           {Main: debug.Module{Version: "v1.2.3"}, Settings: revision},
		"dev-0123456789ab": {Main: debug.Module{Version: "(devel)"}, Settings: revision},
		"dev":              {},
	} {
		if got := versionFrom(info); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	Version = "v9"
	defer func() { Version = undefinedVersion }()
	if got := BuildVersion(); got != "v9" {
		t.Errorf("set by the linker: got %s, want v9", got)
	}
}
