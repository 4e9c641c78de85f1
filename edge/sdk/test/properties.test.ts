import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decode } from "../src/decode.ts";
import type { Part } from "../src/frames.ts";
import { type OutFrame, Outbox } from "../src/outbox.ts";
import { Assembler, splitParts } from "../src/parts.ts";
import { maxDeparted, Watermarks } from "../src/watermarks.ts";

const anyText = fc.string({ unit: "binary", minLength: 0, maxLength: 4000 });

test("what is split comes together again, in messages of the allowed size", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1024, max: 3000 }), (data, limit) => {
      const text = JSON.stringify({ data });
      const messages = splitParts(text, limit, "i".repeat(64));
      for (const message of messages) assert.ok(Buffer.byteLength(message) <= limit, `${Buffer.byteLength(message)} bytes`);
      if (messages.length === 1) return assert.equal(messages[0], text);
      const assembler = new Assembler();
      const whole = messages.map((message) => assembler.add(decode(JSON.parse(message)) as Part, 1 << 20));
      assert.equal(whole.pop(), text);
      assert.ok(whole.every((part) => part === undefined), "nothing before the last part");
      // No code point is cut in two: JSON.stringify would have escaped its halves.
      for (const message of messages) assert.doesNotMatch(message, /\\ud[89a-f]/);
    }),
  );
});

test("parts in any other order are refused, and the next frame is taken", () => {
  const part = fc.record({
    type: fc.constant("part" as const), id: fc.constantFrom("a", "b", ""), index: fc.nat(4), of: fc.nat(4), chunk: fc.string({ maxLength: 5 }),
  });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const assembler = new Assembler();
      for (const one of parts) {
        try {
          assembler.add(one, 4);
        } catch {
          // Refused.
        }
      }
      assert.equal(assembler.add({ type: "part", id: "new", index: 0, of: 2, chunk: "x" }, 4), undefined);
      assert.equal(assembler.add({ type: "part", id: "new", index: 1, of: 2, chunk: "y" }, 4), "xy");
    }),
  );
});

test("parts add up to a bounded frame", () => {
  const assembler = new Assembler();
  assembler.add({ type: "part", id: "a", index: 0, of: 2, chunk: "x".repeat(4096) }, 1024);
  assert.throws(() => assembler.add({ type: "part", id: "a", index: 1, of: 2, chunk: "x" }, 1024));
});

/** A frame whose outcome can be read. */
class Probe implements OutFrame {
  readonly type = "message";
  head: string;
  tail = "}";
  bytes = 10;
  seq = 0;
  told = false;
  outcomes = 0;
  constructor(n: number) {
    this.head = `${n}:`;
  }
  settle(): void {
    if (this.told) return;
    this.told = true;
    this.outcomes++;
  }
}

type Step = "send" | "write" | "ack" | "refuse" | "cut";

test("an outbox numbers without holes, sends again what wasn't accepted, and settles each frame once, in order", () => {
  const step = fc.constantFrom<Step>("send", "send", "write", "write", "ack", "refuse", "cut");
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(7)), { maxLength: 120 }), (steps) => {
      const outbox = new Outbox<Probe>(1000, 1 << 20);
      const all: Probe[] = [];
      const settled: Probe[] = [];
      /** What the edge took: its text by seq. */
      const edge: string[] = [];
      let acked = 0;
      let socket: string[] = [];
      const deliver = (count: number): void => {
        for (const text of socket.splice(0, count)) {
          const [, seq] = /:(\d+)\}$/.exec(text) as unknown as [string, string];
          assert.ok(Number(seq) <= edge.length + 1, "no hole");
          if (Number(seq) === edge.length + 1) edge.push(text);
        }
      };
      for (const [what, n] of steps) {
        if (what === "send") {
          const frame = new Probe(all.length + 1);
          all.push(frame);
          outbox.add(frame);
        } else if (what === "write") {
          for (let i = 0; i <= n && outbox.peek(8, 1 << 20); i++) socket.push(outbox.take());
        } else if (what === "refuse") {
          deliver(n);
          if (edge.length > acked) outbox.find(edge.length)?.settle();
        } else if (what === "ack") {
          deliver(n);
          acked = Math.max(acked, edge.length);
          const now = outbox.acknowledge(acked);
          for (const frame of now) frame.settle();
          settled.push(...now);
        } else {
          deliver(n);
          socket = [];
          outbox.rewind(edge.length, { head: "void:", tail: "}", bytes: 7 });
        }
      }
      for (let left = all.length; outbox.size > 0; left--) {
        assert.ok(left > 0, "each round settles something");
        while (outbox.peek(8, 1 << 20)) socket.push(outbox.take());
        deliver(socket.length);
        for (const frame of outbox.acknowledge(edge.length)) {
          frame.settle();
          settled.push(frame);
        }
      }
      assert.deepEqual(settled, all);
      assert.deepEqual(all.map((frame) => frame.seq), all.map((_, i) => i + 1));
      assert.ok(all.every((frame) => frame.outcomes === 1));
      assert.equal(edge.length, all.length);
      assert.equal(outbox.size, 0);
      assert.ok(outbox.fits(1 << 20), "no bytes are left over");
    }),
    { numRuns: 300 },
  );
});

test("a lost session keeps joins that were never written, and nothing else", () => {
  const outbox = new Outbox<OutFrame>(10, 1000);
  const make = (type: string): OutFrame => Object.assign(new Probe(0), { type }) as OutFrame;
  const [written, waiting, join] = [make("join"), make("message"), make("join")];
  for (const frame of [written, waiting, join]) outbox.add(frame);
  outbox.peek(8, 1000);
  outbox.take();
  assert.deepEqual(outbox.abandon(0), [written, waiting]);
  assert.equal(outbox.peek(8, 1000), join);
  assert.match(outbox.take(), /:1\}$/);
});

test("an outbox is bounded by frames and bytes, and gives back what was never written", () => {
  const outbox = new Outbox<Probe>(2, 25);
  const frames = [new Probe(1), new Probe(2)];
  for (const frame of frames) outbox.add(frame);
  assert.ok(!outbox.fits(1), "two frames are the most");
  outbox.take();
  assert.ok(!outbox.withdraw(frames[0] as Probe), "written");
  assert.ok(outbox.withdraw(frames[1] as Probe));
  assert.ok(outbox.fits(15));
  assert.ok(!outbox.fits(16), "25 bytes are the most");
  assert.ok(!outbox.fits(5, 1), "others wait elsewhere");
});

test("watermarks let each signal through once, whatever is repeated, also after its sender left", () => {
  const signal = fc.record({ from: fc.constantFrom("a", "b", "c"), seq: fc.integer({ min: 1, max: 20 }), leaves: fc.boolean() });
  fc.assert(
    fc.property(fc.array(signal, { maxLength: 60 }), (signals) => {
      const marks = new Watermarks();
      const highest: Record<string, number> = {};
      for (const { from, seq, leaves } of signals) {
        assert.equal(marks.fresh(from, seq, !leaves), seq > (highest[from] ?? 0));
        highest[from] = Math.max(seq, highest[from] ?? 0);
        if (leaves) marks.depart(from);
      }
    }),
  );
});

test("watermarks forget the oldest of too many who left", () => {
  const marks = new Watermarks();
  marks.fresh("here", 5, true);
  for (let i = 0; i <= maxDeparted; i++) marks.fresh(`gone ${i}`, 5, false);
  assert.ok(marks.fresh("gone 0", 5, false), "forgotten");
  assert.ok(!marks.fresh(`gone ${maxDeparted}`, 5, false), "remembered");
  assert.ok(!marks.fresh("here", 5, true), "who is here is never forgotten");
});
