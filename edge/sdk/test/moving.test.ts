import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Client, type ClientOptions, connect } from "../src/index.ts";
import { next, until } from "./await.ts";
import { webSocket } from "./parley.ts";
import { ScriptedEdge, type Text } from "./scripted.ts";

let edges: ScriptedEdge[] = [];
let client: Client | undefined;
beforeEach(async () => {
  edges = await Promise.all([ScriptedEdge.start(), ScriptedEdge.start(), ScriptedEdge.start()]);
});
afterEach(async () => {
  await Promise.all([client?.close(), ...edges.map((edge) => edge.stop())]);
});

const edge = (i: number): ScriptedEdge => edges[i] as ScriptedEdge;
const goaway = (after: number): Text => ({ type: "goaway", after, reason: "restart" });

/** A client in a room, at the first of so many edges. */
async function inRoom(count: number, options: Partial<ClientOptions> = {}) {
  const url = edges.slice(0, count).map((one) => one.url);
  const connecting = connect({ url, webSocket, token: () => "t", backoff: { min: 5, max: 20 }, ...options });
  const seat = await edge(0).next();
  await seat.welcome();
  client = await connecting;
  const joining = client.join("r");
  await seat.admit();
  return { client, seat, room: await joining };
}

describe("a client that is sent away", () => {
  test("keeps the old connection until the next one is welcomed, and loses no frame", async () => {
    const { client, seat, room } = await inRoom(2);
    const told = next(client, "goaway");
    seat.send(goaway(60));
    assert.deepEqual(await told, { after: 60, reason: "restart" });
    let gone = false;
    void seat.closed.then(() => (gone = true));
    const settled = room.broadcast("settled there");
    await seat.take("message");
    seat.send({ type: "acked", seq: 2 });
    await settled;
    const flying = room.broadcast("on its way");
    const first = await seat.take("message");

    const again = await edge(1).next();
    assert.equal(again.url, "/v1/ws", "any edge is as good");
    const hello = await again.take("hello");
    assert.deepEqual([hello["acked"], hello["attempt"]], [2, 2]);
    seat.send({ type: "acked", seq: 3 }); // too late: who said hello elsewhere doesn't hear it
    await seat.take("ping");
    assert.equal(gone, false, "the old connection must outlive the hello");
    const resumed = next(room, "resumed");
    again.greet({ resumed: true, seq: 2, edge: "edge-2" });
    await resumed;
    assert.equal(client.edge, "edge-2");
    assert.deepEqual(await again.take("message"), first);
    again.send({ type: "acked", seq: 3 });
    await flying;
    await seat.closed;
  });

  test("stays while there is no other place, and goes on looking for one", async () => {
    const { client, seat, room } = await inRoom(2);
    for (const one of edges) one.open = false;
    const states: string[] = [];
    client.on("state", ({ state }) => states.push(state));
    seat.send(goaway(0));
    await until("it knocked at both", () => edge(0).refused > 0 && edge(1).refused > 1);
    states.length = 0; // the first welcome's
    const settled = room.broadcast("still here");
    await seat.take("message");
    seat.send({ type: "acked", seq: 2 });
    await settled;
    assert.deepEqual(states, []);
    for (const one of edges) one.open = true;
    const again = await Promise.race([edge(1).next(), edge(0).next()]);
    const resumed = next(room, "resumed");
    await again.welcome({ resumed: true, seq: 2 });
    await resumed;
    assert.deepEqual(states, ["reconnecting", "connected"]);
  });

  test("comes back as ever when the old connection ends before that", async () => {
    const { seat, room } = await inRoom(1);
    seat.send(goaway(3_600_000));
    seat.close(1012);
    const resumed = next(room, "resumed");
    await (await edge(0).next()).welcome({ resumed: true, seq: 1 });
    await resumed;
  });

  test("comes back as ever when the next place doesn't welcome it", async () => {
    const { client, seat, room } = await inRoom(2, { connectTimeout: 1_000 }); // in which an edge that answers is heard on any machine
    const failed = next(client, "state", ({ error }) => (error as { code?: string } | undefined)?.code === "timeout");
    seat.send(goaway(0));
    await edge(1).next(); // and nothing more
    await failed;
    const resumed = next(room, "resumed");
    await (await edge(0).next()).welcome({ resumed: true, seq: 1 });
    await resumed;
    await seat.closed;
  });

  test("is not hurried by an edge that sends everyone away at once", async () => {
    let { seat } = await inRoom(1, { backoff: { min: 40, max: 10_000 } });
    const began = performance.now();
    let moves = 0;
    for (; moves < 7; moves++) {
      seat.send(goaway(0));
      seat = await edge(0).next();
      await seat.welcome({ resumed: true, seq: 1 });
    }
    // Seven waits of up to 40 ms, doubling: 5 s at most, 2.5 s on average, and hardly ever under 250 ms.
    assert.ok(performance.now() - began > 250, `${moves} moves in ${performance.now() - began} ms`);
  });
});

describe("several addresses", () => {
  test("are tried in their order at first, and any other after a loss", async () => {
    const seen = new Set<number>();
    for (let i = 0; i < 40 && seen.size < 2; i++) {
      const { client, seat } = await inRoom(3);
      const found = Promise.race([1, 2].map(async (at) => ({ at, seat: await edge(at).next() })));
      seat.terminate();
      const { at, seat: other } = await found;
      await other.welcome({ resumed: true, seq: 1 });
      await until("connected", () => client.state === "connected");
      seen.add(at);
      await client.close();
      await Promise.all(edges.map((one) => one.stop()));
      edges = await Promise.all([ScriptedEdge.start(), ScriptedEdge.start(), ScriptedEdge.start()]);
    }
    assert.deepEqual([...seen].sort(), [1, 2]);
  });

  test("that can't be one are no more than failed tries", async () => {
    class Picky extends (webSocket as unknown as new (url: string, protocol: string) => object) {
      constructor(url: string, protocol: string) {
        if (url.includes("insecure")) throw new DOMException("mixed content", "SecurityError");
        super(url, protocol);
      }
    }
    const connecting = connect({ url: ["ws://insecure.test", edge(0).url], webSocket: Picky as unknown as typeof WebSocket });
    await (await edge(0).next()).welcome();
    client = await connecting;
    assert.equal(client.state, "connected");
  });
});
