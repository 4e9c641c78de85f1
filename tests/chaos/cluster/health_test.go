//go:build linux

package cluster

import "testing"

func TestSum(t *testing.T) {
	const text = "# HELP a_total What it is.\n# TYPE a_total counter\na_total{kind=\"x y\"} 3\na_total{kind=\"z\"} 4.5\n" +
		"a_total_more 100\nb_total 7\n"
	for name, want := range map[string]float64{"a_total": 7.5, "b_total": 7, "c_total": 0} {
		if got, err := sum([]byte(text), name); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
	if _, err := sum([]byte("a_total x\n"), "a_total"); err == nil {
		t.Error("a value that is no number was added")
	}
}
