package lifecycle

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if runAsService() {
		return
	}
	goleak.VerifyTestMain(m)
}

var errBroken = errors.New("broken")

// untilStopped is a part that does nothing until it is told to stop.
func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestGroup_TheFirstThatEndsStopsAll(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"by an error":       {errBroken, "part two: broken"},
		"without one":       {nil, ""},
		"by its own cancel": {context.Canceled, "part two: context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewGroup(t.Context())
			g.Go("part one", untilStopped)
			g.Go("part two", func(context.Context) error { return tc.err })
			g.Go("part three", func(ctx context.Context) error {
				<-ctx.Done()
				return errors.New("what comes later doesn't count")
			})
			err := g.Wait()
			if got := text(err); got != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestGroup_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := NewGroup(ctx)
	g.Go("one", untilStopped)
	g.Go("two", func(ctx context.Context) error { <-ctx.Done(); return nil })
	cancel()
	if err := g.Wait(); err != nil {
		t.Errorf("got %v, want a good end", err)
	}
}

func TestGroup_APartMayStartOthers(t *testing.T) {
	g := NewGroup(t.Context())
	g.Go("parent", func(ctx context.Context) error {
		g.Go("child", func(context.Context) error { return errBroken })
		return untilStopped(ctx)
	})
	if err := g.Wait(); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want the child's error", err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestGroup_TellsTheOthersWhyItEnds(t *testing.T) {
	g := NewGroup(t.Context())
	var cause error
	g.Go("one", func(ctx context.Context) error {
		<-ctx.Done()
		cause = context.Cause(ctx)
		return nil
	})
	g.Go("two", func(context.Context) error { return errBroken })
	if err := g.Wait(); !errors.Is(cause, errBroken) || !errors.Is(err, errBroken) {
		t.Errorf("the other part found %v and Wait returned %v, want %v", cause, err, errBroken)
	}
}
