package netns

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// insideVar tells the test program that it runs in the namespace.
const insideVar = "PARLEY_TEST_NAMESPACE"

// Run runs a test in an empty network namespace of its own. The test's own process
// is started once more for that, with all its programs below it.
func Run(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv(insideVar) != "" {
		test(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), insideVar+"=1")
	Isolate(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("in the namespace: %v (needs root or unprivileged user namespaces)\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in the namespace it didn't run:\n%s", out)
	}
}

// IP runs iproute2, in the namespace.
func IP(t *testing.T, line string) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Fatal("there is no ip: apt-get install iproute2")
	}
	if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", line, err, out)
	}
}

// Replace gives a file of the system another content, for every process of the
// namespace. The file must exist.
func Replace(t *testing.T, path, content string) {
	t.Helper()
	if os.Getenv(insideVar) == "" {
		t.Fatalf("%s isn't replaced outside of a namespace", path)
	}
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := bind(file, path); err != nil {
		t.Fatalf("replace %s: %v", path, err)
	}
	t.Cleanup(func() {
		if err := unbind(path); err != nil {
			t.Errorf("give %s back: %v", path, err)
		}
	})
}
