import assert from "node:assert/strict";
import { describe, test } from "node:test";

import type { RoomOffer } from "../src/events.ts";
import type { Peer } from "../src/peer.ts";
import { courtesy, Link, type Owner } from "../src/peers/link.ts";
import { restartAgain, restartDelay } from "../src/peers/restart.ts";

/** As much of an RTCPeerConnection as a first negotiation uses. */
class Connection extends EventTarget {
  signalingState = "stable";
  iceConnectionState = "new";
  connectionState = "new";
  localDescription: object | undefined;
  currentLocalDescription = null;
  remoteDescription: object | undefined;
  onnegotiationneeded: (() => void) | undefined;
  async setRemoteDescription(description: object): Promise<void> {
    this.remoteDescription = description;
    this.signalingState = "have-remote-offer";
  }
  async setLocalDescription(): Promise<void> {
    const type = this.signalingState === "stable" ? "offer" : "answer";
    this.signalingState = type === "offer" ? "have-local-offer" : "stable";
    this.localDescription = { type, sdp: "", toJSON: () => ({ type, sdp: "" }) };
  }
  createDataChannel(): object {
    return {};
  }
  oniceconnectionstatechange: (() => void) | undefined;
  restarts = 0;
  restartIce(): void {
    this.restarts++;
  }
  close(): void {}
}

/** A link that has something to negotiate from the start, and what it sent. */
function eager(polite: boolean): { link: Link; sent: string[] } {
  const sent: string[] = [];
  const say = (what: string) => async (): Promise<void> => void sent.push(what);
  const owner = {
    room: { offer: say("offer"), answer: say("answer"), candidates: say("candidates"), client: { limits: { candidates: 64 } } },
    channel: "parley",
    stream: null,
    emit: () => {},
    sayAnew: () => {},
    replace: () => {},
  };
  const pc = new Connection();
  const peer = { peer: "bob1", identity: "bob", polite } as Peer;
  const link = new Link(owner as unknown as Owner, peer, pc as unknown as RTCPeerConnection);
  pc.onnegotiationneeded?.();
  return { link, sent };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const offer = { from: "bob1", epoch: 1, seq: 1, negotiation: "n", description: { type: "offer", sdp: "" } } as RoomOffer;

describe("who has something to send from the start", () => {
  test("offers at once if it is the impolite one", async () => {
    const { link, sent } = eager(false);
    await turn();
    assert.deepEqual(sent, ["offer"]);
    link.close();
  });

  test("leaves the first offer to the other for a moment if it is the polite one", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, sent } = eager(true);
    t.mock.timers.tick(courtesy - 1);
    await turn();
    assert.deepEqual(sent, []);
    t.mock.timers.tick(1);
    await turn();
    assert.deepEqual(sent, ["offer"]);
    link.close();
  });

  test("answers what comes meanwhile, and has nothing to roll back", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { link, sent } = eager(true);
    link.receive(offer);
    await turn();
    assert.deepEqual(sent, ["answer"]);
    (link.pc as unknown as Connection).onnegotiationneeded?.(); // what the offer had no room for
    await turn();
    assert.deepEqual(sent, ["answer", "offer"], "from then on it doesn't wait");
    link.close();
  });
});

test("ICE is restarted again and again while it stays in trouble, and no more when it isn't", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { link } = eager(false);
  const pc = link.pc as unknown as Connection;
  const becomes = (state: RTCIceConnectionState): void => {
    pc.iceConnectionState = state;
    pc.oniceconnectionstatechange?.();
  };
  becomes("disconnected");
  t.mock.timers.tick(restartDelay("disconnected", false)!);
  assert.equal(pc.restarts, 1);
  t.mock.timers.tick(restartAgain - 1);
  assert.equal(pc.restarts, 1);
  t.mock.timers.tick(1);
  assert.equal(pc.restarts, 2, "nothing was gathered, so nothing changed");
  becomes("connected");
  t.mock.timers.tick(2 * restartAgain);
  assert.equal(pc.restarts, 2);
  becomes("failed");
  t.mock.timers.tick(1);
  link.close();
  t.mock.timers.tick(2 * restartAgain);
  assert.equal(pc.restarts, 3, "a closed link restarts nothing");
});
