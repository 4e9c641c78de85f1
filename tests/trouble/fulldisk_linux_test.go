package trouble

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/stack"
)

// insideVar tells the test program that its mounts are its own.
const insideVar = "PARLEY_TEST_MOUNTS"

// withSmallDisk runs a test with a file system of 32 MiB, in a mount namespace of
// its own; the test's own process is started once more for that.
func withSmallDisk(t *testing.T, test func(t *testing.T, disk string)) {
	t.Helper()
	if os.Getenv(insideVar) != "" {
		disk := t.TempDir()
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=32m"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) }) // it ends with the namespace, too
		test(t, disk)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), insideVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if uid := os.Geteuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("with its own mounts: %v (needs root or unprivileged user namespaces)\n%s", err, out)
	}
}

// TestDisk_isFull fills the disk of the one NATS server under a room. Nothing is
// acknowledged then, the edges say that they can't write, no service ends; and when
// there is room again and NATS was started anew all goes on, with nothing lost.
func TestDisk_isFull(t *testing.T) {
	withSmallDisk(t, func(t *testing.T, disk string) {
		s := stack.Processes(t, stack.Options{StoreDir: filepath.Join(disk, "nats"), Environ: []string{
			"PARLEY_ROOMSVC__SIGNALS_BYTES_PER_SECOND=65536", "PARLEY_ROOMSVC__SIGNALS_MAX_BYTES=16000000",
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		p := newPair(t, s)
		const before = 20
		for n := range before {
			if err := p.send(ctx, n); err != nil {
				t.Fatal(err)
			}
		}
		filler := fillDisk(t, disk)
		sent := make(chan error, 1)
		go func() { sent <- p.send(ctx, before) }()
		edge := s.Process(t, "edge-1")
		until(t, "the edge isn't ready for want of its lease", func() (bool, string) {
			status, text := get(t, edge.Admin, "/readyz")
			return status == 503 && strings.Contains(text, "lease"), text
		})
		for _, name := range []string{"roomsvc-1", "roomsvc-2", "authsvc", "candidatefilter", "edge-1", "edge-2"} {
			if status, text := get(t, s.Process(t, name).Admin, "/healthz"); status != 200 {
				t.Errorf("/healthz of %s answers %d: %s", name, status, text)
			}
		}
		select {
		case err := <-sent:
			t.Errorf("a message that can't be stored ended with %v", err)
		default:
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		nats := s.Process(t, stack.NATS) // it refuses every write from the first that failed on
		nats.Stop(t)
		nats.Start(t)
		if err := <-sent; err != nil {
			t.Errorf("the message that waited: %v", err)
		}
		p.got(ctx, t, 0, before+1)
		for _, name := range []string{"roomsvc-1", "edge-1", "edge-2"} {
			s.Process(t, name).WaitReady(t)
		}
	})
}

// fillDisk leaves no room on a disk but what is in a file that it returns.
func fillDisk(t *testing.T, disk string) (path string) {
	t.Helper()
	path = filepath.Join(disk, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); ; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return path
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
