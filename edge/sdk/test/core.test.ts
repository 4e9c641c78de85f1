import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { describe, test } from "node:test";
import { socketAddress, withEdge } from "../src/address.ts";
import { fullJitter } from "../src/backoff.ts";
import { comesBack } from "../src/closecodes.ts";
import { depthOf, encodeChecked } from "../src/encode.ts";
import { Emitter } from "../src/emitter.ts";
import { SignalError } from "../src/errors.ts";
import type { WirePeer } from "../src/frames.ts";
import { redact } from "../src/inspect.ts";
import { defaultLimits, readLimits } from "../src/limits.ts";
import { Pace } from "../src/pace.ts";
import { newTraceparent, randomId } from "../src/random.ts";
import { Roster } from "../src/roster.ts";
import { Secrets } from "../src/secrets.ts";
import { sha256 } from "../src/sha256.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("sha256 is that of the platform, at every length around its blocks", async () => {
  for (let length = 0; length < 200; length++) {
    const message = webcrypto.getRandomValues(new Uint8Array(length));
    assert.equal(hex(sha256(message)), hex(new Uint8Array(await webcrypto.subtle.digest("SHA-256", message))));
  }
});

describe("secrets", () => {
  const hashOf = (secret: string): string => Buffer.from(sha256(Buffer.from(secret, "base64url"))).toString("base64url");

  test("propose the same one until a welcome confirms it", () => {
    const secrets = new Secrets();
    const first = secrets.propose();
    const second = secrets.propose();
    assert.equal(first.resume, undefined);
    assert.equal(second.next, first.next);
    assert.deepEqual([first.attempt, second.attempt], [1, 2]);
    assert.deepEqual(second.resume?.map(hashOf), [first.next]);
  });

  test("send the confirmed one and the one proposed since, never more", () => {
    const secrets = new Secrets();
    const confirmed = secrets.propose().next;
    secrets.confirm();
    const proposed = secrets.propose();
    assert.deepEqual(proposed.resume?.map(hashOf), [confirmed]);
    assert.notEqual(proposed.next, confirmed);
    const again = secrets.propose();
    assert.deepEqual(again.resume?.map(hashOf), [confirmed, proposed.next]);
    assert.equal(again.next, proposed.next);
    secrets.forget();
    assert.equal(secrets.propose().resume, undefined);
    assert.equal(secrets.propose().attempt, 5);
  });
});

test("back-off doubles up to its bound, and jitter takes all of it", () => {
  assert.deepEqual([0, 1, 2, 10].map((n) => fullJitter(300, 20_000, n, 1)), [300, 600, 1200, 20_000]);
  assert.equal(fullJitter(300, 20_000, 5000, 0.5), 10_000);
  assert.equal(fullJitter(300, 20_000, 3, 0), 0);
});

test("close codes tell whether to come back", () => {
  const back = [1001, 1005, 1006, 1011, 1012, 1013, 4000, 4408, 4429, 4440, 4499];
  const over = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3999, 4500, 4501, 4503, 4509, 4510, 4999];
  assert.deepEqual(back.filter((code) => !comesBack(code)), []);
  assert.deepEqual(over.filter(comesBack), []);
});

describe("addresses", () => {
  const cases: [string, string][] = [
    ["wss://host", "wss://host/v1/ws"], ["ws://host:7420/", "ws://host:7420/v1/ws"], ["https://host", "wss://host/v1/ws"],
    ["http://127.0.0.1:7420", "ws://127.0.0.1:7420/v1/ws"], ["ws://host/mine?x=1#y", "ws://host/mine?x=1"],
  ];
  for (const [given, want] of cases) test(given, () => assert.equal(socketAddress(given).href, want));
  for (const given of ["", "host", "ftp://host", "//host"]) {
    test(`not ${JSON.stringify(given)}`, () =>
      assert.throws(() => socketAddress(given), (e) => e instanceof SignalError && e.code === "bad_url"));
  }
  test("ask for the edge that holds the session", () => {
    const address = socketAddress("ws://host/?edge=old&x=1");
    assert.equal(withEdge(address, "edge 1"), "ws://host/v1/ws?edge=edge+1&x=1");
    assert.equal(withEdge(address, ""), "ws://host/v1/ws?edge=old&x=1");
  });
});

describe("pace", () => {
  test("lets nine tenths of the burst pass, then nine tenths of the rate", () => {
    const pace = new Pace({ ...defaultLimits, frameRate: 10, frameBurst: 10 }, 0);
    for (let i = 0; i < 9; i++) assert.equal(pace.take(0, 1, 1), 0);
    assert.equal(pace.take(0, 1, 1), 112);
    assert.equal(pace.take(112, 1, 1), 0);
    assert.equal(pace.take(112, 1, 1), 111);
  });

  test("lets a frame over a whole burst go when the bucket is full", () => {
    const pace = new Pace({ ...defaultLimits, byteRate: 1000, byteBurst: 1000 }, 0);
    assert.equal(pace.take(0, 1, 5000), 0);
    const wait = pace.take(0, 1, 1);
    assert.ok(wait > 4500 && wait < 4700, `waits ${wait} ms`);
  });

  test("never waits for ever for a part of a millisecond", () => {
    const pace = new Pace({ ...defaultLimits, frameRate: 7, frameBurst: 3 }, 0);
    let now = 0;
    for (let i = 0; i < 1000; i++) {
      const wait = pace.take(now, 1, 100);
      if (wait) now += wait;
      if (wait) assert.equal(pace.take(now, 1, 100), 0, `after ${i}`);
    }
  });
});

describe("a roster", () => {
  const wire = (peer: string, more: Partial<WirePeer> = {}): WirePeer => ({
    peer, identity: peer.toUpperCase(), epoch: 1, version: 1, polite: false, capabilities: {}, state: "here", ...more,
  });

  test("drops what its revision covers", () => {
    const roster = new Roster();
    roster.reset(5, [wire("a")]);
    assert.equal(roster.join(5, wire("b")), undefined);
    assert.equal(roster.leave(4, "a", "left"), undefined);
    assert.equal(roster.join(7, wire("b"))?.kind, "joined");
    assert.equal(roster.leave(6, "b", "left"), undefined);
    assert.equal(roster.leave(8, "b", "left")?.kind, "left");
    assert.deepEqual([...roster.peers.keys()], ["a"]);
  });

  test("takes only a higher version of a peer, and null as a presence", () => {
    const roster = new Roster();
    roster.reset(1, [wire("a", { presence: 1, version: 3 })]);
    const before = roster.peers.get("a");
    assert.equal(roster.update({ peer: "a", version: 3, state: "away" }), undefined);
    assert.equal(roster.update({ peer: "x", version: 9 }), undefined);
    roster.update({ peer: "a", version: 4, presence: null });
    roster.update({ peer: "a", version: 5, state: "away" });
    const after = roster.peers.get("a");
    assert.deepEqual([after?.presence, after?.state, after?.version], [null, "away", 5]);
    assert.deepEqual([before?.presence, before?.state, before?.version], [1, "here", 3]);
    assert.ok(Object.isFrozen(after));
  });

  test("tells what a whole one changes, departures first, and keeps what is newer", () => {
    const roster = new Roster();
    roster.reset(1, [wire("a"), wire("b", { version: 5, presence: "new" }), wire("c")]);
    const changes = roster.reset(9, [wire("b", { version: 4, presence: "old" }), wire("c", { version: 2 }), wire("d")]);
    assert.deepEqual(changes.map((c) => `${c.kind} ${c.peer.peer}`), ["left a", "updated c", "joined d"]);
    assert.deepEqual([...roster.peers.keys()], ["b", "c", "d"]);
    assert.equal(roster.peers.get("b")?.presence, "new");
  });
});

describe("an emitter", () => {
  interface Events { n: number }

  test("holds events until it is released, and keeps their order", async () => {
    const emitter = new Emitter<Events>();
    const got: number[] = [];
    emitter.emit("n", 1);
    emitter.release();
    emitter.on("n", (n) => {
      got.push(n);
      if (n === 1) emitter.emit("n", 3);
    });
    emitter.emit("n", 2);
    await new Promise((resolve) => setTimeout(resolve, 5));
    emitter.emit("n", 4);
    assert.deepEqual(got, [1, 2, 3, 4]);
  });

  test("goes on when a listener throws, and stops for one that is gone", async () => {
    const emitter = new Emitter<Events>();
    emitter.release();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const [got, errors, log] = [[] as number[], [] as unknown[], console.error];
    console.error = (error: unknown) => errors.push(error);
    emitter.on("n", () => {
      throw new Error("mine");
    });
    const off = emitter.on("n", (n) => got.push(n));
    emitter.emit("n", 1);
    off();
    emitter.emit("n", 2);
    console.error = log;
    assert.deepEqual(got, [1]);
    assert.equal(errors.length, 2);
  });
});

test("depth counts brackets, and none in strings", () => {
  assert.equal(depthOf('{"a":[[]],"b":"[[[[\\"[["}'), 3);
  assert.equal(depthOf('"\\\\"'), 0);
  assert.equal(depthOf('["\\\\",[1]]'), 2);
});

test("what JSON can't write is refused", () => {
  const loop: unknown[] = [];
  loop.push(loop);
  for (const data of [undefined, () => 1, 1n, loop]) {
    assert.throws(() => encodeChecked({ type: "message", room: "r", data }, defaultLimits), { code: "bad_frame", status: 400 });
  }
  assert.throws(() => encodeChecked({ type: "offer", room: "r", to: "p", negotiation: "n", description: { type: "answer", sdp: "" } }, defaultLimits), { code: "bad_frame" });
  assert.throws(() => encodeChecked({ type: "candidate", room: "r", to: "p", negotiation: "n", candidates: [] }, defaultLimits), { code: "bad_frame" });
  assert.throws(() => encodeChecked({ type: "message", room: "r", data: "é".repeat(131_050) }, defaultLimits), { code: "too_large", status: 413 });
});

test("limits fall back to the default where an edge leaves them out", () => {
  assert.deepEqual(readLimits({}), defaultLimits);
  const read = readLimits({ frameRate: 7, rooms: -1, partBytes: 1_000_000, messageBytes: "x" });
  assert.deepEqual([read.frameRate, read.rooms, read.partBytes, read.messageBytes], [7, 16, 65_536, 65_536]);
});

test("inspectors see no secret", () => {
  const shown = JSON.stringify([
    redact({ type: "hello", next: "SECRET", resume: ["SECRET"] }), redact({ type: "join", token: "SECRET" }),
    redact({ type: "refresh", token: "SECRET" }), redact({ type: "joined", iceServers: [{ urls: ["u"], credential: "SECRET" }] }),
  ]);
  assert.ok(!shown.includes("SECRET"), shown);
  assert.deepEqual(redact({ type: "message", data: { token: "mine" } }), { type: "message", data: { token: "mine" } });
});

test("ids and traces are random and well formed", () => {
  assert.match(newTraceparent(), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.match(randomId(), /^[\w-]{22}$/);
  assert.notEqual(randomId(), randomId());
});
