package candidatefilter

import (
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// maxKeptBytes is how large a buffer may be that waits for its next use. The
// usual entry has a few KiB, the largest ones are rare and given back.
const maxKeptBytes = 64 << 10

// workspace is the memory that handling one entry needs and the next can use
// again. Nobody may use it, or what borrows from it, once it was given back.
type workspace struct {
	signal contract.Signal // that is judged
	text   []byte          // of one candidate, or of a description
	body   []byte          // of the signal, if it isn't the one that came
	entry  []byte          // as it goes on, if it isn't the one that came
	out    nats.Msg        // that puts it into the log
}

var workspaces sync.Pool

func takeWorkspace() *workspace {
	if w, ok := workspaces.Get().(*workspace); ok {
		return w
	}
	return new(workspace)
}

// giveBack ends the use of w.
func (w *workspace) giveBack() {
	w.forget()
	workspaces.Put(w)
}

// forget drops what w borrows, and memory that is too large to wait.
func (w *workspace) forget() {
	w.signal, w.out = contract.Signal{}, nats.Msg{}
	for _, buffer := range []*[]byte{&w.text, &w.body, &w.entry} {
		if cap(*buffer) > maxKeptBytes {
			*buffer = nil
		}
	}
}
