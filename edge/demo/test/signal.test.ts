import assert from "node:assert/strict";
import { test } from "node:test";
import { bannerOf, linkStateOf, newsLasts } from "../src/signal.ts";

test("while the signal is cut the banner counts, and says how long the seat is kept", () => {
  const at = (now: number) => bannerOf({ kind: "cut", since: 0 }, now, 60_000);
  assert.deepEqual([at(12_000)?.clock, at(12_000)?.text], ["12 s", "Your seat is kept for 48 s."]);
  assert.match(at(61_000)?.text ?? "", /joining again/);
  assert.match(bannerOf({ kind: "cut", since: 0, until: 5000 }, 2000, 0)?.text ?? "", /Reconnects in 3 s/);
});

test("good news goes by itself", () => {
  assert.equal(bannerOf({ kind: "resumed", at: 0, away: 3000 }, newsLasts - 1, 0)?.title, "Resumed: nothing lost");
  assert.equal(bannerOf({ kind: "resumed", at: 0, away: 3000 }, newsLasts, 0), undefined);
  assert.equal(bannerOf({ kind: "connected" }, 0, 0), undefined);
});

test("after a rejoin the banner says what isn't known", () => {
  const text = (unknown: number) => bannerOf({ kind: "rejoined", at: 0, away: 70_000, unknown }, 1, 0)?.text ?? "";
  assert.match(text(2), /2 signals isn't known/);
  assert.match(text(0), /No signal was on its way/);
});

test("a peer without signaling is told apart from one without a connection", () => {
  assert.equal(linkStateOf("connected", true).text, "connected");
  assert.equal(linkStateOf("connected", false).text, "signal lost, call goes on");
  assert.equal(linkStateOf("failed", false).text, "away");
  assert.equal(linkStateOf(undefined, true).text, "connecting");
});
