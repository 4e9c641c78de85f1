package arch

import "testing"

func TestCheckProofs(t *testing.T) {
	const code = "package edge\n\nfunc TestEdge_lives(t *testing.T) {}\n"
	checkFaults(t, CheckProofs, []fault{{
		name:  "a test that was renamed",
		files: map[string]string{"edge/edge_test.go": code, "docs/x.md": "| it lives | `TestEdge_died` |\n"},
		want:  "docs/x.md: TestEdge_died isn't there",
	}, {
		name:  "a test that is none",
		files: map[string]string{"edge/edge.go": code, "docs/x.md": "`TestEdge_lives`\n"},
		want:  "docs/x.md: TestEdge_lives isn't there",
	}, {
		name: "not tests that are there, nor other pages",
		files: map[string]string{
			"edge/edge_test.go": code, "docs/x.md": "`TestEdge_lives` and Testing\n", "README.md": "`TestEdge_died`\n",
		},
	}})
}
