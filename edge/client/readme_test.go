package client

import (
	"os"
	"strings"
	"testing"
)

// The example of the README is the one that is compiled.
func TestReadme_ShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(source), "func Example() {\n")
	example, _, ok := strings.Cut(after, "\n}\n")
	example = strings.ReplaceAll("\n"+example, "\n\t", "\n")
	if !ok || !strings.Contains(string(readme), "```go"+example+"\n```") {
		t.Error("README.md and example_test.go differ: copy the body of Example into the README")
	}
}
