import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Client, type RoomMessage, SignalError } from "../src/index.ts";
import { next, until } from "./await.ts";
import { Parley } from "./parley.ts";
import { Proxy } from "./proxy.ts";

let parley: Parley;
const clients: Client[] = [];
async function client(identity: string, options: Parameters<Parley["client"]>[1] = {}): Promise<Client> {
  const made = await parley.client(identity, options);
  clients.push(made);
  return made;
}

before(async () => {
  // Fast enough for thousands of messages in a few seconds.
  parley = await Parley.start({
    flags: [
      "--edge.limits.frame_rate", "2000", "--edge.limits.frame_burst", "4000",
      "--edge.limits.byte_rate", "4000000", "--edge.limits.byte_burst", "8000000",
    ],
  });
});
after(async () => {
  await Promise.all(clients.map((c) => c.close()));
  await parley.stop();
});

describe("a lost socket", () => {
  test("costs no message, repeats none and keeps the order, both ways, whenever it is cut", async () => {
    const proxies = [await Proxy.start(parley.listen), await Proxy.start(parley.listen)];
    const [ada, bob] = [await client("ada", { url: proxies[0]?.url as string }), await client("bob", { url: proxies[1]?.url as string })];
    const [a, b] = [await ada.join("stream"), await bob.join("stream")];
    await until("ada sees bob", () => a.peers.size === 1);
    const got = { ada: [] as number[], bob: [] as number[] };
    a.on("message", (m: RoomMessage) => got.ada.push(m.data as number));
    b.on("message", (m: RoomMessage) => got.bob.push(m.data as number));
    let [losses, resumes] = [0, 0];
    for (const c of [ada, bob]) {
      c.on("lost", () => losses++);
      c.on("welcome", ({ resumed }) => resumed && resumes++);
    }
    const stream = async (from: typeof a, to: typeof b): Promise<number[]> => {
      const sent: Promise<void>[] = [];
      for (let i = 0; i < 1_000 || resumes < 4; i++) {
        sent.push(from.send(to.self.peer, i));
        if (sent.length % 100 === 0) await sent[sent.length - 100];
      }
      await Promise.all(sent);
      return sent.map((_, i) => i);
    };
    let over = false;
    const chaos = (async () => {
      for (let i = 0; !over; i++) {
        await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 120));
        proxies[i % 2]?.cut();
      }
    })();
    const [toBob, toAda] = await Promise.all([stream(a, b), stream(b, a)]);
    over = true;
    await chaos;
    await until("everything arrived", () => got.ada.length >= toAda.length && got.bob.length >= toBob.length);
    assert.deepEqual(got.ada, toAda);
    assert.deepEqual(got.bob, toBob);
    assert.equal(losses, 0, "sessions lost");
    await Promise.all(proxies.map((p) => p.stop()));
  });

  test("is resumed also if the welcome was lost, twice in a row", async () => {
    const proxy = await Proxy.start(parley.listen);
    const ada = await client("ada", { url: proxy.url });
    const a = await ada.join("welcomes");
    const bob = await client("bob");
    const b = await bob.join("welcomes");
    let toCut = 2;
    proxy.onDown = (chunk) => chunk.includes('"type":"welcome"') && toCut-- > 0;
    const [session, welcomes] = [ada.session, [] as boolean[]];
    ada.on("welcome", ({ resumed }) => welcomes.push(resumed));
    const heard = next(b, "message");
    proxy.cut();
    const resumed = next(a, "resumed");
    await a.broadcast("still there");
    await resumed;
    assert.equal((await heard).data, "still there");
    assert.ok(toCut <= 0, "welcomes were cut");
    assert.deepEqual(welcomes, [true]);
    assert.equal(ada.session, session);
    await proxy.stop();
  });

  test("at every step of the first connection is no more than a failed try", async () => {
    const proxy = await Proxy.start(parley.listen);
    proxy.onDown = () => true;
    await assert.rejects(client("ada", { url: proxy.url }), (error) => error instanceof SignalError && error.code === "unreachable" && error.retryable);
    proxy.onDown = () => false;
    assert.equal((await client("ada", { url: ["ws://127.0.0.1:1", proxy.url] })).state, "connected");
    await proxy.stop();
  });
});

describe("a lost session", () => {
  test("is told, and its rooms are joined again with a new token", async () => {
    const short = await Parley.start({ flags: ["--edge.resume_window", "1s", "--roomsvc.resume_window", "1s"] });
    const proxy = await Proxy.start(short.listen);
    const asked: string[] = [];
    const ada = await short.client("ada", {
      url: proxy.url,
      token: ({ room, reason }) => {
        asked.push(reason);
        return short.token(room, "ada");
      },
    });
    const bob = await short.client("bob");
    try {
      const a = await ada.join("lost", { presence: { name: "Ada" } });
      const b = await bob.join("lost");
      await until("ada sees bob", () => a.peers.size === 1);
      const before = a.self;
      const expired = next(b, "peer-left");
      const [again, welcome, lost] = [next(b, "peer-joined"), next(ada, "welcome"), next(ada, "lost")];
      const rejoined = next(a, "rejoined");
      ada.disconnect();
      const early = a.broadcast("never sent");
      early.catch(() => {});
      assert.equal((await expired).reason, "expired");
      ada.reconnect();
      assert.equal((await welcome).resumed, false);
      assert.deepEqual((await lost).frames, []);
      await assert.rejects(early, (error) => error instanceof SignalError && error.code === "not_sent" && error.retryable);
      const { self, previous } = await rejoined;
      assert.equal(previous, before);
      assert.notEqual(self.peer, before.peer);
      assert.equal(a.self, self);
      assert.equal((await again).peer, self.peer);
      assert.deepEqual((await again).presence, { name: "Ada" });
      assert.deepEqual(asked, ["join", "rejoin"]);
      assert.deepEqual([...a.peers.keys()], [b.self.peer]);
      const heard = next(b, "message");
      await a.send(b.self.peer, "back");
      assert.equal((await heard).data, "back");
    } finally {
      await Promise.all([ada.close(), bob.close()]);
      await proxy.stop();
      await short.stop();
    }
  });

  test("leaves what was on its way with an unknown outcome, and what waits for the room goes out after it", async () => {
    const first = await Parley.start();
    const proxy = await Proxy.start(first.listen);
    let serving = first;
    const ada = await first.client("ada", { url: proxy.url, token: ({ room }) => serving.token(room, "ada") });
    const a = await ada.join("restart");
    await a.broadcast("settled, and the join before it");
    // No ack gets through; then the edge is killed with its log, and another one that knows nothing takes its place.
    proxy.onDown = (chunk) => chunk.includes('"acked"');
    const lost = next(ada, "lost");
    const sent = a.broadcast("who knows");
    sent.catch(() => {});
    const settled = assert.rejects(sent, (error) => error instanceof SignalError && error.code === "unknown_outcome" && error.seq === 3);
    await until("the ack was cut", () => ada.state === "reconnecting");
    await first.kill("SIGKILL");
    proxy.onDown = () => false;
    const second = await Parley.start({ listen: first.listen });
    serving = second;
    try {
      const rejoined = next(a, "rejoined");
      await assert.rejects(ada.join("restart"), /already_joined|in the room/);
      assert.deepEqual((await lost).frames, [{ type: "message", room: "restart", seq: 3 }]);
      await settled;
      assert.equal(a.state, "rejoining");
      await a.setPresence("waits for the room");
      await rejoined;
      assert.equal(a.state, "joined");
      const bob = await second.client("bob");
      const b = await bob.join("restart");
      await until("only ada is there", () => [...b.peers.values()].map((p) => p.presence).join() === "waits for the room");
      await bob.close();
    } finally {
      await ada.close();
      await proxy.stop();
      await second.stop();
      await first.stop();
    }
  });
});

describe("an edge that is killed", () => {
  test("costs no session: another one over the same log brings it back", async () => {
    const first = await Parley.start();
    const proxy = await Proxy.start(first.listen);
    const ada = await first.client("ada", { url: proxy.url });
    const bob = await first.client("bob", { url: proxy.url });
    const [a, b] = [await ada.join("survives"), await bob.join("survives")];
    const left: string[] = [];
    for (const room of [a, b]) room.on("peer-left", () => left.push(room.self.peer));
    const got: unknown[] = [];
    b.on("message", (m: RoomMessage) => got.push(m.data));
    await a.send(b.self.peer, 1);
    // The last one may be in the log or not: no ack gets through, and then the edge is killed.
    proxy.onDown = (chunk) => chunk.includes('"acked"');
    const sent = a.send(b.self.peer, 2);
    await until("the ack was cut", () => ada.state === "reconnecting");
    const back = [next(ada, "welcome"), next(bob, "welcome")];
    await first.kill("SIGKILL");
    proxy.onDown = () => false;
    const second = await Parley.start({ store: first.store, listen: first.listen });
    try {
      for (const welcome of await Promise.all(back)) assert.equal(welcome.resumed, true);
      await sent;
      await a.send(b.self.peer, 3);
      await until("all came", () => got.length === 3);
      assert.deepEqual([got, left], [[1, 2, 3], []]);
    } finally {
      await Promise.all([ada.close(), bob.close()]);
      await proxy.stop();
      await second.stop();
    }
  });
});
