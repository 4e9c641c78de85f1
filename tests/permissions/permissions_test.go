package permissions

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/parley-rtc/parley/deploy/standalone/natsusers"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// patience is far more than the scenario takes.
	patience = 30 * time.Second
	// shortDrain is for edges that have nothing to look for while they drain.
	shortDrain = 100 * time.Millisecond
)

// TestStack_worksUnderItsUsers plays the scenario with the users as they are
// generated: nothing is refused.
func TestStack_worksUnderItsUsers(t *testing.T) {
	for name, users := range map[string]func(string) string{"edges share a user": shared, "each edge has a user": named} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, users, nil)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			w.onRefusal(func(r refusal) {
				t.Errorf("%s was refused: %s to %s", r.user, r.verb, r.subject)
				cancel()
			})
			if err := newScenario(t, w, shortDrain).run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPermissions_areAllMissed takes every permission of every user away, one
// after the other: each time somebody who needs it in the scenario is refused.
func TestPermissions_areAllMissed(t *testing.T) {
	for _, user := range []string{contract.UserEdge, contract.UserFilter, contract.UserRooms, contract.UserAuth} {
		all, _, err := natsusers.Permissions(user, shards)
		if err != nil {
			t.Fatal(err)
		}
		for verb, list := range map[string][]contract.Permission{publish: all.Publish, subscribe: all.Subscribe} {
			for _, one := range list {
				t.Run(user+"/"+verb+"/"+one.Subject, func(t *testing.T) {
					t.Parallel()
					isMissed(t, user, verb, one)
				})
			}
		}
	}
}

// isMissed plays the scenario without a permission until its user is refused.
func isMissed(t *testing.T, user, verb string, one contract.Permission) {
	w := newWorld(t, shared, func(all []*server.User) { takeAway(t, all, user, verb, one) })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	missed := make(chan struct{})
	var once sync.Once
	w.onRefusal(func(r refusal) {
		if r.user != user || r.verb != verb || !covers(one.Subject, r.subject) {
			t.Errorf("%s was refused: %s to %s", r.user, r.verb, r.subject)
		}
		once.Do(func() {
			close(missed)
			cancel()
		})
	})
	drain := shortDrain
	if user == contract.UserEdge && strings.Contains(one.Subject, contract.StreamOf(contract.BucketEdges)) {
		drain = patience // an edge that drains reads the leases
	}
	err := newScenario(t, w, drain).run(ctx)
	select {
	case <-missed:
	default:
		t.Errorf("nobody missed it (%s); the scenario ended with: %v", one.For, err)
	}
}

func takeAway(t *testing.T, all []*server.User, user, verb string, one contract.Permission) {
	t.Helper()
	subject := one.Subject
	if one.Queue != "" {
		subject += " " + one.Queue
	}
	for _, u := range all {
		if u.Username != user {
			continue
		}
		list := &u.Permissions.Publish.Allow
		if verb == subscribe {
			list = &u.Permissions.Subscribe.Allow
		}
		before := len(*list)
		*list = slices.DeleteFunc(*list, func(s string) bool { return s == subject })
		if len(*list) != before-1 {
			t.Fatalf("%d of %q in the generated configuration", before-len(*list), subject)
		}
	}
}
