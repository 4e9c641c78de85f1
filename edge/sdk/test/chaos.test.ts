import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoomMessage } from "../src/index.ts";
import { until } from "./await.ts";
import { Parley } from "./parley.ts";
import { Proxy } from "./proxy.ts";

test("joins, long frames, requests and leaves go through cuts at any moment", async () => {
  const parley = await Parley.start({
    flags: ["--edge.limits.frame_rate", "2000", "--edge.limits.byte_rate", "40000000", "--edge.limits.byte_burst", "80000000"],
  });
  const proxy = await Proxy.start(parley.listen);
  const bob = await parley.client("bob");
  const ada = await parley.client("ada", { url: proxy.url, backoff: { min: 1, max: 20 } });
  let over = false;
  let cuts = 0; // of this round
  const cutting = (async () => {
    while (!over) {
      // A busy machine may need longer for a long frame than there is between two cuts: they become rarer until it goes through.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * (80 + 4 * cuts++)));
      proxy.cut();
    }
  })();
  try {
    const b = await bob.join("chaos");
    b.on("message", (m: RoomMessage) => void m.reply((m.data as string).length));
    const long = "ü🎉".repeat(20_000);
    let lost = 0;
    ada.on("lost", () => lost++);
    const options = { timeout: 60_000 };
    for (let round = 0; round < 25; round++) {
      cuts = 0;
      const a = await ada.join("chaos", { presence: round });
      await until("bob sees ada", () => [...b.peers.values()].some((p) => p.presence === round));
      const replies = await Promise.all([a.request(b.self.peer, long, options), a.request(b.self.peer, `${round}`, options)]);
      assert.deepEqual(replies.map((m) => m.data), [long.length, `${round}`.length]);
      await a.leave();
      assert.equal(a.state, "left");
    }
    assert.equal(lost, 0, "sessions lost");
    assert.ok(proxy.accepted > 10, `${proxy.accepted} connections`);
  } finally {
    over = true;
    await cutting;
    await Promise.all([ada.close(), bob.close()]);
    await proxy.stop();
    await parley.stop();
  }
});
