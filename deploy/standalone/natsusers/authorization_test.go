package natsusers_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/parley-rtc/parley/deploy/standalone/natsusers"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

const password = config.Secret("a-password-for-tests-0123456789")

func users(names ...string) []natsusers.User {
	var all []natsusers.User
	for _, name := range names {
		all = append(all, natsusers.User{Name: name, Password: password})
	}
	return all
}

// parse reads a configuration as nats-server does.
func parse(t *testing.T, text string) map[string]*server.User {
	t.Helper()
	file := filepath.Join(t.TempDir(), "auth.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatalf("nats-server refuses it: %v\n%s", err, text)
	}
	byName := map[string]*server.User{}
	for _, user := range options.Users {
		byName[user.Username] = user
	}
	return byName
}

func TestAuthorization(t *testing.T) {
	text, err := natsusers.Authorization(users(append(natsusers.Names(), contract.EdgeUser("edge-a"))...), 3)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, password.Reveal()) {
		t.Error("a password stands in it")
	}
	all := parse(t, text)
	if len(all) != 6 {
		t.Fatalf("it has %d users, want 6", len(all))
	}
	if all[natsusers.Operator].Permissions != nil {
		t.Error("the operator has limits")
	}
	for name, user := range all {
		if name == natsusers.Operator {
			continue
		}
		if user.Permissions == nil || user.Permissions.Publish == nil || user.Permissions.Subscribe == nil {
			t.Errorf("%s may do everything", name)
			continue
		}
		if !slices.Contains(user.Permissions.Subscribe.Allow, contract.InboxPrefix(name)+".>") {
			t.Errorf("%s may not hear answers", name)
		}
	}
	if got := all["edge.edge-a"].Permissions.Publish.Allow; !slices.Contains(got, "filter.edge-a.*.*") || slices.Contains(got, "filter.*.*.*") {
		t.Errorf("the edges named edge-a may publish %q", got)
	}
	if got := all["candidatefilter"].Permissions; !slices.Contains(got.Publish.Allow, "$KV.signals-2.*.*") ||
		!slices.Contains(got.Subscribe.Allow, "filter.*.*.* candidatefilter") {
		t.Errorf("candidatefilter may %q and %q", got.Publish.Allow, got.Subscribe.Allow)
	}
}

func TestAuthorization_refuses(t *testing.T) {
	for name, one := range map[string]struct {
		users  []natsusers.User
		shards int
		text   string
	}{
		"a user that there isn't":     {users("egde"), 1, `"egde"`},
		"an edge with a bad name":     {users("edge.a.b"), 1, `"edge.a.b"`},
		"an edge without a name":      {users("edge."), 1, `"edge."`},
		"an edge named as a wildcard": {users("edge.*"), 1, `"edge.*"`},
		"a user that is there twice":  {users("edge", "edge"), 1, "twice"},
		"no shard":                    {users("edge"), 0, "shards"},
		"a short password":            {[]natsusers.User{{Name: "edge", Password: "secret"}}, 1, "20"},
		"a password beyond bcrypt":    {[]natsusers.User{{Name: "edge", Password: config.Secret(strings.Repeat("a", 73))}}, 1, "72"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := natsusers.Authorization(one.users, one.shards)
			if err == nil || !strings.Contains(err.Error(), one.text) {
				t.Fatalf("got %q and %v, want an error with %q", got, err, one.text)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}
