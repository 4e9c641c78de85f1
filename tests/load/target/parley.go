//go:build linux

package target

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token"
	"github.com/parley-rtc/parley/tests/load/dialect"
	"github.com/parley-rtc/parley/tests/load/machine"
)

// app is the tenant of the bench.
const app = "bench"

// unbounded is for limits that nothing of the bench reaches.
const unbounded = 1_000_000_000

// limits are the settings of an edge that differ from the defaults. The other
// systems bound nothing of this, so nothing of it may shape a figure. The log's
// size is what its 2 minutes hold at the highest rates.
var limits = []string{
	"PARLEY_EDGE__LIMITS__FRAME_RATE=" + strconv.Itoa(unbounded), "PARLEY_EDGE__LIMITS__FRAME_BURST=" + strconv.Itoa(unbounded),
	"PARLEY_EDGE__LIMITS__BYTE_RATE=" + strconv.Itoa(unbounded), "PARLEY_EDGE__LIMITS__BYTE_BURST=" + strconv.Itoa(unbounded),
	"PARLEY_EDGE__LIMITS__CANDIDATES=" + strconv.Itoa(unbounded),
	"PARLEY_EDGE__LIMITS__OUTBOUND_FRAMES=" + strconv.Itoa(unbounded), "PARLEY_EDGE__LIMITS__OUTBOUND_BYTES=" + strconv.Itoa(unbounded),
	"PARLEY_EDGE__LIMITS__UNSETTLED_FRAMES=" + strconv.Itoa(unbounded), "PARLEY_EDGE__LIMITS__UNSETTLED_BYTES=" + strconv.Itoa(unbounded),
	"PARLEY_EDGE__HELLO_TIMEOUT=1m", "PARLEY_EDGE__ROOM_TIMEOUT=10m",
	"PARLEY_EDGE__ICE_POLICY=" + string(contract.PolicyAll), "PARLEY_CANDIDATEFILTER__POLICY=" + string(contract.PolicyAll),
	"PARLEY_ROOMSVC__SIGNALS_MAX_BYTES=" + strconv.Itoa(8<<30),
}

// startStandalone starts `parley dev` with one edge, its files in a folder of
// its own, and no TURN server, which the others don't have.
func startStandalone(ctx context.Context, s *System) error {
	tenant, err := s.tenant()
	if err != nil {
		return err
	}
	free, err := addresses(2)
	if err != nil {
		return err
	}
	environ := append(append(tenant, limits...),
		"PARLEY_STANDALONE__STORE_DIR="+filepath.Join(s.dir, "store"), "PARLEY_STANDALONE__EDGES=1", "PARLEY_TURN__LISTEN=",
		"PARLEY_EDGE__LISTEN="+free[0], "PARLEY_ADMIN__LISTEN="+free[1])
	s.Bases = []string{"ws://" + free[0]}
	if err := s.parley("parley", environ, "dev"); err != nil {
		return err
	}
	return s.ready(ctx, free[1])
}

// startDistributed starts the services as processes over one NATS server or a
// cluster of three with as many copies of everything. With two edges partners are
// on different ones.
func startDistributed(ctx context.Context, s *System, servers, edges int) error {
	urls, err := s.nats(ctx, servers)
	if err != nil {
		return err
	}
	tenant, err := s.tenant()
	if err != nil {
		return err
	}
	free, err := addresses(5)
	if err != nil {
		return err
	}
	rooms, auth, admins := free[0], free[1], free[2:]
	environ := append(append(tenant, limits...), "PARLEY_NATS__URL="+strings.Join(urls, ","),
		"PARLEY_ROOMSVC__LISTEN="+rooms, "PARLEY_AUTHSVC__LISTEN="+auth,
		"PARLEY_ROOMSVC__REPLICAS="+strconv.Itoa(servers), "PARLEY_ROOMSVC__SHARDS="+strconv.Itoa(servers))
	for i, name := range []string{"roomsvc", "authsvc", "candidatefilter"} {
		if err := s.parley(name, own(environ, name, "PARLEY_ADMIN__LISTEN="+admins[i])); err != nil {
			return err
		}
	}
	for i := range edges {
		free, err := addresses(2)
		if err != nil {
			return err
		}
		name := "edge-" + strconv.Itoa(i+1)
		if err := s.run(name, s.program("edge"), own(environ, "edge",
			"PARLEY_EDGE__NAME="+name, "PARLEY_EDGE__LISTEN="+free[0], "PARLEY_ADMIN__LISTEN="+free[1])); err != nil {
			return err
		}
		s.Bases = append(s.Bases, "ws://"+free[0])
		admins = append(admins, free[1])
	}
	return s.ready(ctx, admins...)
}

// own keeps the settings of one service, and adds some: a service refuses what it
// doesn't know.
func own(environ []string, service string, more ...string) []string {
	var kept []string
	for _, one := range environ {
		for _, section := range []string{service, "nats"} {
			if strings.HasPrefix(one, "PARLEY_"+strings.ToUpper(section)+"__") {
				kept = append(kept, one)
			}
		}
	}
	return append(kept, more...)
}

// nats starts the NATS servers and returns their URLs.
func (s *System) nats(ctx context.Context, servers int) ([]string, error) {
	clients, err := addresses(servers)
	if err != nil {
		return nil, err
	}
	routes, err := addresses(servers)
	if err != nil {
		return nil, err
	}
	var urls []string
	for i, address := range clients {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		name := "nats-" + strconv.Itoa(i+1)
		args := []string{"-js", "-sd", filepath.Join(s.dir, name), "-a", host, "-p", port, "-n", name}
		if servers > 1 {
			args = append(args, "--cluster_name", "bench", "--cluster", "nats://"+routes[i], "--routes", "nats://"+strings.Join(routes, ",nats://"))
		}
		if err := s.parley(name, nil, args...); err != nil {
			return nil, err
		}
		urls = append(urls, "nats://"+address)
	}
	for _, address := range clients {
		if err := s.accepting(ctx, address); err != nil {
			return nil, err
		}
	}
	return urls, nil
}

// parley starts a program of the repository.
func (s *System) parley(name string, environ []string, args ...string) error {
	program := s.program(name)
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("%s isn't there: run `make build` first", program)
	}
	return s.run(name, program, environ, args...)
}

// program is the path of a program, by the name that it has in the system.
func (s *System) program(name string) string {
	if strings.HasPrefix(name, "nats-") {
		name = "nats-server"
	}
	return filepath.Join(s.folders.Bin, name)
}

// tenant makes a signing key and an app. The tokens are made here, as those of an
// app's backend are made before anybody joins.
func (s *System) tenant() ([]string, error) {
	var seed, apiKey [32]byte
	rand.Read(seed[:])
	rand.Read(apiKey[:])
	key := ed25519.NewKeyFromSeed(seed[:])
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("signing key: unexpected %T", key.Public())
	}
	kid := token.KeyID(public)
	s.Dialect = dialect.Parley{}
	s.Token = func(room, identity string) (string, error) {
		now := time.Now()
		return token.Sign(key, kid, contract.Claims{
			Issuer: "parley", Subject: identity, Audience: contract.TokenAudience, App: app, Room: room, ID: room + "." + identity,
			NotBefore: now.Add(-time.Minute).Unix(), Expires: now.Add(time.Hour).Unix(),
		})
	}
	apps, err := json.Marshal([]map[string]any{{
		"id": app, "api_keys": map[string]string{"bench": base64.RawURLEncoding.EncodeToString(apiKey[:])},
	}})
	if err != nil {
		return nil, fmt.Errorf("apps: %w", err)
	}
	return []string{
		"PARLEY_AUTHSVC__SIGNING_KEY=" + base64.RawURLEncoding.EncodeToString(seed[:]), "PARLEY_AUTHSVC__APPS=" + string(apps),
	}, nil
}

// ready waits until every admin listener says so.
func (s *System) ready(ctx context.Context, admins ...string) error {
	for _, admin := range admins {
		if err := machine.Poll(ctx, s.programs, func(ctx context.Context) error { return readyz(ctx, admin) }); err != nil {
			return err
		}
	}
	return nil
}

func readyz(ctx context.Context, admin string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // only the status counts
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("readyz answers %s", resp.Status)
	}
	return nil
}
