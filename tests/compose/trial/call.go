//go:build linux

package trial

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/parley-rtc/parley/tests/demo"
)

// relayOnly lets a page find no way to another but over TURN, and keeps its
// connections to be asked.
const relayOnly = `{
	const Real = RTCPeerConnection;
	const relayed = (c) => ({ ...c, iceTransportPolicy: "relay" });
	window.connections = [];
	window.RTCPeerConnection = class extends Real {
		constructor(c) { super(relayed(c)); connections.push(this); }
		setConfiguration(c) { super.setConfiguration(relayed(c)); }
	};
}`

// chosenPath is an expression for the kinds of the two candidates of a page's
// first connection; empty: it has none yet.
const chosenPath = `(async () => {
	const stats = [...(await connections[0].getStats()).values()];
	const by = (id) => stats.find((s) => s.id === id);
	const pair = by(stats.find((s) => s.type === "transport")?.selectedCandidatePairId);
	return pair ? by(pair.localCandidateId).candidateType + " " + by(pair.remoteCandidateId).candidateType : "";
})()`

// Call is what two tabs came to.
type Call struct {
	Seconds float64 `json:"seconds"` // until both saw the other's picture move
	Path    string  `json:"path"`    // kinds of the first tab's candidate and of the other's
}

// call has two tabs call each other through the balancer, over TURN.
func (t *trial) call(ctx context.Context) error {
	browser, err := demo.OpenBrowser(ctx)
	if err != nil {
		return err
	}
	defer browser.Close()
	begin := time.Now()
	var tabs [2]*demo.Tab // the browser's end ends them
	for i, name := range []string{"Ada", "Bob"} {
		if tabs[i], err = browser.Tab(demo.Desktop, fmt.Sprintf("http://%s/?room=compose&name=%s&join=1", t.url, name), relayOnly); err != nil {
			return err
		}
	}
	if err := errors.Join(tabs[0].Sees("Bob"), tabs[1].Sees("Ada")); err != nil {
		return err
	}
	path, err := demo.Evaluate[string](tabs[0], chosenPath)
	if err != nil {
		return err
	}
	t.report.Call = Call{tenths(time.Since(begin)), path}
	t.progress("two tabs call each other over %s", strings.ReplaceAll(path, " ", " and "))
	return nil
}
