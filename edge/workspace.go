package edge

import (
	"sync"

	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/services/contract"
)

// workspace is the memory that a frame needs while it is handled. A connection
// takes one for each frame, so that those that are idle hold none.
type workspace struct {
	reader envelope.Reader
	signal contract.Signal
	body   []byte // of signal
	places []contract.Token
	life   *life // that the session had when it accepted the frame
}

// keepBody is the largest body whose memory is used again.
const keepBody = 64 << 10

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

func newWorkspace() *workspace {
	w, ok := workspaces.Get().(*workspace)
	if !ok {
		panic("edge: internal error: the pool holds something else")
	}
	return w
}

// release gives the workspace to the next frame. Nothing that was read in it may
// be used any more.
func (w *workspace) release() {
	if cap(w.body) > keepBody {
		w.body = nil
	}
	w.life = nil
	workspaces.Put(w)
}
