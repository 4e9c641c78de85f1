import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger } from "../src/ledger.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
let clock = 1000;
const frame = (direction: "in" | "out", members: { type: string; [member: string]: unknown }) => ({ direction, at: (clock += 2), bytes: 100, frame: members });
const make = (limit = 500): Ledger => new Ledger(limit, "edge-1", (peer) => peer.toUpperCase());

test("an ack settles what it covers and says how long that took", () => {
  const ledger = make();
  const [offer] = ledger.add(frame("out", { type: "offer", seq: 7, to: "bob", traceparent: `00-${trace}-b7ad6b7169203331-01` }));
  const [later] = ledger.add(frame("out", { type: "candidate", seq: 8, to: "bob" }));
  const changed = ledger.add(frame("in", { type: "acked", seq: 7 }));
  assert.equal(offer?.settled, 4);
  assert.equal(later?.settled, undefined);
  assert.ok(changed.includes(offer!));
  assert.deepEqual([offer?.who, offer?.kind, offer?.trace, offer?.edge], ["BOB", "offer", trace, "edge-1"]);
});

test("acks and pings in a row are one line", () => {
  const ledger = make();
  for (let seq = 1; seq <= 5; seq++) ledger.add(frame("in", { type: "acked", seq }));
  ledger.add(frame("in", { type: "ping" }));
  ledger.add(frame("out", { type: "pong" }));
  assert.equal(ledger.entries.length, 1);
  assert.deepEqual([ledger.entries[0]?.count, ledger.entries[0]?.text], [7, "acked up to 5"]);
});

test("a verdict marks the frame that it is about", () => {
  const ledger = make();
  const [candidate] = ledger.add(frame("out", { type: "candidate", seq: 3, to: "bob" }));
  ledger.add(frame("in", { type: "candidate", seq: 3, from: "bob" }));
  ledger.add(frame("in", { type: "filtered", re: 3, rule: "private_address", count: 2 }));
  assert.equal(candidate?.verdict, "filtered: private_address ×2");
  assert.equal(ledger.entries[1]?.verdict, undefined, "the seq of another sender is another seq");
  const [offer] = ledger.add(frame("out", { type: "offer", seq: 4, to: "bob" }));
  ledger.add(frame("in", { type: "error", re: 4, code: "glare" }));
  assert.equal(offer?.verdict, "refused: glare");
});

test("a new session begins its seq anew; a resumed one goes on", () => {
  const ledger = make();
  const [first] = ledger.add(frame("out", { type: "offer", seq: 1 }));
  ledger.add(frame("in", { type: "welcome", resumed: true, edge: "edge-2" }));
  ledger.add(frame("in", { type: "acked", seq: 1 }));
  assert.notEqual(first?.settled, undefined);
  const [second] = ledger.add(frame("out", { type: "offer", seq: 2 }));
  ledger.add(frame("in", { type: "welcome", resumed: false, edge: "edge-2" }));
  ledger.add(frame("in", { type: "acked", seq: 2 }));
  assert.equal(second?.settled, undefined);
  assert.equal(second?.edge, "edge-2");
});

test("the list is bounded and keeps the newest", () => {
  const ledger = make(10);
  for (let seq = 1; seq <= 25; seq++) ledger.add(frame("out", { type: "message", seq }));
  assert.equal(ledger.entries.length, 10);
  assert.equal(ledger.entries[0]?.seq, 16);
  assert.equal(ledger.counts.message, 25);
  assert.equal(ledger.entries[0]?.who, "everyone");
});
