package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/mdp/qrterminal/v3"

	"github.com/parley-rtc/parley/deploy/standalone/lan"
)

// network is how others reach a `parley dev --lan`.
type network struct {
	addresses []netip.Addr // the first is the one that is told
	names     []string
}

// findNetwork makes the settings that name the loopback interface name the
// network.
func (d *development) findNetwork() error {
	addresses, err := lan.Addresses()
	if err != nil {
		return fmt.Errorf("--lan: %w", err)
	}
	d.network = network{addresses, lan.Names()}
	for address, host := range map[*string]string{&d.cfg.Edge.Listen: "", &d.cfg.TURN.Listen: addresses[0].String()} {
		if _, port, err := net.SplitHostPort(*address); err == nil && loopback(*address) {
			*address = net.JoinHostPort(host, port)
		}
	}
	return nil
}

// hosts are what pages of this machine may call it beside localhost.
func (n network) hosts() []string {
	hosts := append([]string(nil), n.names...)
	for _, address := range n.addresses {
		hosts = append(hosts, address.WithZone("").String())
	}
	return hosts
}

// certificate is the folder's; it must be there.
func (d *development) certificate() (tls.Certificate, error) {
	cert, _, err := lan.Certificate(d.cfg.Standalone.StoreDir, d.network.addresses, d.network.names, time.Now())
	if err != nil {
		return cert, fmt.Errorf("--lan: %w", err)
	}
	return cert, nil
}

// lanURL is the public address for others, "" if there is none.
func (d *development) lanURL() string {
	_, port, err := net.SplitHostPort(d.cfg.Edge.Listen)
	if err != nil || len(d.network.addresses) == 0 {
		return ""
	}
	return "https://" + net.JoinHostPort(d.network.addresses[0].String(), port)
}

// printQR shows a link to a phone's camera.
func printQR(out io.Writer, link string) {
	qrterminal.GenerateWithConfig(link, qrterminal.Config{
		Level: qrterminal.L, Writer: out, HalfBlocks: true, QuietZone: 2,
		BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
	})
}
