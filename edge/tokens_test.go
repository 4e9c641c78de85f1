package edge

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

func TestTokenDesk(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	bad := contract.Errorf(contract.CodeBadToken, "bad")
	d := newTokenDesk(func(raw string, _ time.Time) (contract.Claims, error) {
		if raw == "" {
			return contract.Claims{}, bad
		}
		return contract.Claims{Subject: raw}, nil
	})
	var working sync.WaitGroup
	for range clerks() {
		working.Go(func() { d.work(ctx) })
	}
	var asking sync.WaitGroup
	for _, raw := range []string{"ada", "bob", "cy", "dan"} {
		asking.Go(func() {
			if claims, err := d.ask(ctx, raw); err != nil || claims.Subject != raw {
				t.Errorf("%s: got %+v, %v", raw, claims, err)
			}
		})
	}
	asking.Wait()
	if _, err := d.ask(ctx, ""); !errors.Is(err, bad) {
		t.Errorf("a bad token: got %v, want %v", err, bad)
	}
	stop()
	working.Wait()
	if _, err := d.ask(ctx, "eve"); !errors.Is(err, contract.CodeUnavailable) {
		t.Errorf("when nobody works any more: got %v, want %s", err, contract.CodeUnavailable)
	}
}
