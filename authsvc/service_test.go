package authsvc

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/natstest"
	"github.com/parley-rtc/parley/services/token"
)

func TestRun_issue(t *testing.T) {
	nc, b := setup(t)
	cfg := testConfig()
	cfg.Apps[0].ICE = contract.PolicyPublic
	svc := start(t, nc, cfg)
	verifier := edge(t, b.keys)
	ask := contract.TokenRequest{
		Room: "hello", Identity: "ada", TTL: 60, MaxStay: 90, Grants: []string{"kick"}, ICE: contract.PolicyRelay,
	}
	byHTTP := func() contract.TokenReply {
		return svc.token(demoKey, `{"room":"hello","identity":"ada","ttl":60,"maxStay":90,"grants":["kick"],"ice":"relay"}`)
	}
	byNATS := func() contract.TokenReply {
		ask.APIKey, ask.App = demoKey, "demo"
		return overNATS(t, nc, ask, nil)
	}
	ids := map[string]bool{}
	for name, issue := range map[string]func() contract.TokenReply{"http": byHTTP, "nats": byNATS} {
		before := time.Now().Unix()
		reply := issue()
		after := time.Now().Unix()
		got, err := verifier.Verify(reply.Token, time.Now())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if issued := got.NotBefore + 300; issued < before || issued > after || got.Expires != issued+60 || reply.Expires != got.Expires {
			t.Errorf("%s: valid from %d to %d (told: %d), want from 5 min before to 60 s after %d", name, got.NotBefore, got.Expires, reply.Expires, before)
		}
		ids[got.ID] = true
		want := contract.Claims{
			Issuer: "parley", Subject: "ada", Audience: contract.TokenAudience, NotBefore: got.NotBefore, Expires: got.Expires,
			ID: got.ID, App: "demo", Room: "hello", Grants: []string{"kick"}, MaxStay: 90, ICE: contract.PolicyRelay,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: claims %+v, want %+v", name, got, want)
		}
	}
	if len(ids) != 2 {
		t.Errorf("jti %v, want two", ids)
	}
	t.Run("the default ttl and the app's policy", func(t *testing.T) {
		got, err := verifier.Verify(svc.token(demoKey, hello).Token, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if ttl := got.Expires - got.NotBefore - 300; ttl != 3600 || got.ICE != contract.PolicyPublic {
			t.Errorf("ttl %d s and policy %q, want 3600 and public", ttl, got.ICE)
		}
	})
}

func TestRun_waitsForBuckets(t *testing.T) {
	nc := natstest.Connect(t, natstest.Start(t))
	svc := launch(t, nc, testConfig())
	await(t, "the listener", func() bool { return svc.check(checkListener) == "ok" })
	status, header, answer := svc.post(demoKey, hello)
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") != "1" {
		t.Errorf("before the buckets: %d, Retry-After %q, %s, want 503 and 1", status, header.Get("Retry-After"), answer)
	}
	for _, check := range []string{checkKeys, checkApps} {
		if got, want := svc.check(check), lifecycle.ErrStarting.Error(); got != want {
			t.Errorf("check %s = %q, want %q", check, got, want)
		}
	}
	makeBuckets(t, nc)
	await(t, "ready", svc.ready)
	svc.token(demoKey, hello)
}

func TestRun_endsBeforeBuckets(t *testing.T) {
	nc := natstest.Connect(t, natstest.Start(t))
	svc := launch(t, nc, testConfig())
	await(t, "the listener", func() bool { return svc.check(checkListener) == "ok" })
	if err := svc.stop(); err != nil {
		t.Errorf("Run = %v, want no error", err)
	}
}

func TestRun_badConfiguration(t *testing.T) {
	nc := natstest.Connect(t, natstest.Start(t))
	cfg := testConfig()
	cfg.SigningKey, cfg.Burst = "", 0
	err := Run(t.Context(), cfg, nc)
	if err == nil || !strings.Contains(err.Error(), "signing_key: missing") || !strings.Contains(err.Error(), "burst: ") {
		t.Errorf("Run = %v, want both faults", err)
	}
	cfg = testConfig()
	cfg.Listen = "256.0.0.1:1"
	if err := Run(t.Context(), cfg, nc); err == nil || !strings.Contains(err.Error(), "authsvc.listen") {
		t.Errorf("Run = %v, want an error that names authsvc.listen", err)
	}
}

func TestRun_twoWithOneKey(t *testing.T) {
	s := natstest.Start(t)
	first := natstest.Connect(t, s)
	b := makeBuckets(t, first)
	one, two := launch(t, first, testConfig()), launch(t, natstest.Connect(t, s), testConfig())
	await(t, "both ready", func() bool { return one.ready() && two.ready() })
	if keys, apps := stored(t, b.keys), stored(t, b.apps); keys != 1 || apps != 1 {
		t.Errorf("%d keys and %d apps were written, want 1 and 1", keys, apps)
	}
	verifier := edge(t, b.keys)
	for _, svc := range []*running{one, two} {
		if _, err := verifier.Verify(svc.token(demoKey, hello).Token, time.Now()); err != nil {
			t.Error(err)
		}
	}
	if err := one.stop(); err != nil {
		t.Fatal(err)
	}
	reply := overNATS(t, first, contract.TokenRequest{APIKey: demoKey, Room: "hello", Identity: "ada"}, nil)
	if _, err := verifier.Verify(reply.Token, time.Now()); err != nil {
		t.Errorf("with one left: %v", err)
	}
}

func TestRun_rotation(t *testing.T) {
	nc, b := setup(t)
	verifier := edge(t, b.keys)
	verify := func(raw string) contract.Code {
		_, err := verifier.Verify(raw, time.Now())
		return codeOf(err)
	}
	run := func(change func(*Config)) (raw, kid string) {
		t.Helper()
		cfg := testConfig()
		change(&cfg)
		svc := start(t, nc, cfg)
		await(t, "the edge knows the key", func() bool { return verifier.Knows(svc.kid) })
		raw = svc.token(demoKey, hello).Token
		if err := svc.stop(); err != nil {
			t.Fatal(err)
		}
		return raw, svc.kid
	}
	old, oldKid := run(func(*Config) {})
	next, _ := run(func(c *Config) { c.SigningKey, c.ExtraKeys = seedTwo, map[string]config.Secret{"previous": seedOne} })
	if got := [2]contract.Code{verify(old), verify(next)}; got != [2]contract.Code{} {
		t.Errorf("with the old key as an extra one: %q, want both to verify", got)
	}
	last, _ := run(func(c *Config) { c.SigningKey, c.RetiredKeys = seedTwo, []string{oldKid} })
	await(t, "the edge forgets the retired key", func() bool { return !verifier.Knows(oldKid) })
	if got, want := [3]contract.Code{verify(old), verify(next), verify(last)}, [3]contract.Code{contract.CodeBadToken}; got != want {
		t.Errorf("with the old key retired: %q, want %q", got, want)
	}
	t.Run("as an extra key it stays retired", func(t *testing.T) {
		run(func(c *Config) { c.SigningKey, c.ExtraKeys = seedTwo, map[string]config.Secret{"previous": seedOne} })
		if verify(old) != contract.CodeBadToken || verify(next) != "" {
			t.Error("a retired key came back")
		}
	})
	t.Run("as the signing key it ends the process", func(t *testing.T) {
		cfg := testConfig()
		cfg.Listen = "127.0.0.1:0"
		if err := Run(testContext(t), cfg, nc); !errors.Is(err, errRetired) {
			t.Errorf("Run = %v, want %v", err, errRetired)
		}
	})
}

func TestRun_signingKeyRetiredElsewhere(t *testing.T) {
	nc, b := setup(t)
	cfg := testConfig()
	cfg.Refresh = 10 * time.Millisecond
	svc := start(t, nc, cfg)
	svc.token(demoKey, hello)
	put(t, b.keys, svc.kid, contract.KeyRecord{KeyID: svc.kid, Algorithm: token.Algorithm, Retired: true})
	await(t, "no more tokens", func() bool {
		status, _, _ := svc.post(demoKey, hello)
		return status == http.StatusServiceUnavailable
	})
	await(t, "not ready", func() bool { return strings.Contains(svc.check(checkKeys), "retired") })
}

func TestRun_refresh(t *testing.T) {
	nc, b := setup(t)
	cfg := testConfig()
	cfg.Refresh = 10 * time.Millisecond
	svc := start(t, nc, cfg)
	demo := contract.ID("demo").Token()
	t.Run("what was deleted comes back", func(t *testing.T) {
		for _, err := range []error{b.keys.Delete(testContext(t), svc.kid), b.apps.Delete(testContext(t), demo.String())} {
			if err != nil {
				t.Fatal(err)
			}
		}
		await(t, "both records", func() bool { return stored(t, b.keys) == 3 && stored(t, b.apps) == 3 })
		await(t, "tokens again", func() bool {
			status, _, _ := svc.post(demoKey, hello)
			return status == http.StatusCreated
		})
	})
	t.Run("what another one wrote stays", func(t *testing.T) {
		put(t, b.apps, demo.String(), contract.AppRecord{App: demo})
		await(t, "the other's record", func() bool {
			status, _, _ := svc.post(demoKey, hello)
			return status == http.StatusUnauthorized
		})
		// The key deleted now comes back by a later look than the app's was.
		if err := b.keys.Delete(testContext(t), svc.kid); err != nil {
			t.Fatal(err)
		}
		await(t, "the next look", func() bool { return stored(t, b.keys) == 5 })
		if got := stored(t, b.apps); got != 4 {
			t.Errorf("%d apps were written, want 4", got)
		}
	})
}

func TestRun_configurationWinsAtStart(t *testing.T) {
	nc, b := setup(t)
	demo := contract.ID("demo").Token()
	put(t, b.apps, demo.String(), contract.AppRecord{App: demo})
	svc := start(t, nc, testConfig())
	svc.token(demoKey, hello)
	if got := stored(t, b.apps); got != 2 {
		t.Errorf("%d apps were written, want 2", got)
	}
}

func TestRun_apps(t *testing.T) {
	nc, b := setup(t)
	cfg := testConfig()
	cfg.Apps = append(cfg.Apps, app("other", "other-key-0123456789"), app("a.b", "third-key-0123456789"))
	svc := start(t, nc, cfg)
	verifier := edge(t, b.keys)
	for key, want := range map[string]string{demoKey: "demo", "other-key-0123456789": "other", "third-key-0123456789": "a.b"} {
		claims, err := verifier.Verify(svc.token(key, hello).Token, time.Now())
		if err != nil || claims.App != want {
			t.Errorf("app %q, %v, want %q", claims.App, err, want)
		}
	}
	refused := func(key string) func() bool {
		return func() bool {
			status, _, _ := svc.post(key, hello)
			return status == http.StatusUnauthorized
		}
	}
	demo, other, third := contract.ID("demo").Token(), contract.ID("other").Token(), contract.ID("a.b").Token()
	t.Run("a revoked key is refused", func(t *testing.T) {
		put(t, b.apps, demo.String(), contract.AppRecord{App: demo})
		await(t, "refusal", refused(demoKey))
	})
	t.Run("so is the key of a record that can't be read", func(t *testing.T) {
		put(t, b.apps, other.String(), "?")
		await(t, "refusal", refused("other-key-0123456789"))
	})
	t.Run("and of one under another id", func(t *testing.T) {
		put(t, b.apps, third.String(), cfg.records()[0])
		await(t, "refusal", refused("third-key-0123456789"))
		if !refused(demoKey)() {
			t.Error("the record under another id counts")
		}
	})
	t.Run("a key that another process publishes is accepted", func(t *testing.T) {
		more := testConfig()
		more.Apps = []App{app("more", "more-key-0123456789")}
		put(t, b.apps, "more", more.records()[0])
		await(t, "acceptance", func() bool {
			status, _, _ := svc.post("more-key-0123456789", hello)
			return status == http.StatusCreated
		})
	})
}

// TestRun_outage: what has been published needs no NATS to be used.
func TestRun_outage(t *testing.T) {
	s := natstest.Start(t)
	nc := natstest.Connect(t, s)
	b := makeBuckets(t, nc)
	cfg := testConfig()
	cfg.Refresh = 10 * time.Millisecond
	svc := start(t, nc, cfg)
	verifier := edge(t, b.keys)
	s.Shutdown()
	await(t, "the outage is noticed", func() bool { return !nc.IsConnected() })
	raw := svc.token(demoKey, hello).Token
	if _, err := verifier.Verify(raw, time.Now()); err != nil {
		t.Errorf("during the outage: %v", err)
	}
	natstest.Restart(t, s)
	reply := overNATS(t, nc, contract.TokenRequest{APIKey: demoKey, Room: "hello", Identity: "ada"}, nil)
	if _, err := verifier.Verify(reply.Token, time.Now()); err != nil {
		t.Errorf("after it: %v", err)
	}
	demo := contract.ID("demo").Token()
	put(t, b.apps, demo.String(), contract.AppRecord{App: demo})
	await(t, "the watch goes on", func() bool {
		status, _, _ := svc.post(demoKey, hello)
		return status == http.StatusUnauthorized
	})
}
