package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/deploy/standalone/lan"
)

// listen takes the ports, or the next free ones, and notes where all is.
func (d *development) listen(ctx context.Context) error {
	for _, one := range []struct {
		key     string
		address *string
		listen  func(address string) (at net.Addr, moved bool, err error)
	}{
		{"edge.listen", &d.cfg.Edge.Listen, func(address string) (net.Addr, bool, error) {
			return listenTCP(address, &d.cfg.Edge.Listener)
		}},
		{"admin.listen", &d.cfg.Admin.Listen, func(address string) (net.Addr, bool, error) {
			return listenTCP(address, &d.cfg.Admin.Listener)
		}},
		{"turn.listen", &d.cfg.TURN.Listen, func(address string) (net.Addr, bool, error) { return d.listenTURN(ctx, address) }},
	} {
		if *one.address == "" {
			continue // no such listener is wanted
		}
		if !loopback(*one.address) && !d.options.lan {
			slog.WarnContext(ctx, "others can reach it: who does may join any room", "setting", one.key, "address", *one.address)
		}
		at, moved, err := one.listen(*one.address)
		if err != nil {
			return fmt.Errorf("%s: %w", one.key, err)
		}
		if moved {
			d.moved = append(d.moved, fmt.Sprintf("%s: %s is busy, %s is used", one.key, *one.address, at))
		}
		*one.address = at.String()
	}
	if d.options.lan {
		cert, err := d.certificate()
		if err != nil {
			return err
		}
		d.cfg.Edge.Listener = lan.NewListener(d.cfg.Edge.Listener, cert)
	}
	near := nearAddress(d.cfg.Edge.Listen)
	d.place = standalone.Place{URL: "http://" + near, WebSocket: "ws://" + near + "/v1/ws", PID: os.Getpid()}
	if d.cfg.Admin.Listen != "" {
		d.place.Admin = "http://" + nearAddress(d.cfg.Admin.Listen)
	}
	return nil
}

func listenTCP(address string, into *net.Listener) (net.Addr, bool, error) {
	l, moved, err := standalone.Listen(address)
	if err != nil {
		return nil, false, err
	}
	*into = l
	return l.Addr(), moved, nil
}

func (d *development) listenTURN(ctx context.Context, address string) (net.Addr, bool, error) {
	udp, tcp, moved, err := standalone.ListenTURN(ctx, address)
	if err != nil {
		return nil, false, err
	}
	d.cfg.TURN.UDP, d.cfg.TURN.TCP = udp, tcp
	return udp.LocalAddr(), moved, nil
}

// loopback reports whether only this machine reaches an address.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return true // Listen says what is wrong with it
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// nearAddress is how this machine reaches an address that it listens on.
func nearAddress(hostport string) string {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	if address, err := netip.ParseAddr(host); err == nil && address.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
