package turn

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the draft's algorithm
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a-secret-of-the-tests-0123456789"

// serve runs a server until the test ends.
func serve(t *testing.T, change func(*Config)) (address string) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Listen, cfg.Secret = "127.0.0.1:0", secret
	if change != nil {
		change(&cfg)
	}
	var err error
	if cfg.UDP, cfg.TCP, err = Listen(t.Context(), cfg.Listen); err != nil {
		t.Fatal(err)
	}
	cfg.Listen = cfg.UDP.LocalAddr().String()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, cfg) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return cfg.Listen
}

// credential is one as authsvc makes it.
func credential(user string, until time.Time) (username, password string) {
	username = fmt.Sprintf("%d:%s", until.Unix(), user)
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return username, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// dial makes a client of the server at address, over "udp" or "tcp".
func dial(t *testing.T, network, address, username, password string) *turn.Client {
	t.Helper()
	var conn net.PacketConn
	if network == "tcp" {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn = turn.NewSTUNConn(c)
	} else {
		var err error
		if conn, err = (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	c, err := turn.NewClient(&turn.ClientConfig{
		Conn: conn, STUNServerAddr: address, TURNServerAddr: address, Username: username, Password: password, Realm: realm,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		_ = conn.Close() // the server may have closed it
	})
	return c
}

// allocate makes an allocation that lasts until the test ends.
func allocate(t *testing.T, c *turn.Client) (net.PacketConn, error) {
	t.Helper()
	relay, err := c.Allocate()
	if err == nil {
		t.Cleanup(func() { _ = relay.Close() }) // it may have been closed
	}
	return relay, err
}

func TestRun_relays(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run("for a client over "+network, func(t *testing.T) {
			address := serve(t, nil)
			username, password := credential("ada", time.Now().Add(time.Minute))
			relay, err := allocate(t, dial(t, network, address, username, password))
			if err != nil {
				t.Fatal(err)
			}
			peer, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			if _, err := relay.WriteTo([]byte("hello"), peer.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			buffer := make([]byte, 64)
			n, from, err := peer.ReadFrom(buffer)
			if err != nil || string(buffer[:n]) != "hello" || from.String() != relay.LocalAddr().String() {
				t.Errorf("the peer got %q from %v (%v), want it from the relay %v", buffer[:n], from, err, relay.LocalAddr())
			}
		})
	}
}

func TestRun_asksForCredentials(t *testing.T) {
	address := serve(t, nil)
	good, password := credential("ada", time.Now().Add(time.Minute))
	over, overPassword := credential("ada", time.Now().Add(-time.Minute))
	for _, one := range []struct{ name, username, password string }{
		{"one that is over", over, overPassword},
		{"a later expiry than was signed", strings.Replace(good, good[:10], fmt.Sprint(time.Now().Add(time.Hour).Unix()), 1), password},
		{"another user", strings.Replace(good, "ada", "bob", 1), password},
		{"another password", good, overPassword},
		{"no expiry", "ada", password},
		{"no user", good[:10], password},
	} {
		t.Run("and refuses "+one.name, func(t *testing.T) {
			if relay, err := allocate(t, dial(t, "udp", address, one.username, one.password)); err == nil {
				t.Errorf("allocated %v", relay.LocalAddr())
			}
		})
	}
	t.Run("but not to say what a client's address is", func(t *testing.T) {
		if _, err := dial(t, "udp", address, "", "").SendBindingRequest(); err != nil {
			t.Error(err)
		}
	})
}

func TestChecker_letsACallOutliveItsCredential(t *testing.T) {
	username, _ := credential("ada", time.Unix(1000, 0))
	for _, one := range []struct {
		method stun.Method
		now    int64
		want   bool
	}{
		{stun.MethodAllocate, 1000, true}, {stun.MethodAllocate, 1001, false},
		{stun.MethodRefresh, 9000, true}, {stun.MethodCreatePermission, 9000, true}, {stun.MethodChannelBind, 9000, true},
	} {
		c := checker{[]byte(secret), func() time.Time { return time.Unix(one.now, 0) }}
		user, _, got := c.check(&turn.RequestAttributes{Username: username, Realm: realm, Method: one.method})
		if got != one.want || got && user != "ada" {
			t.Errorf("%v at %d: got %q, %v, want %v", one.method, one.now, user, got, one.want)
		}
	}
}

func TestRun_boundsAllocations(t *testing.T) {
	for name, one := range map[string]struct {
		change func(*Config)
		users  [2]string
	}{
		"of one user": {func(c *Config) { c.UserAllocations = 1 }, [2]string{"ada", "ada"}},
		"of all":      {func(c *Config) { c.Allocations = 1 }, [2]string{"ada", "bob"}},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, one.change)
			var clients [2]*turn.Client
			for i, user := range one.users {
				username, password := credential(user, time.Now().Add(time.Minute))
				clients[i] = dial(t, "udp", address, username, password)
			}
			first, err := allocate(t, clients[0])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := allocate(t, clients[1]); err == nil || !strings.Contains(err.Error(), "486") {
				t.Fatalf("one more: got %v, want 486 (RFC 8656 section 18)", err)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			// The answer to the refresh that ends an allocation isn't waited for.
			for deadline := time.Now().Add(5 * time.Second); ; {
				if _, err = allocate(t, clients[1]); err == nil {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("after the first one's end: %v", err)
				}
			}
		})
	}
	t.Run("and TCP connections", func(t *testing.T) {
		address := serve(t, func(c *Config) { c.Connections = 1 })
		username, password := credential("ada", time.Now().Add(time.Minute))
		if _, err := allocate(t, dial(t, "tcp", address, username, password)); err != nil {
			t.Fatal(err)
		}
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("a second connection is served: %d bytes", n)
		}
	})
}

func TestRun_keepsToItsPorts(t *testing.T) {
	free, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	_ = free.Close() // it only found the port
	address := serve(t, func(c *Config) { c.MinPort, c.MaxPort = port, port })
	username, password := credential("ada", time.Now().Add(time.Minute))
	relay, err := allocate(t, dial(t, "udp", address, username, password))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := relay.LocalAddr().String(), fmt.Sprintf("127.0.0.1:%d", port); got != want {
		t.Errorf("it relays from %s, want %s", got, want)
	}
	if _, err := allocate(t, dial(t, "udp", address, username, password)); err == nil {
		t.Error("a second allocation found another port")
	}
}

func TestRelays_permit(t *testing.T) {
	for _, one := range []struct {
		public, peer string
		want         bool
	}{
		{"127.0.0.1", "127.0.0.1", true}, {"127.0.0.1", "192.168.1.2", true}, {"127.0.0.1", "198.51.100.1", true},
		{"192.168.1.1", "127.0.0.1", false}, {"192.168.1.1", "169.254.169.254", false}, {"192.168.1.1", "192.168.1.2", true},
		{"192.168.1.1", "10.0.0.1", true}, {"192.168.1.1", "198.51.100.1", true}, {"192.168.1.1", "::ffff:127.0.0.1", false},
		{"198.51.100.1", "127.0.0.1", false}, {"198.51.100.1", "10.0.0.1", false}, {"198.51.100.1", "100.64.0.1", false},
		{"198.51.100.1", "fd00::1", false}, {"198.51.100.1", "fe80::1", false}, {"198.51.100.1", "::1", false},
		{"198.51.100.1", "198.51.100.1", true}, {"198.51.100.1", "2001:db8::1", true},
		{"127.0.0.1", "0.0.0.0", false}, {"127.0.0.1", "224.0.0.1", false}, {"198.51.100.1", "255.255.255.255", false},
	} {
		r := &relays{public: netip.MustParseAddr(one.public)}
		if got := r.permits(nil, net.ParseIP(one.peer)); got != one.want {
			t.Errorf("a relay at %s to %s: got %v, want %v", one.public, one.peer, got, one.want)
		}
	}
	if (&relays{public: netip.MustParseAddr("127.0.0.1")}).permits(nil, nil) {
		t.Error("no address is one")
	}
}

func TestConfig(t *testing.T) {
	valid := DefaultConfig()
	valid.Listen, valid.Secret = "127.0.0.1:3478", secret
	for _, one := range []struct {
		name, want string
		change     func(*Config)
	}{
		{"valid", "", func(*Config) {}},
		{"none", "", func(c *Config) { *c = Config{} }},
		{"no port", "listen: ", func(c *Config) { c.Listen = "127.0.0.1" }},
		{"all interfaces", "public_address: ", func(c *Config) { c.Listen = ":3478" }},
		{"all interfaces with an address", "", func(c *Config) { c.Listen, c.PublicAddress = ":3478", "192.168.1.1" }},
		{"a name for the address", "public_address: ", func(c *Config) { c.PublicAddress = "turn.example" }},
		{"half a range", "min_port: ", func(c *Config) { c.MinPort = 5000 }},
		{"a range that ends before", "min_port: ", func(c *Config) { c.MinPort, c.MaxPort = 5001, 5000 }},
		{"a range over all", "min_port: ", func(c *Config) { c.MinPort, c.MaxPort = 5001, 65536 }},
		{"a short secret", "secret: ", func(c *Config) { c.Secret = "short" }},
		{"no allocation", "allocations: ", func(c *Config) { c.Allocations = 0 }},
		{"none for a user", "user_allocations: ", func(c *Config) { c.UserAllocations = 0 }},
		{"no connection", "connections: ", func(c *Config) { c.Connections = 0 }},
	} {
		c := valid
		one.change(&c)
		err := c.Validate()
		if one.want == "" && err != nil || one.want != "" && (err == nil || !strings.HasPrefix(err.Error(), one.want)) {
			t.Errorf("%s: got %v, want %q", one.name, err, one.want)
		}
	}
	got := strings.Join(valid.URLs(), " ")
	if want := "stun:127.0.0.1:3478 turn:127.0.0.1:3478?transport=udp turn:127.0.0.1:3478?transport=tcp"; got != want {
		t.Errorf("got the URLs %s, want %s", got, want)
	}
	if urls := (Config{}).URLs(); urls != nil {
		t.Errorf("without a server the URLs are %q", urls)
	}
}
