package telemetry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCollectorHost(t *testing.T) {
	for _, test := range []struct{ kind, traces, all, want string }{
		{"", "", "http://otel-collector:4318", "otel-collector"},
		{"otlp", "https://traces.example.org/v1/traces", "http://otel-collector:4318", "traces.example.org"},
		{"", "", "http://127.0.0.1:4318", ""},
		{"", "", "http://[::1]:4318", ""},
		{"", "", "http://localhost:4318", ""},
		{"", "", "otel-collector:4317", ""}, // gRPC's own way to name a host
		{"console", "", "http://otel-collector:4318", ""},
		{"otlp", "", "", ""},
	} {
		t.Setenv("OTEL_TRACES_EXPORTER", test.kind)
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", test.traces)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", test.all)
		if got := collectorHost(); got != test.want {
			t.Errorf("%+v: got %q", test, got)
		}
	}
}

// names is a name server with one name, which has an address or none.
type names struct {
	there atomic.Bool
	asked atomic.Int32
}

func (n *names) lookup(context.Context, string) ([]string, error) {
	n.asked.Add(1)
	if n.there.Load() {
		return []string{"10.0.0.1"}, nil
	}
	return nil, errors.New("no such host")
}

func TestPresence_tracingFollowsTheCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		before := slog.Default()
		defer slog.SetDefault(before)
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		var n names
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			presence{"otel-collector", n.lookup, &installed{}}.follow(ctx)
		}()
		expect := func(what string, looks int, enabled bool, lines int) {
			t.Helper()
			time.Sleep(time.Duration(looks) * lookInterval)
			synctest.Wait()
			if Enabled() != enabled {
				t.Errorf("%s: tracing is on: %v, want %v", what, Enabled(), enabled)
			}
			if got := strings.Count(log.String(), "\n"); got != lines {
				t.Errorf("%s: %d lines, want %d: %s", what, got, lines, &log)
			}
		}
		expect("it isn't there", 100, false, 1)
		n.there.Store(true)
		expect("it came", 1, true, 2)
		n.there.Store(false)
		expect("one look failed", 1, true, 2)
		n.there.Store(true)
		expect("the next didn't", 100, true, 2)
		n.there.Store(false)
		expect("it went", mostMisses, false, 3)
		n.there.Store(true)
		expect("it is back", 1, true, 4)
		cancel()
		<-done
		if Enabled() {
			t.Error("tracing is still on at the end")
		}
	})
}

// A name without an address, as the Internet's own .invalid is (RFC 2606): nothing
// is recorded, and nobody waits for it.
func TestSetup_withoutTheCollector(t *testing.T) {
	shutdown := setup(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel-collector.invalid:4318"}, DefaultConfig(), io.Discard)
	if Enabled() {
		t.Error("tracing is on")
	}
	stop(t, shutdown)
}
