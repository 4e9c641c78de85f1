package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// clockNames are the functions of package time that read or await the machine's clock.
var clockNames = []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"}

// CheckClock finds the clock in the code of pure packages, by call or by value. Their tests may use it.
func CheckClock(sources []Source, pure []string) []string {
	var faults []string
	for _, src := range sources {
		if src.isTest() || !slices.Contains(pure, src.folder()) {
			continue
		}
		if src.importName("time") == "." {
			faults = append(faults, fmt.Sprintf("%s: a dot import of time hides who reads the clock", src.Path))
		}
		for _, sel := range src.mentions("time", func(name string) bool { return slices.Contains(clockNames, name) }) {
			faults = append(faults, fmt.Sprintf("%s: time.%s in a pure package: take the time as an argument, so that a "+
				"test can say what it is", src.at(sel), sel.Sel.Name))
		}
	}
	return faults
}

// CheckSleeps finds time.Sleep in tests and in what serves tests, where it hopes that something has happened meanwhile.
// Two places are good for it: inside synctest.Test, or rapid's SyncTest, it moves a made-up clock, and in a loop whose
// condition asks again.
func CheckSleeps(sources []Source) []string {
	var faults []string
	for _, src := range sources {
		if !src.isTest() && !strings.HasPrefix(src.Path, "tests/") && !strings.HasPrefix(src.Path, "services/natstest/") {
			continue
		}
		good := src.goodForSleep()
		for _, sel := range src.mentions("time", func(name string) bool { return name == "Sleep" }) {
			inside := func(place ast.Node) bool { return place.Pos() < sel.Pos() && sel.End() < place.End() }
			if !slices.ContainsFunc(good, inside) {
				faults = append(faults, fmt.Sprintf("%s: time.Sleep outside of synctest.Test and of a loop that asks: wait for "+
					"the event itself; a sleep is too long on a fast machine and too short on a slow one", src.at(sel)))
			}
		}
	}
	return faults
}

// goodForSleep are the file's calls of synctest.Test or rapid.SyncTest and its loops whose condition calls something. A
// loop that only counts is a longer sleep.
func (s Source) goodForSleep() []ast.Node {
	bubble, checked := s.importName("testing/synctest"), s.importName("pgregory.net/rapid")
	var places []ast.Node
	ast.Inspect(s.AST, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.CallExpr:
			sel, ok := node.Fun.(*ast.SelectorExpr)
			if ok && (isSelector(sel, bubble, func(name string) bool { return name == "Test" }) ||
				isSelector(sel, checked, func(name string) bool { return name == "SyncTest" })) {
				places = append(places, node)
			}
		case *ast.ForStmt:
			if node.Cond != nil && callsSomething(node.Cond) {
				places = append(places, node)
			}
		}
		return true
	})
	return places
}

func callsSomething(expr ast.Expr) bool {
	found := false
	ast.Inspect(expr, func(node ast.Node) bool {
		_, call := node.(*ast.CallExpr)
		found = found || call
		return !found
	})
	return found
}
