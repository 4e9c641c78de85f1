package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strconv"
	"strings"
)

// CheckLabels holds the labels of Prometheus vectors to words whose values can be counted on fingers. A label must be
// written as a literal where the vector is made, or nobody can see at a glance what it costs.
func CheckLabels(sources []Source) []string {
	var faults []string
	for _, src := range sources {
		if src.isTest() {
			continue
		}
		for _, call := range src.vectors() {
			labels, ok := call.Args[len(call.Args)-1].(*ast.CompositeLit)
			if !ok {
				faults = append(faults, src.at(call)+": write a vector's labels where it is made, as a []string")
				continue
			}
			for _, element := range labels.Elts {
				if fault := labelFault(element); fault != "" {
					faults = append(faults, src.at(element)+": "+fault)
				}
			}
		}
	}
	return faults
}

// vectors are the calls of NewCounterVec and its likes, of prometheus or promauto.
func (s Source) vectors() []*ast.CallExpr {
	if s.importName("github.com/prometheus/client_golang/prometheus") == "" {
		return nil
	}
	var calls []*ast.CallExpr
	ast.Inspect(s.AST, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok &&
			strings.HasPrefix(sel.Sel.Name, "New") && strings.HasSuffix(sel.Sel.Name, "Vec") {
			calls = append(calls, call)
		}
		return true
	})
	return calls
}

// labelFault says what is wrong with one label, if anything.
func labelFault(element ast.Expr) string {
	literal, ok := element.(*ast.BasicLit)
	if !ok {
		return "write a vector's label as a literal"
	}
	label, err := strconv.Unquote(literal.Value)
	if err != nil {
		return fmt.Sprintf("read the label %s: %v", literal.Value, err)
	}
	if slices.Contains(labelBan, label) || strings.HasSuffix(label, "_id") {
		return fmt.Sprintf("the label %q: each of its values is a series kept in memory for ever, and there is no end of "+
			"them; count it without, or name it in a trace or a log line", label)
	}
	return ""
}
