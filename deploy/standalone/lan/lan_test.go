package lan

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

var (
	here  = []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fd00::5")}
	names = []string{"laptop", "laptop.local"}
)

func TestCertificate(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	first, made, err := Certificate(dir, here, names, now)
	if err != nil || !made {
		t.Fatalf("made %v, %v", made, err)
	}
	t.Run("is for all that the machine is called", func(t *testing.T) {
		for _, host := range []string{"192.168.1.5", "fd00::5", "laptop", "laptop.local", "localhost", "127.0.0.1", "::1"} {
			if err := first.Leaf.VerifyHostname(host); err != nil {
				t.Error(err)
			}
		}
		if err := first.Leaf.VerifyHostname("192.168.1.6"); err == nil {
			t.Error("it is for others, too")
		}
		key, ok := first.PrivateKey.(*ecdsa.PrivateKey)
		if !ok || key.Curve != elliptic.P256() {
			t.Errorf("the key is %T", first.PrivateKey)
		}
		if whole := first.Leaf.NotAfter.Sub(first.Leaf.NotBefore); whole > 398*24*time.Hour {
			t.Errorf("it is good for %v, which browsers refuse", whole)
		}
		if slices.Contains(first.Leaf.ExtKeyUsage, x509.ExtKeyUsageAny) || first.Leaf.IsCA {
			t.Error("it can sign others")
		}
	})
	t.Run("is kept to its owner", func(t *testing.T) {
		info, err := os.Stat(filepath.Join(dir, keyFile))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the key has the mode %v (%v), want 0600", info.Mode(), err)
		}
	})
	same := func(cert tls.Certificate) bool { return cert.Leaf.SerialNumber.Cmp(first.Leaf.SerialNumber) == 0 }
	for _, one := range []struct {
		name      string
		addresses []netip.Addr
		names     []string
		after     time.Duration
		want      bool // kept
	}{
		{"is kept", here, names, 0, true},
		{"is kept for the same in another order", []netip.Addr{here[1], here[0], here[0]}, []string{names[1], names[0]}, 0, true},
		{"is kept until it ends soon", here, names, validity - renewal - 2*time.Hour, true},
		{"is renewed when it ends soon", here, names, validity - renewal, false},
		{"is renewed when it has ended", here, names, validity + time.Hour, false},
		{"is renewed when the clock was ahead", here, names, -2 * time.Hour, false},
		{"is renewed with an address more", append([]netip.Addr{netip.MustParseAddr("10.0.0.1")}, here...), names, 0, false},
		{"is renewed with another name", here, []string{"desktop"}, 0, false},
	} {
		t.Run(one.name, func(t *testing.T) {
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			cert, made, err := Certificate(copied, one.addresses, one.names, now.Add(one.after))
			if err != nil || made == one.want || same(cert) != one.want {
				t.Fatalf("made %v, the same %v, %v", made, same(cert), err)
			}
			again, made, err := Certificate(copied, one.addresses, one.names, now.Add(one.after))
			if err != nil || made || again.Leaf.SerialNumber.Cmp(cert.Leaf.SerialNumber) != 0 {
				t.Errorf("the next time: made %v, %v", made, err)
			}
		})
	}
	t.Run("is made anew when its files are broken", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, certificateFile), []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, made, err := Certificate(dir, here, names, now); err != nil || !made {
			t.Errorf("made %v, %v", made, err)
		}
	})
	if _, _, err := Certificate(filepath.Join(dir, "not", "there"), here, names, now); err == nil {
		t.Error("it is kept in a folder that isn't there")
	}
}

func TestUsable(t *testing.T) {
	address := func(text string) net.Addr {
		ip, network, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		return &net.IPNet{IP: ip, Mask: network.Mask}
	}
	all := []net.Addr{
		address("127.0.0.1/8"), address("::1/128"), address("fe80::1/64"), address("169.254.1.1/16"),
		address("2001:db8::5/64"), address("172.17.0.1/16"), address("192.168.1.5/24"), address("192.168.1.5/24"),
	}
	for first, want := range map[string]string{
		"192.168.1.5": "192.168.1.5 172.17.0.1 2001:db8::5", "2001:db8::5": "2001:db8::5 172.17.0.1 192.168.1.5",
		"10.0.0.1": "172.17.0.1 192.168.1.5 2001:db8::5",
	} {
		got, err := usable(all, netip.MustParseAddr(first))
		if text := strings.Trim(fmt.Sprint(got), "[]"); err != nil || text != want {
			t.Errorf("with %s first: got %s (%v), want %s", first, text, err, want)
		}
	}
	if _, err := usable(all[:4], netip.Addr{}); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("without a network: got %v", err)
	}
}

// from is a listener whose connections seem to come from elsewhere.
type from struct {
	net.Listener
	remote net.Addr
}

type fromConn struct {
	net.Conn
	remote net.Addr
}

func (f from) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	return fromConn{c, f.remote}, err
}

func (c fromConn) RemoteAddr() net.Addr { return c.remote }

// serve answers with "hello" behind a listener to which clients come from an
// address.
func serve(t *testing.T, remote string) (address string, roots *x509.CertPool) {
	t.Helper()
	return serveWithin(t, remote, patience)
}

// serveWithin is serve for requests that come within a time.
func serveWithin(t *testing.T, remote string, headers time.Duration) (address string, roots *x509.CertPool) {
	t.Helper()
	cert, _, err := Certificate(t.TempDir(), here, names, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ReadHeaderTimeout: headers,
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }),
	}
	ended := make(chan error, 1)
	go func() {
		ended <- server.Serve(NewListener(from{l, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(remote))}, cert))
	}()
	t.Cleanup(func() {
		_ = server.Close() // the test is over
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String(), roots
}

func get(t *testing.T, url string, roots *x509.CertPool) (*http.Response, string, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func TestListener(t *testing.T) {
	for name, remote := range map[string]string{"from the network": "192.168.1.77:4000", "from this machine": "127.0.0.1:4000", "from IPv6": "[::1]:4000"} {
		t.Run("serves https "+name, func(t *testing.T) {
			address, roots := serve(t, remote)
			resp, body, err := get(t, "https://"+address+"/", roots)
			if err != nil || body != "hello" || resp.ProtoMajor != 1 {
				t.Fatalf("got %q, %v", body, err)
			}
		})
	}
	t.Run("serves http from this machine", func(t *testing.T) {
		address, _ := serve(t, "[::ffff:127.0.0.1]:4000")
		if _, body, err := get(t, "http://"+address+"/", nil); err != nil || body != "hello" {
			t.Fatalf("got %q, %v", body, err)
		}
	})
	t.Run("sends http from the network to https", func(t *testing.T) {
		address, _ := serve(t, "192.168.1.77:4000")
		resp, body, err := get(t, "http://"+address+"/a%2Fb?room=hello", nil)
		if err != nil || resp.StatusCode != http.StatusPermanentRedirect || body != "" {
			t.Fatalf("got %q, %v", body, err)
		}
		if got, want := resp.Header.Get("Location"), "https://"+address+"/a%2Fb?room=hello"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("writes no header that a client made up", func(t *testing.T) {
		address, _ := serve(t, "192.168.1.77:4000")
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("got %v", resp.Header)
		}
	})
	t.Run("gives up who says nothing, or no HTTP", func(t *testing.T) {
		address, roots := serveWithin(t, "192.168.1.77:4000", 3*time.Second) // who is served on a busy machine needs a part of it
		texts := []string{"", "\x00\x01\x02\r\n\r\n", "GET / HTTP/1.1\r\n"}
		conns := make([]net.Conn, len(texts))
		for i, text := range texts {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
			conns[i] = conn
		}
		if _, body, err := get(t, "https://"+address+"/", roots); err != nil || body != "hello" {
			t.Errorf("meanwhile others get %q, %v", body, err)
		}
		for i, conn := range conns {
			if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(conn); err != nil || len(got) != 0 {
				t.Errorf("%q got %q, %v, want the end", texts[i], got, err)
			}
		}
	})
}
