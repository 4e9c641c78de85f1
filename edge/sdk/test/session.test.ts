import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Client, type RoomMessage, SignalError } from "../src/index.ts";
import { next, until } from "./await.ts";
import { Parley } from "./parley.ts";

let parley: Parley;
const clients: Client[] = [];
async function client(identity: string, options: Parameters<Parley["client"]>[1] = {}): Promise<Client> {
  const made = await parley.client(identity, options);
  clients.push(made);
  return made;
}
const code = (want: string) => (error: unknown): boolean => {
  assert.ok(error instanceof SignalError, `${error} is a SignalError`);
  assert.equal(error.code, want);
  return true;
};

before(async () => {
  parley = await Parley.start();
});
after(async () => {
  await Promise.all(clients.map((c) => c.close()));
  await parley.stop();
});

describe("a session", () => {
  test("joins, sees the others, and what they show", async () => {
    const [ada, bob] = [await client("ada"), await client("bob")];
    const a = await ada.join("roster", { presence: { name: "Ada" }, capabilities: { rollback: true } });
    assert.equal(a.peers.size, 0);
    const joined = next(a, "peer-joined");
    const b = await bob.join("roster");
    assert.equal(b.self.identity, "bob");
    assert.deepEqual([...b.peers.values()].map((p) => [p.identity, p.presence, p.capabilities.rollback, p.state]), [["ada", { name: "Ada" }, true, "here"]]);
    assert.equal((await joined).peer, b.self.peer);
    const updated = next(a, "peer-updated");
    await b.setPresence({ hand: true });
    assert.deepEqual((await updated).peer.presence, { hand: true });
    assert.deepEqual((await updated).previous.presence, undefined);
    assert.deepEqual(b.presence, { hand: true });
    const left = next(a, "peer-left");
    await b.leave();
    assert.equal(b.state, "left");
    assert.equal((await left).reason, "left");
    assert.equal(a.peers.size, 0);
    assert.equal(bob.rooms.size, 0);
    assert.equal(ada.rooms.get("roster"), a);
  });

  test("carries messages, replies, offers and candidates", async () => {
    const [ada, bob] = [await client("ada"), await client("bob")];
    const a = await ada.join("signals");
    const b = await bob.join("signals");
    b.on("message", (m: RoomMessage) => {
      if (m.id) void m.reply({ echo: m.data });
    });
    const heard = next(b, "message", (m) => m.id === undefined);
    await a.broadcast("to all");
    assert.equal((await heard).data, "to all");
    assert.equal((await heard).from?.identity, "ada");
    const reply = await a.request(b.self.peer, { question: 1 });
    assert.deepEqual(reply.data, { echo: { question: 1 } });
    const offered = next(b, "offer");
    const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    await a.offer(b.self.peer, "n1", { type: "offer", sdp });
    assert.equal((await offered).negotiation, "n1");
    assert.equal((await offered).from, a.self.peer);
    const trickled = next(b, "candidates");
    await a.candidates(b.self.peer, "n1", [
      { candidate: "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host", sdpMid: "0" }, { candidate: "", sdpMid: "0" },
    ]);
    assert.equal((await trickled).candidates.length, 2);
  });

  test("rejects what the edge refuses, and says why", async () => {
    const [ada, bob] = [await client("ada"), await client("bob")];
    const a = await ada.join("refusals");
    const b = await bob.join("refusals");
    await assert.rejects(b.kick(a.self.peer), code("forbidden"));
    await assert.rejects(a.send("a2c4e6g2i4k6m2o4q6s2", 1), code("peer_gone"));
    await assert.rejects(a.offer(b.self.peer, "n1", { type: "offer", sdp: "nonsense" }), code("bad_description"));
    await assert.rejects(ada.join("refusals"), code("already_joined"));
    await assert.rejects(ada.join("other", { token: "no.token.atall" }), code("bad_token"));
    await assert.rejects(a.request(b.self.peer, "?", { timeout: 100 }), code("timeout"));
    const pending = assert.rejects(a.request(b.self.peer, "?"), code("peer_gone"));
    await b.leave();
    await pending;
    await assert.rejects(b.broadcast(1), code("left"));
  });

  test("moderates", async () => {
    const [ada, bob] = [await client("ada", { grants: ["kick", "lock", "close"] }), await client("bob")];
    const a = await ada.join("moderated");
    const b = await bob.join("moderated");
    await bob.join("another");
    await a.lock();
    await assert.rejects((await client("eve")).join("moderated"), code("room_locked"));
    await a.unlock();
    const out = next(b, "left");
    await a.kick(b.self.peer);
    assert.equal((await out).reason, "kicked");
    const closed = next(a, "left");
    await a.close();
    assert.equal((await closed).reason, "closed");
  });

  test("sends long frames in parts, both ways", async () => {
    const [ada, bob] = [await client("ada"), await client("bob")];
    const a = await ada.join("parts");
    const b = await bob.join("parts");
    const long = `"\\🎉é\u0001`.repeat(12_000);
    const heard = next(b, "message");
    await a.send(b.self.peer, long);
    assert.equal((await heard).data, long);
    await assert.rejects(a.send(b.self.peer, "x".repeat(262_144)), code("too_large"));
  });

  test("survives a cut that it makes itself", async () => {
    const [ada, bob] = [await client("ada"), await client("bob")];
    const a = await ada.join("cut");
    const b = await bob.join("cut");
    const session = ada.session;
    const away = next(b, "peer-updated", ({ peer }) => peer.state === "away");
    ada.disconnect();
    assert.equal(ada.state, "disconnected");
    assert.equal((await away).peer.identity, "ada");
    const missed = next(a, "message");
    await b.send(a.self.peer, "while you were away");
    const sent = a.send(b.self.peer, "from afar");
    const [resumed, heard] = [next(a, "resumed"), next(b, "message")];
    ada.reconnect();
    await resumed;
    await sent;
    assert.equal((await heard).data, "from afar");
    assert.equal((await missed).data, "while you were away");
    assert.equal(ada.session, session);
    await until("ada has an rtt", () => ada.rtt !== undefined);
  });

  test("renews its grants, and is seen by the edge with its trace", async () => {
    const grants: string[] = [];
    const ada = await client("ada", { token: ({ room }) => parley.token(room, "ada", { grants }), trace: true });
    const a = await ada.join("grants");
    await assert.rejects(a.lock(), code("forbidden"));
    grants.push("lock");
    await a.refresh();
    await a.lock();
    const bob = await client("bob");
    const heard = next(await (await bob.join("traced")), "message");
    const other = await ada.join("traced");
    await other.broadcast("x");
    assert.match((await heard).traceparent ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
  });

  test("closes with a goodbye", async () => {
    const [ada, bob] = [await client("ada"), await client("bob")];
    const a = await ada.join("bye");
    const b = await bob.join("bye");
    const gone = next(b, "peer-left");
    const [left, closed] = [next(a, "left"), next(ada, "closed")];
    const pending = assert.rejects(a.broadcast("too late"), code("closed"));
    void ada.close();
    await pending;
    await assert.rejects(a.broadcast(1), code("closed"));
    await assert.rejects(ada.join("again"), code("closed"));
    assert.equal((await left).reason, "left");
    assert.equal(await closed, undefined);
    assert.equal((await gone).reason, "left");
    assert.equal(ada.state, "closed");
    assert.equal(ada.error, undefined);
  });
});
