package arch

import (
	"strings"
	"testing"
)

// fault is one case of a check over files: files and the beginning of the only fault, or no text when there is none.
type fault struct {
	name  string
	files map[string]string
	want  string
}

func TestCheckClock(t *testing.T) {
	pure := []string{"edge/internal/limit"}
	check := func(files []File) []string { return CheckClock(parsed(t, files), pure) }
	checkFaults(t, check, []fault{{
		name:  "a call",
		files: map[string]string{"edge/internal/limit/limit.go": "package limit\nimport \"time\"\nvar _ = time.Now()\n"},
		want:  "edge/internal/limit/limit.go:3: time.Now in a pure package",
	}, {
		name:  "a value under another name",
		files: map[string]string{"edge/internal/limit/limit.go": "package limit\nimport clock \"time\"\nvar since = clock.Since\n"},
		want:  "edge/internal/limit/limit.go:3: time.Since in a pure package",
	}, {
		name:  "a timer",
		files: map[string]string{"edge/internal/limit/limit.go": "package limit\nimport \"time\"\nfunc f() { <-time.After(1) }\n"},
		want:  "edge/internal/limit/limit.go:3: time.After in a pure package",
	}, {
		name:  "a dot import",
		files: map[string]string{"edge/internal/limit/limit.go": "package limit\nimport . \"time\"\nvar _ = Now()\n"},
		want:  "edge/internal/limit/limit.go: a dot import of time",
	}, {
		name: "not durations, other packages or tests",
		files: map[string]string{
			"edge/internal/limit/limit.go":      "package limit\nimport \"time\"\nfunc f(now time.Time) time.Time { return now.Add(time.Second) }\n",
			"edge/internal/limit/limit_test.go": "package limit\nimport \"time\"\nvar _ = time.Now()\n",
			"edge/internal/conn/conn.go":        "package conn\nimport \"time\"\nvar _ = time.Now()\n",
		},
	}})
}

func TestCheckSleeps(t *testing.T) {
	const head = "package x\nimport (\n\"testing\"\n\"testing/synctest\"\n\"time\"\n)\n"
	check := func(files []File) []string { return CheckSleeps(parsed(t, files)) }
	checkFaults(t, check, []fault{{
		name:  "in a test",
		files: map[string]string{"edge/x_test.go": head + "func TestX(t *testing.T) { time.Sleep(1) }\n"},
		want:  "edge/x_test.go:7: time.Sleep outside of synctest.Test",
	}, {
		name:  "in what serves tests",
		files: map[string]string{"tests/stack/x.go": "package x\nimport \"time\"\nfunc f() { time.Sleep(1) }\n"},
		want:  "tests/stack/x.go:3: time.Sleep outside of synctest.Test",
	}, {
		name:  "beside a bubble",
		files: map[string]string{"edge/x_test.go": head + "func TestX(t *testing.T) {\nsynctest.Test(t, func(t *testing.T) {})\ntime.Sleep(1) }\n"},
		want:  "edge/x_test.go:9: time.Sleep outside of synctest.Test",
	}, {
		name:  "in a loop that only counts",
		files: map[string]string{"edge/x_test.go": head + "func TestX(t *testing.T) { for i := 0; i < 3; i++ { time.Sleep(1) } }\n"},
		want:  "edge/x_test.go:7: time.Sleep outside of synctest.Test and of a loop that asks",
	}, {
		name:  "in a loop over a range",
		files: map[string]string{"edge/x_test.go": head + "func TestX(t *testing.T) { for range 3 { time.Sleep(1) } }\n"},
		want:  "edge/x_test.go:7: time.Sleep outside of synctest.Test and of a loop that asks",
	}, {
		name: "not in a bubble, in a loop that asks or in a service",
		files: map[string]string{
			"edge/ask_test.go": head + "func TestX(t *testing.T) { for !ready() { time.Sleep(1) }\nfor ; !ready(); time.Sleep(1) {} }\n",
			"edge/x_test.go":   head + "func TestX(t *testing.T) { synctest.Test(t, func(t *testing.T) { time.Sleep(1) }) }\n",
			"edge/y_test.go": "package x\nimport (\n\"time\"\n\"pgregory.net/rapid\"\n)\n" +
				"func f(t *rapid.T) { rapid.SyncTest(t, func(t *rapid.T) { time.Sleep(1) }) }\n",
			"edge/x.go": "package x\nimport \"time\"\nfunc f() { time.Sleep(1) }\n",
		},
	}})
}

func TestCheckLabels(t *testing.T) {
	const head = "package x\nimport \"github.com/prometheus/client_golang/prometheus\"\n"
	check := func(files []File) []string { return CheckLabels(parsed(t, files)) }
	checkFaults(t, check, []fault{{
		name:  "an id",
		files: map[string]string{"edge/metrics.go": head + "var v = prometheus.NewCounterVec(prometheus.CounterOpts{}, []string{\"code\", \"room\"})\n"},
		want:  `edge/metrics.go:3: the label "room": each of its values`,
	}, {
		name:  "an id by its ending",
		files: map[string]string{"edge/metrics.go": head + "var v = prometheus.NewGaugeVec(prometheus.GaugeOpts{}, []string{\"request_id\"})\n"},
		want:  `edge/metrics.go:3: the label "request_id"`,
	}, {
		name:  "a label that isn't written out",
		files: map[string]string{"edge/metrics.go": head + "var v = prometheus.NewGaugeVec(prometheus.GaugeOpts{}, []string{name})\n"},
		want:  "edge/metrics.go:3: write a vector's label as a literal",
	}, {
		name:  "labels from elsewhere",
		files: map[string]string{"edge/metrics.go": head + "var v = prometheus.NewGaugeVec(prometheus.GaugeOpts{}, names)\n"},
		want:  "edge/metrics.go:3: write a vector's labels where it is made",
	}, {
		name:  "not a closed set",
		files: map[string]string{"edge/metrics.go": head + "var v = prometheus.NewGaugeVec(prometheus.GaugeOpts{}, []string{\"reason\", \"code\"})\n"},
	}})
}

func TestCheckPackageDocs(t *testing.T) {
	check := func(files []File) []string { return CheckPackageDocs(parsed(t, files)) }
	checkFaults(t, check, []fault{{
		name:  "no comment",
		files: map[string]string{"edge/doc.go": "package edge\n", "edge/edge.go": "package edge\n"},
		want:  "edge has no package comment in a doc.go",
	}, {
		name:  "a comment in another file",
		files: map[string]string{"edge/edge.go": "// Package edge is the door.\npackage edge\n"},
		want:  "edge has no package comment in a doc.go",
	}, {
		name:  "a program without a comment",
		files: map[string]string{"edge/cmd/edge/main.go": "package main\n"},
		want:  "edge/cmd/edge has no package comment",
	}, {
		name: "not a comment in doc.go or a program's",
		files: map[string]string{
			"edge/doc.go":           "// Package edge is the door.\npackage edge\n",
			"edge/edge.go":          "package edge\n",
			"edge/cmd/edge/main.go": "// Edge runs the door.\npackage main\n",
			"edge/testdata/x.go":    "package x\n",
		},
	}})
}

func TestCheckNames(t *testing.T) {
	check := func(files []File) []string { return CheckNames(parsed(t, files)) }
	checkFaults(t, check, []fault{{
		name:  "a vague package",
		files: map[string]string{"edge/internal/sdp/x.go": "package util\n"},
		want:  `edge/internal/sdp: "util" is no name for a package`,
	}, {
		name:  "a vague package of tests",
		files: map[string]string{"edge/internal/sdp/x_test.go": "package helpers_test\n"},
		want:  `edge/internal/sdp: "helpers" is no name for a package`,
	}, {
		name:  "a vague folder",
		files: map[string]string{"edge/common/sdp/x.go": "package sdp\n"},
		want:  `edge/common/sdp: "common" is no name for a package`,
	}, {
		name:  "not a noun",
		files: map[string]string{"edge/internal/frame/types.go": "package frame\n"},
	}})
}

// checkFaults runs a check over the files of each case.
func checkFaults(t *testing.T, check func([]File) []string, cases []fault) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var files []File
			for path, text := range c.files {
				files = append(files, File{Path: path, Text: text})
			}
			got := check(files)
			if c.want == "" {
				wantNone(t, got)
				return
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
				t.Errorf("got faults %q, want one that begins with %q", got, c.want)
			}
		})
	}
}

func parsed(t *testing.T, files []File) []Source {
	t.Helper()
	sources, err := ParseSources(files)
	if err != nil {
		t.Fatal(err)
	}
	return sources
}
