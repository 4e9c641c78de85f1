package cli

import (
	"bufio"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Only a crash shows the settings that a program was linked with: the runtime
// dumps its scheduler if a trace of it is wanted.
func TestPrograms_KeepTheMonitorThreadAwake(t *testing.T) {
	for _, name := range []string{"edge", "roomsvc", "candidatefilter"} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(binary(t)), name), "--admin.listen=", "--nats.url=nats://127.0.0.1:1")
			cmd.Env = cleanEnviron()
			stderr, err := cmd.StderrPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			text := bufio.NewReader(stderr)
			if _, err := text.ReadString('\n'); err != nil { // it runs
				t.Error(err)
			}
			if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
				t.Error(err)
			}
			dump, err := io.ReadAll(text)
			if err != nil {
				t.Error(err)
			}
			_ = cmd.Wait() // the status of a crash
			if !strings.Contains(string(dump), "SCHED ") {
				t.Errorf("the dump of %s doesn't show the scheduler, so schedtrace isn't linked in: %.300s", name, dump)
			}
		})
	}
}
