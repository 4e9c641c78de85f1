import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { ignores } from "../src/peers/collision.ts";
import { hasUfrag, isForeign } from "../src/peers/description.ts";
import { Held } from "../src/peers/held.ts";
import { Outgoing } from "../src/peers/outgoing.ts";
import { restartDelay } from "../src/peers/restart.ts";
import { outcome } from "../src/peers/retry.ts";
import { mayReturn, successor } from "../src/peers/roster.ts";
import { planTracks } from "../src/peers/tracks.ts";
import { SignalError } from "../src/errors.ts";
import type { Peer } from "../src/peer.ts";

const quiet = { polite: false, makingOffer: false, isSettingRemoteAnswerPending: false, signalingState: "stable" } as const;

test("an offer collides with ours: the impolite one ignores it, the polite one takes it", () => {
  for (const now of [
    { ...quiet, makingOffer: true },
    { ...quiet, signalingState: "have-local-offer" },
    { ...quiet, signalingState: "have-remote-offer" },
    { ...quiet, makingOffer: true, signalingState: "have-local-offer", isSettingRemoteAnswerPending: true },
  ] as const) {
    assert.equal(ignores(now, "offer"), true, JSON.stringify(now));
    assert.equal(ignores({ ...now, polite: true }, "offer"), false, JSON.stringify(now));
    assert.equal(ignores(now, "answer"), false, "an answer never collides");
  }
});

test("an offer that doesn't collide is taken by both", () => {
  for (const now of [quiet, { ...quiet, signalingState: "have-local-offer", isSettingRemoteAnswerPending: true } as const]) {
    assert.equal(ignores(now, "offer"), false, JSON.stringify(now));
    assert.equal(ignores({ ...now, polite: true }, "offer"), false, JSON.stringify(now));
  }
});

const candidates = (...names: string[]): RTCIceCandidateInit[] => names.map((candidate) => ({ candidate }));

test("candidates wait for the description of their negotiation, in their order", () => {
  const held = new Held(8);
  assert.deepEqual(held.take("n1", candidates("a", "b")), []);
  assert.deepEqual(held.take("n1", candidates("c")), []);
  assert.deepEqual(held.describe("n1"), candidates("a", "b", "c"));
  assert.deepEqual(held.take("n1", candidates("d")), candidates("d"), "its description is set");
  assert.deepEqual(held.describe("n2"), [], "each is given once");
});

test("candidates of an ignored offer are dropped, also those that came first", () => {
  const held = new Held(8);
  held.take("n1", candidates("a"));
  held.ignore("n1");
  assert.deepEqual(held.take("n1", candidates("b")), []);
  assert.deepEqual(held.describe("n1"), []);
});

test("candidates of a newer negotiation displace those that wait", () => {
  const held = new Held(8);
  held.take("n1", candidates("a"));
  held.take("n2", candidates("b"));
  assert.deepEqual(held.describe("n2"), candidates("b"));
  assert.deepEqual(held.describe("n1"), []);
});

test("no more candidates wait than the limit, whatever comes", () => {
  const signal = fc.record({ negotiation: fc.constantFrom("n1", "n2"), count: fc.nat(9), describe: fc.boolean() });
  fc.assert(fc.property(fc.array(signal), fc.nat(9), (signals, limit) => {
    const held = new Held(limit);
    const waiting = new Map<string, number>();
    let described = "";
    for (const { negotiation, count, describe } of signals) {
      const all = candidates(...Array<string>(count).fill("c"));
      if (describe) {
        assert.equal(held.describe(negotiation).length, waiting.get(negotiation) ?? 0);
        described = negotiation;
        waiting.clear();
      } else if (negotiation === described) {
        assert.equal(held.take(negotiation, all).length, count);
      } else {
        assert.equal(held.take(negotiation, all).length, 0);
        const before = waiting.get(negotiation) ?? 0;
        waiting.clear();
        waiting.set(negotiation, Math.min(limit, before + count));
      }
    }
  }));
});

const sdp = (origin: string, ufrag: string): string =>
  `v=0\r\no=- ${origin} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:${ufrag}\r\n`;

test("a description of another connection is told by its origin's session id, not by its version", () => {
  assert.equal(isForeign(sdp("17", "u"), sdp("18", "u")), true);
  assert.equal(isForeign(sdp("17", "u"), sdp("17", "v").replace(" 2 IN", " 3 IN")), false);
  assert.equal(isForeign(undefined, sdp("17", "u")), false, "the first one is never foreign");
  assert.equal(isForeign(sdp("1", "u"), sdp("17", "u")), true, "the whole id counts");
});

test("a candidate from before an ICE restart is told by its user name fragment", () => {
  assert.equal(hasUfrag(sdp("17", "abcd"), "abcd"), true);
  assert.equal(hasUfrag(sdp("17", "abcd"), "abc"), false);
  assert.equal(hasUfrag(sdp("17", "abcd"), "efgh"), false);
  for (const none of [undefined, null, ""]) assert.equal(hasUfrag(sdp("17", "abcd"), none), true);
});

const local = (candidate: string, usernameFragment: string): RTCIceCandidate => {
  const init = { candidate, usernameFragment };
  return { ...init, toJSON: () => init } as RTCIceCandidate;
};

test("local candidates travel together, behind their description, and end with an empty one", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const sent: RTCIceCandidateInit[][] = [];
  const description = sdp("17", "u");
  const outgoing = new Outgoing(() => description, (group) => sent.push(group));
  outgoing.hold();
  outgoing.add(local("a", "u"));
  outgoing.add(local("b", "u"));
  t.mock.timers.tick(100);
  assert.equal(sent.length, 0, "the description hasn't gone yet");
  outgoing.release();
  outgoing.add(local("c", "u"));
  outgoing.add(null);
  t.mock.timers.tick(20);
  const names = sent.map((group) => group.map((c) => c.candidate));
  assert.deepEqual(names, [["a", "b"], ["c", ""]]);
});

test("local candidates of a generation that ICE has left are dropped, whenever they come", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const sent: RTCIceCandidateInit[][] = [];
  let description = sdp("17", "u");
  const outgoing = new Outgoing(() => description, (group) => sent.push(group));
  outgoing.hold();
  outgoing.add(local("old", "u"));
  outgoing.add(local("new", "v"));
  description = sdp("17", "v");
  outgoing.release();
  outgoing.add(local("late", "u"));
  t.mock.timers.tick(20);
  assert.deepEqual(sent.map((group) => group.map((c) => c.candidate)), [["new"]]);
});

test("ICE is restarted by the impolite side first, and only if it is in trouble", () => {
  assert.equal(restartDelay("failed", false), 0);
  assert.equal(restartDelay("disconnected", false), 5_000);
  assert.equal(restartDelay("failed", true), 10_000);
  assert.equal(restartDelay("disconnected", true), 10_000);
  for (const state of ["new", "checking", "connected", "completed", "closed"] as const) {
    assert.equal(restartDelay(state, false), undefined, state);
  }
});

test("a refused signal is repeated, kept quiet about, or reported", () => {
  assert.deepEqual(outcome(new SignalError("rate_limited", "slow", { retryable: true, retryAfter: 700 })), { retryIn: 700 });
  assert.deepEqual(outcome(new SignalError("unavailable", "full", { retryable: true })), { retryIn: 200 });
  assert.deepEqual(outcome(new SignalError("outbox_full", "full")), { retryIn: 200 });
  assert.equal(outcome(new SignalError("peer_gone", "gone")), "quiet");
  assert.equal(outcome(new SignalError("glare", "theirs first", { retryable: true })), "quiet");
  assert.equal(outcome(new SignalError("bad_description", "no SDP")), "error");
  assert.equal(outcome(undefined), "error");
});

const peer = (id: string, identity: string): Peer => ({
  peer: id, identity, epoch: 1, presence: undefined, version: 1, polite: false, capabilities: { rollback: true }, state: "here",
});
const roster = (...peers: Peer[]): Map<string, Peer> => new Map(peers.map((p) => [p.peer, p]));

test("a link goes on with the same peer, or else with the same identity that nobody has", () => {
  const old = peer("p1", "ada");
  const none = (): boolean => false;
  assert.equal(successor(old, roster(peer("p2", "ada"), peer("p1", "ada")), none)?.peer, "p1");
  assert.equal(successor(old, roster(peer("p3", "bob"), peer("p2", "ada")), none)?.peer, "p2");
  assert.equal(successor(old, roster(peer("p2", "ada"), peer("p4", "ada")), (id) => id === "p2")?.peer, "p4");
  assert.equal(successor(old, roster(peer("p3", "bob")), none), undefined);
});

test("a peer may come back if only its session ended", () => {
  for (const reason of ["replaced", "expired", ""]) assert.equal(mayReturn(reason), true, reason);
  for (const reason of ["left", "kicked", "closed", "revoked", "news"]) assert.equal(mayReturn(reason), false, reason);
});

test("a track takes the place of one of its kind, only the rest is added, and what is left over sends nothing", () => {
  const track = (kind: string, id: string): { kind: string; id: string } => ({ kind, id });
  const [mic, camera, screen] = [track("audio", "mic"), track("video", "camera"), track("video", "screen")];
  const [first, second] = [{ track: mic }, { track: camera }] as [{ track: typeof mic | null }, { track: typeof mic | null }];
  const senders = new Map([[first, "audio"], [second, "video"]]);
  assert.deepEqual(planTracks(new Map(), [mic, camera]), { keep: new Map(), add: [mic, camera] });
  const other = planTracks(senders, [mic, screen]);
  assert.deepEqual([other.keep.get(first), other.keep.get(second), other.add], [mic, screen, []]);
  const both = planTracks(senders, [screen, camera, mic]);
  assert.equal(both.keep.get(second), camera, "a sender keeps the track that it has");
  assert.deepEqual(both.add, [screen]);
  const off = planTracks(senders, [mic]);
  assert.deepEqual([off.keep.get(first), off.keep.get(second), off.add], [mic, null, []]);
  second.track = null;
  const on = planTracks(senders, [screen, mic]);
  assert.deepEqual([on.keep.get(second), on.add], [screen, []], "a sender without a track is taken for one of its kind");
});
