package standalone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/parley-rtc/parley/edge/demo"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// DemoConfig is the section "demo": the demo page as a process of its own,
// beside services that are processes too.
type DemoConfig struct {
	// Listen is host:port of the page.
	Listen string `koanf:"listen"`
	// Tokens gives room tokens to pages of this machine, as DevToken does. Whoever
	// reaches the page can then be anybody in any room of the app.
	Tokens bool `koanf:"tokens"`
	// Authsvc is where an authsvc answers, as in http://authsvc:7412.
	Authsvc string `koanf:"authsvc"`
	// APIKey is that of the app whose rooms the page enters.
	APIKey config.Secret `koanf:"api_key"`
	// Hosts are names beside those of the loopback interface under which the page
	// gets tokens.
	Hosts []string `koanf:"hosts"`

	// Listener, if set, is used instead of Listen, and closed.
	Listener net.Listener `koanf:"-"`
}

// DefaultDemoConfig shows the page and gives no tokens.
func DefaultDemoConfig() DemoConfig { return DemoConfig{Listen: "127.0.0.1:7413"} }

// Validate reports every fault of the section.
func (c DemoConfig) Validate() error {
	var faults []error
	if _, _, err := net.SplitHostPort(c.Listen); err != nil && c.Listener == nil {
		faults = append(faults, fmt.Errorf("listen: is %q, it must be host:port", c.Listen))
	}
	if !c.Tokens {
		return errors.Join(faults...)
	}
	if u, err := url.Parse(c.Authsvc); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		faults = append(faults, fmt.Errorf("authsvc: is %q, it must be as http://host:7412, or demo.tokens false", c.Authsvc))
	}
	if c.APIKey == "" {
		faults = append(faults, errors.New("api_key: is missing; it is one of authsvc.apps, or set demo.tokens to false"))
	}
	return errors.Join(faults...)
}

// RunDemo serves the demo page until ctx ends. Health is that of ctx.
func RunDemo(ctx context.Context, cfg DemoConfig) error {
	health := lifecycle.HealthFrom(ctx)
	health.Set(CheckFront, lifecycle.ErrStarting)
	listener := cfg.Listener
	if listener == nil {
		var err error
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
			return fmt.Errorf("demo.listen: %w", err)
		}
	}
	front := &Front{Page: demo.Handler()}
	if cfg.Tokens {
		slog.WarnContext(ctx, "pages get room tokens without a login", "setting", "demo.tokens")
		tokens, err := tokensOf(cfg.Authsvc)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		front.DevToken = &DevToken{Tokens: tokens, APIKey: cfg.APIKey, Hosts: cfg.Hosts}
	}
	health.Set(CheckFront, nil)
	return serveFront(ctx, listener, front)
}

// tokensOf passes requests on to an authsvc somewhere else.
func tokensOf(authsvc string) (http.Handler, error) {
	target, err := url.Parse(authsvc)
	if err != nil {
		return nil, fmt.Errorf("demo.authsvc: %w", err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			slog.WarnContext(r.Context(), "no authsvc answers", "address", authsvc, "error", err)
			fault := contract.Errorf(contract.CodeUnavailable, "no authsvc answers at the moment: come again")
			fault.RetryAfter = partRetry
			backend.Refuse(w, 0, fault)
		},
	}, nil
}
