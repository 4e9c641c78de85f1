import assert from "node:assert/strict";
import { test } from "node:test";
import { frameText, shortEdge, sizeText } from "../src/frametext.ts";
import { displayName, friendlyRoom, initials, shade } from "../src/identity.ts";

test("SDP in a frame stands as lines", () => {
  const text = frameText({ type: "offer", description: { type: "offer", sdp: "v=0\r\ns=-\r\nt=0 0\r\n" }, rooms: [], traceparent: undefined });
  assert.equal(text, '{\n  "type": "offer",\n  "description": {\n    "type": "offer",\n    "sdp": \n      v=0\n      s=-\n      t=0 0\n  },\n  "rooms": []\n}');
});

test("sizes and edges are short", () => {
  assert.deepEqual([sizeText(94), sizeText(2149), sizeText(48_000)], ["94 B", "2.1 kB", "48 kB"]);
  assert.equal(shortEdge("edge-1-f75m5aoidf2d"), "1-f75m");
});

test("people are called by their presence, else by their identity", () => {
  assert.equal(displayName("ada-x7k2", { name: " Ada " }), "Ada");
  assert.equal(displayName("ada-x7k2", null), "ada");
  assert.equal(displayName("bot", { name: 7 }), "bot");
});

test("initials are letters of first and last name", () => {
  assert.deepEqual(["Ada Lovelace", "bot-1", "", "👩‍🚀"].map(initials), ["AL", "B1", "?", "👩"]);
});

test("a room has a name that can be said, and that a URL holds as it is", () => {
  for (let i = 0; i < 50; i++) assert.match(friendlyRoom(), /^[a-z]+-[a-z]+-[1-9]\d$/);
  assert.ok(shade("Ada", 6) >= 0 && shade("Ada", 6) < 6);
});
