//go:build linux

package machine

import (
	"os/exec"
	"runtime"
	"sync"
)

// Thread is one thread of this process that does what it is handed, and lives as
// long as this process: the kernel ends a child with Pdeathsig when the thread
// that started it ends, and gives it the namespaces of that thread.
type Thread struct{ work chan func() }

// NewThread starts a thread.
func NewThread() *Thread {
	t := &Thread{work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for do := range t.work {
			do()
		}
	}()
	return t
}

// Do runs f on the thread and waits for it.
func (t *Thread) Do(f func()) {
	done := make(chan struct{})
	t.work <- func() {
		defer close(done)
		f()
	}
	<-done
}

func (t *Thread) start(cmd *exec.Cmd) (err error) {
	t.Do(func() { err = cmd.Start() })
	return err
}

// starter is the thread of the commands that have none.
var starter = sync.OnceValue(NewThread)
