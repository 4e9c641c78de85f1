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
// connections and what became of the first one to be asked.
const relayOnly = `{
	const Real = RTCPeerConnection;
	const relayed = (c) => ({ ...c, iceTransportPolicy: "relay" });
	window.connections = [];
	window.states = [];
	window.RTCPeerConnection = class extends Real {
		constructor(c) {
			super(relayed(c));
			if (connections.push(this) === 1) this.addEventListener("iceconnectionstatechange", () => states.push(this.iceConnectionState));
		}
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

// isCut and isBack are expressions for a page whose connection lost its way to the
// other, and for one that has the same connection work again.
const (
	isCut  = `states.includes("disconnected")`
	isBack = `connections.length === 1 && ["connected", "completed"].includes(states.at(-1))`
)

// Call is what two tabs came to.
type Call struct {
	Seconds float64 `json:"seconds"` // until both saw the other's picture move
	Path    string  `json:"path"`    // kinds of the first tab's candidate and of the other's
	Again   float64 `json:"again_s"` // from the kill of the TURN server, which was started again, until pictures moved
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
	t.report.Call = Call{Seconds: tenths(time.Since(begin)), Path: path}
	t.progress("two tabs call each other over %s", strings.ReplaceAll(path, " ", " and "))
	return t.callAgain(ctx, tabs[0], tabs[1])
}

// callAgain kills the TURN server in the call: what it relayed is gone with it, and
// the tabs have to find another way over the one that is started again.
func (t *trial) callAgain(ctx context.Context, ada, bob *demo.Tab) error {
	begin := time.Now()
	of, err := t.stack.Containers(ctx, "coturn")
	if err != nil {
		return err
	}
	err = errors.Join(t.stack.Kill(ctx, of[0]), rest(ctx, downtime), t.stack.Revive(ctx, of[0]))
	if err != nil {
		return fmt.Errorf("restart coturn in a call: %w", err)
	}
	err = errors.Join(ada.Until(isCut), bob.Until(isCut), ada.Until(isBack), bob.Until(isBack), ada.StillSees("Bob"), bob.StillSees("Ada"))
	if err != nil {
		return fmt.Errorf("after a restart of coturn in a call: %w", err)
	}
	t.report.Call.Again = tenths(time.Since(begin))
	t.progress("coturn was killed in the call: pictures again after %.1f s", t.report.Call.Again)
	return nil
}
