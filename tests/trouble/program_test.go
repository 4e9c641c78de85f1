package trouble

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/stack"
)

// patience is far more than anything here takes.
const patience = time.Minute

// services are the programs that need NATS, each with what it can't start without.
var services = map[string][]string{
	"edge":            nil,
	"roomsvc":         nil,
	"candidatefilter": nil,
	"authsvc":         {"PARLEY_AUTHSVC__SIGNING_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
}

// places gives a program addresses of its own.
func places(t *testing.T, name string) (admin string, environ []string) {
	t.Helper()
	admin = stack.FreeAddress(t)
	environ = append([]string{"PARLEY_ADMIN__LISTEN=" + admin}, services[name]...)
	for _, one := range []string{"edge", "roomsvc", "authsvc"} {
		if one == name {
			environ = append(environ, "PARLEY_"+strings.ToUpper(one)+"__LISTEN="+stack.FreeAddress(t))
		}
	}
	return admin, environ
}

// bin is the folder of the programs.
func bin(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a program to its end.
func run(t *testing.T, name string, environ []string, args ...string) (code int, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin(t), name), args...)
	for _, one := range os.Environ() {
		if !strings.HasPrefix(one, "PARLEY_") && !strings.HasPrefix(one, "OTEL_") {
			cmd.Env = append(cmd.Env, one)
		}
	}
	cmd.Env = append(cmd.Env, environ...)
	var text bytes.Buffer
	cmd.Stderr = &text
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s (is it built? make build): %v", name, err)
	}
	if ctx.Err() != nil {
		t.Errorf("%s ran on instead of ending", name)
	}
	return cmd.ProcessState.ExitCode(), text.String()
}

// get reads a page of an admin listener; 0 is no answer.
func get(t *testing.T, admin, path string) (status int, body string) {
	t.Helper()
	response, err := http.Get("http://" + admin + path)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(text)
}

// until asks again and again whether something holds.
func until(t *testing.T, what string, holds func() (bool, string)) {
	t.Helper()
	last := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ok, text := holds()
		if ok {
			return
		}
		last = text
	}
	t.Fatalf("%s: not in %s; %s", what, patience, last)
}
