//go:build linux

package machine

import (
	"os/exec"
	"runtime"
	"sync"
)

// starter hands commands to one thread that lives as long as this process: the
// kernel ends a child with Pdeathsig when the thread that started it ends.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range work {
			do()
		}
	}()
	return work
})

func startOnKeptThread(cmd *exec.Cmd) error {
	done := make(chan error)
	starter() <- func() { done <- cmd.Start() }
	return <-done
}
