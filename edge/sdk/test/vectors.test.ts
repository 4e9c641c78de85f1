import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { decode } from "../src/decode.ts";
import { type ClientFrame, encodeChecked } from "../src/encode.ts";
import { SignalError } from "../src/errors.ts";
import type { Part } from "../src/frames.ts";
import { defaultLimits } from "../src/limits.ts";
import { Assembler } from "../src/parts.ts";

interface Vector {
  name: string;
  text: string;
  texts?: string[];
  frame?: Record<string, unknown>;
  ok?: true;
  ignore?: true;
  error?: string;
  seq?: number;
}
const vectors = (file: string): Vector[] =>
  JSON.parse(readFileSync(`../../services/contract/testdata/vectors/${file}`, "utf8")) as Vector[];

describe("server frames are read", () => {
  const all = vectors("server_frames.json");
  test("all of them", () => assert.ok(all.length >= 56, `${all.length} vectors`));
  for (const vector of all) {
    test(vector.name, () => {
      const parts = new Assembler();
      let text: string | undefined = vector.text;
      for (const part of vector.texts ?? []) text = parts.add(decode(JSON.parse(part)) as Part, defaultLimits.frameBytes);
      assert.ok(text !== undefined, "a whole frame");
      const got = decode(JSON.parse(text));
      if (vector.ignore) assert.equal(got, undefined);
      else assert.deepEqual(got, vector.frame);
    });
  }
});

/** The frames that go through the outbox; the link writes the others, which have no seq. */
const counted = ["join", "offer", "answer", "candidate", "message", "presence", "moderate", "refresh", "leave"];

describe("client frames are written", () => {
  for (const vector of vectors("client_frames.json")) {
    const frame = vector.frame as ClientFrame | undefined;
    if (!frame || !counted.includes(frame.type)) continue;
    test(vector.name, () => {
      const { seq, ...members } = frame;
      const { head, tail, bytes } = encodeChecked(members as ClientFrame, defaultLimits);
      const text = `${head}${seq}${tail}`;
      assert.deepEqual(JSON.parse(text), frame);
      assert.ok(text.startsWith(`{"type":"${frame.type}","seq":${seq},`), "type and seq come first");
      assert.equal(bytes, Buffer.byteLength(text) - String(seq).length);
    });
  }
});

/**
 * What the SDK never lets pass. The rest of the refused texts it can't write: they
 * aren't JSON, or have members of types that TypeScript excludes.
 */
const codes = ["bad_id", "too_large", "bad_json"];
/** It has the form of an id; that its text has a shorter one is the edge's to see. */
const edgeOnly = ["to: token encoded without need", "to: cut-off token"];

describe("what can't be sent is refused before it has a seq", () => {
  for (const vector of vectors("client_frames.json")) {
    if (!codes.includes(vector.error ?? "") || vector.seq === undefined || edgeOnly.includes(vector.name)) continue;
    const { seq: _, ...frame } = JSON.parse(vector.text) as ClientFrame;
    // A value that was parsed has no name twice any more.
    if (!counted.includes(frame.type) || vector.name.startsWith("duplicate key")) continue;
    test(vector.name, () => {
      assert.throws(
        () => encodeChecked(frame as ClientFrame, defaultLimits),
        (error) => error instanceof SignalError && error.code === vector.error && error.seq === undefined && error.status >= 400,
      );
    });
  }
});
