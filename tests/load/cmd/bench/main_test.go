//go:build linux

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/tests/load/bench"
	"github.com/parley-rtc/parley/tests/load/target"
)

func TestParse(t *testing.T) {
	plan, o, err := parse([]string{"--only", "ws, distributed", "--rates", "100,200", "--rounds=2"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plan.Targets, []target.Name{target.WS, target.Distributed}; !slices.Equal(got, want) {
		t.Errorf("got targets %v, want %v", got, want)
	}
	if got, want := plan.Rates, []int{100, 200}; !slices.Equal(got, want) || plan.Rounds != 2 {
		t.Errorf("got rates %v in %d rounds, want %v in 2", got, plan.Rounds, want)
	}
	if !strings.HasSuffix(o.out, ".json") {
		t.Errorf("got results in %q, want a file", o.out)
	}
}

func TestParse_quick(t *testing.T) {
	plan, o, err := parse([]string{"--length", "1s", "--quick"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if plan.Length.Seconds() != 1 || plan.Rounds != bench.Quick().Rounds || o.out != "" {
		t.Errorf("got %+v, results in %q, want the quick plan with windows of 1 s and no file", plan, o.out)
	}
}

func TestParse_refuses(t *testing.T) {
	for _, args := range [][]string{{"--only", "nginx"}, {"--rates", "many"}, {"more"}, {"--connections", "3"}, {"--rounds", "0"}} {
		if _, _, err := parse(args, t.Output()); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}
