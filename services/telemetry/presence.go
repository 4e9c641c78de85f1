package telemetry

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// lookInterval is the time between two looks for the collector: a start isn't
	// waited for much longer, and one name every 5 s is nothing to a name server.
	lookInterval = 5 * time.Second
	lookTimeout  = 2 * time.Second
	// mostMisses is after how many looks in a row without an answer the collector is
	// taken for gone: a name server may miss one.
	mostMisses = 2
)

// presence keeps tracing off while the collector's name has no address. So a
// deployment may name a collector that it only sometimes has: what isn't there
// costs what no tracing does, and one that comes is used without a restart.
type presence struct {
	host   string
	lookup func(ctx context.Context, host string) ([]string, error)
	traces *installed
}

// collectorHost is the name that is looked for, and "" where the variables name
// none, or one that says nothing: of an exporter of another kind, or of a host that
// only a proxy finds.
func collectorHost() string {
	if kind := os.Getenv("OTEL_TRACES_EXPORTER"); kind != "" && kind != "otlp" {
		return ""
	}
	endpoint, err := url.Parse(cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")))
	if err != nil || !strings.HasPrefix(endpoint.Scheme, "http") {
		return ""
	}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: endpoint}); err != nil || proxy != nil {
		return ""
	}
	host := endpoint.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return ""
	}
	return host
}

// follow turns tracing on and off until ctx ends.
func (p presence) follow(ctx context.Context) {
	defer provider.CompareAndSwap(p.traces, nil)
	timer := time.NewTicker(lookInterval)
	defer timer.Stop()
	for misses := 0; ; {
		there := p.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case there:
			if misses = 0; provider.CompareAndSwap(nil, p.traces) {
				slog.InfoContext(ctx, "traces are recorded", "collector", p.host)
			}
		default:
			if misses++; misses == mostMisses {
				provider.CompareAndSwap(p.traces, nil)
				slog.InfoContext(ctx, "no traces are recorded until there is a collector", "collector", p.host)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
	}
}

func (p presence) look(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	addresses, err := p.lookup(ctx, p.host)
	return err == nil && len(addresses) > 0
}
