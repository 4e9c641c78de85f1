import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Client, connect } from "../src/index.ts";
import { next } from "./await.ts";
import { webSocket } from "./parley.ts";
import { ScriptedEdge, type Text } from "./scripted.ts";

const page = new EventTarget();
const seen = Object.assign(new EventTarget(), { visibilityState: "hidden" });
const globals = globalThis as unknown as Record<string, unknown>;

let edge: ScriptedEdge;
let client: Client | undefined;
beforeEach(async () => {
  Object.assign(globals, {
    document: seen, addEventListener: page.addEventListener.bind(page), removeEventListener: page.removeEventListener.bind(page),
  });
  edge = await ScriptedEdge.start();
});
afterEach(async () => {
  await Promise.all([client?.close(), edge.stop()]);
  for (const name of ["document", "addEventListener", "removeEventListener"]) delete globals[name];
});

async function inRoom(backoff: number, welcome: Text = {}) {
  const connecting = connect({ url: edge.url, webSocket, token: () => "t", backoff: { min: backoff, max: backoff } });
  const seat = await edge.next();
  await seat.welcome(welcome);
  client = await connecting;
  const joining = client.join("r");
  await seat.admit();
  return { client, seat, room: await joining };
}

const wakes: Record<string, () => void> = {
  "whose network is back": () => page.dispatchEvent(new Event("online")),
  "that comes back from the browser's memory": () => page.dispatchEvent(new Event("pageshow")),
  "that is seen again": () => {
    seen.visibilityState = "visible";
    seen.dispatchEvent(new Event("visibilitychange"));
  },
};

describe("a page", () => {
  for (const [what, wake] of Object.entries(wakes)) {
    test(`${what} doesn't wait any longer`, async () => {
      const { client, seat, room } = await inRoom(600_000);
      const down = next(client, "state", ({ state }) => state === "reconnecting");
      seat.terminate();
      await down;
      const resumed = next(room, "resumed");
      wake();
      const again = await edge.next();
      await again.welcome({ resumed: true, seq: 1 });
      await resumed;
      await again.take("ping");
      wake();
      await again.take("ping"); // it looks whether the connection lives
      assert.equal(client.state, "connected");
      assert.equal(edge.untaken, 0, "a connection that works is kept");
    });

    test(`${what} gives up a try that may hang for ever`, async () => {
      const { seat, room } = await inRoom(1);
      seat.terminate();
      await edge.next(); // it never welcomes
      const resumed = next(room, "resumed");
      wake();
      await (await edge.next()).welcome({ resumed: true, seq: 1 });
      await resumed;
    });

    test(`${what} replaces a connection that is dead`, async () => {
      const { seat, room } = await inRoom(1, { pingInterval: 400 });
      const resumed = next(room, "resumed");
      const began = performance.now();
      wake();
      await (await edge.next()).welcome({ resumed: true, seq: 1 });
      assert.ok(performance.now() - began < 900, "sooner than by its silence alone");
      await resumed;
      await seat.closed;
    });
  }

  for (const persisted of [false, true]) {
    test(`that goes${persisted ? ", and may be kept," : ""} says bye, and joins again if it is shown again`, async () => {
      const { client, seat, room } = await inRoom(600_000);
      page.dispatchEvent(Object.assign(new Event("pagehide"), { persisted }));
      await seat.take("bye");
      await seat.closed;
      assert.equal(client.state, "reconnecting");
      page.dispatchEvent(new Event("pagehide")); // there is nobody to say it to
      const rejoined = next(room, "rejoined");
      page.dispatchEvent(new Event("pageshow"));
      const again = await edge.next();
      await again.welcome({ session: "s2" });
      await again.admit({ self: { peer: "me2", identity: "ada", epoch: 5 }, revision: 5 });
      await rejoined;
      assert.equal(room.self.peer, "me2");
    });
  }
});

describe("a page that slept", () => {
  test("doesn't take its own silence for the edge's", async () => {
    const { client, seat } = await inRoom(1, { pingInterval: 200 });
    const states: string[] = [];
    client.on("state", ({ state }) => state === "connected" || states.push(state));
    for (let i = 0; i < 3; i++) {
      await seat.take("ping");
      seat.send({ type: "ping" });
      await seat.take("pong");
      seat.send({ type: "ping" }); // it lies there, unread, when the page's timers wake up
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
      await seat.take("pong");
    }
    assert.deepEqual(states, []);
  });
});
