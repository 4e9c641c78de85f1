import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Client, ClosedError, type ClientOptions, connect, type Frame, SignalError } from "../src/index.ts";
import { next, until } from "./await.ts";
import { webSocket } from "./parley.ts";
import { joined, ScriptedEdge, type Seat, type Text } from "./scripted.ts";

let edge: ScriptedEdge;
let client: Client | undefined;
beforeEach(async () => {
  edge = await ScriptedEdge.start();
});
afterEach(async () => {
  await Promise.all([client?.close(), edge.stop()]);
  client = undefined;
});

async function begin(options: Partial<ClientOptions> = {}, welcome: Text = {}): Promise<{ client: Client; seat: Seat }> {
  const connecting = connect({ url: edge.url, webSocket, token: () => "t", backoff: { min: 5, max: 20 }, ...options });
  const seat = await edge.next();
  await seat.welcome(welcome);
  client = await connecting;
  return { client, seat };
}
async function inRoom(options: Partial<ClientOptions> = {}, welcome: Text = {}) {
  const { client, seat } = await begin(options, welcome);
  const joining = client.join("r");
  await seat.admit();
  return { client, seat, room: await joining };
}
const code = (want: string) => (error: unknown): boolean => error instanceof SignalError && error.code === want;
const relayed = (seq: number, data: unknown, more: Text = {}): Text => ({ type: "message", room: "r", from: "bob1", epoch: 1, seq, cursor: `c${seq}`, data, ...more });

describe("a client comes back", () => {
  for (const closeCode of [1001, 1011, 1012, 1013, 4000, 4429, 4440]) {
    test(`after ${closeCode}`, async () => {
      const { client, seat, room } = await inRoom();
      const resumed = next(room, "resumed");
      seat.close(closeCode);
      const again = await edge.next();
      const hello = await again.welcome({ resumed: true, seq: 1 });
      await resumed;
      assert.equal(client.state, "connected");
      assert.deepEqual(hello["rooms"], { r: { peer: "me", cursor: "c0" } });
      assert.deepEqual([hello["attempt"], (hello["resume"] as string[]).length, hello["acked"]], [2, 1, 1]);
      assert.equal(again.url, closeCode === 1001 || closeCode === 1012 ? "/v1/ws" : "/v1/ws?edge=edge-1");
    });
  }

  test("to an edge that has new ICE servers for it, and keeps its own if that couldn't ask for credentials", async () => {
    const { seat, room } = await inRoom();
    const turn = (username: string) => ({ urls: ["turn:t"], username, credential: "c" });
    const stun = { urls: ["stun:s"] };
    const told: unknown[] = [];
    room.on("ice-servers", (servers) => told.push(servers));
    let last = seat;
    let heard = 0;
    for (const servers of [[stun, turn("first")], [stun], [], [turn("second")]]) {
      const resumed = next(room, "resumed");
      last.terminate();
      last = await edge.next();
      await last.welcome({ resumed: true, seq: 1 });
      await resumed;
      last.send(joined({ iceServers: servers }), relayed(++heard, "heard"));
      await next(room, "message");
    }
    const [first, second] = [[stun, turn("first")], [turn("second")]];
    assert.deepEqual(told, [first, second]);
    assert.deepEqual(room.iceServers, second);
  });

  test("when the edge is silent", async () => {
    const { client, seat } = await begin({}, { pingInterval: 40 });
    const down = next(client, "state", ({ state }) => state === "reconnecting");
    seat.send({ type: "ping", t: [1], cursors: {} });
    assert.deepEqual(await seat.take("pong"), { type: "pong", t: [1] });
    const { error } = await down;
    assert.ok(code("timeout")(error), String(error));
    await (await edge.next()).welcome({ resumed: true });
  });

  test("when a frame of its own was left out", async () => {
    const { seat, room } = await inRoom();
    const sending = room.broadcast("x");
    const first = await seat.take("message");
    seat.send({ type: "error", code: "seq_hole", status: 409, message: "2 is next", retryable: false });
    const again = await edge.next();
    await again.welcome({ resumed: true, seq: 1 });
    assert.deepEqual(await again.take("message"), first);
    again.send({ type: "acked", seq: 2 });
    await sending;
  });

  test("as a new session, if the edge forgot what it had acknowledged", async () => {
    const { client, seat } = await inRoom();
    seat.terminate();
    const bad = await edge.next();
    await bad.welcome({ resumed: true, seq: 0 });
    const fresh = await edge.next();
    const hello = await fresh.take("hello");
    assert.equal(hello["resume"], undefined);
    assert.equal(client.state, "reconnecting");
  });

  test("with the next address, at once when it is told to", async () => {
    const other = await ScriptedEdge.start();
    const { client, seat } = await begin({ url: [edge.url, other.url], backoff: { min: 60_000, max: 60_000 } });
    const waits = next(client, "state", ({ state }) => state === "reconnecting");
    seat.terminate();
    assert.ok(((await waits).retryIn ?? -1) >= 0);
    client.reconnect();
    await (await other.next()).welcome({ resumed: true });
    await until("connected", () => client.state === "connected");
    client.disconnect();
    await other.stop();
  });

  test("only for the next join, after the edge found it in no room", async () => {
    const { client, seat } = await begin();
    const rests = next(client, "state", ({ state }) => state === "disconnected");
    seat.close(4408, "no room in time");
    await rests;
    assert.equal(edge.untaken, 0);
    const joining = client.join("r");
    const again = await edge.next();
    await again.welcome({ resumed: true });
    await again.admit();
    assert.equal((await joining).state, "joined");
  });
});

describe("a client ends", () => {
  for (const closeCode of [1000, 1003, 1007, 1009, 4501, 4503, 4509, 4510]) {
    test(`after ${closeCode}`, async () => {
      const { client, seat, room } = await inRoom();
      const [closed, left] = [next(client, "closed"), next(room, "left")];
      const sending = room.broadcast("x");
      seat.send({ type: "error", code: "bad_json", status: 400, message: "m", retryable: false });
      seat.close(closeCode, "why");
      await assert.rejects(sending, code("closed"));
      const error = await closed;
      assert.ok(error instanceof ClosedError);
      assert.deepEqual([error.closeCode, error.reason, client.state, client.error], [closeCode, "why", "closed", error]);
      assert.ok(code("bad_json")(error.cause));
      assert.equal((await left).error, error);
      assert.equal(room.state, "left");
      await assert.rejects(client.join("again"), code("closed"));
      client.reconnect();
      assert.equal(client.state, "closed");
    });
  }

  test("with its signal", async () => {
    const aborter = new AbortController();
    const { client, seat, room } = await inRoom({ signal: aborter.signal });
    const sending = room.broadcast("x");
    aborter.abort();
    await assert.rejects(sending, code("aborted"));
    assert.equal(client.state, "closed");
    await seat.take("bye");
    assert.equal(await seat.closed, 1000);
  });
});

describe("what waits when a client closes is told so", () => {
  const never = new Promise<string>(() => {});

  test("joins, requests and frames", async () => {
    const { client, seat, room } = await inRoom({ token: ({ room }) => (room === "r" ? "t" : never) });
    const calls = [client.join("slow"), room.request("bob1", 1), room.broadcast(2)].map((call) => assert.rejects(call, code("closed")));
    await seat.take("message");
    await client.close();
    await Promise.all(calls);
  });

  test("what waits for a room that is being joined again", async () => {
    const { client, seat, room } = await inRoom({ token: ({ reason }) => (reason === "join" ? "t" : never) });
    seat.terminate();
    await (await edge.next()).welcome({ session: "s2" });
    await until("joining again", () => room.state === "rejoining");
    const sending = assert.rejects(room.broadcast(3), code("closed"));
    await client.close();
    await sending;
  });
});

describe("connecting fails", () => {
  test("with what ended it for good", async () => {
    const connecting = connect({ url: edge.url, webSocket });
    const seat = await edge.next();
    seat.send({ type: "error", code: "bad_frame", status: 400, message: "hello: next is missing", retryable: false });
    seat.close(1003, "bad hello");
    await assert.rejects(connecting, (e) => e instanceof ClosedError && e.closeCode === 1003 && code("bad_frame")(e.cause));
  });

  test("with the reason that the edge gives where a browser can see it", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.statusCode = 403;
      response.end('{"type":"error","code":"forbidden","status":403,"message":"pages of this origin may not connect","retryable":false}');
    });
    server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    await assert.rejects(connect({ url: `ws://127.0.0.1:${port}`, webSocket }), (e) => code("forbidden")(e) && (e as SignalError).status === 403);
    assert.deepEqual(asked, ["/v1/check"]);
    server.closeAllConnections();
    server.close();
  });

  test("when no welcome comes in time", async () => {
    await assert.rejects(connect({ url: edge.url, webSocket, connectTimeout: 30 }), code("timeout"));
  });

  test("when the server speaks something else", async () => {
    const other = await ScriptedEdge.start("other.v1");
    await assert.rejects(connect({ url: other.url, webSocket }), code("unreachable"));
    await other.stop();
  });

  test("when its signal aborts, before or on the way", async () => {
    await assert.rejects(connect({ url: edge.url, webSocket, signal: AbortSignal.abort("why") }), (e) => code("aborted")(e) && (e as Error).cause === "why");
    const aborter = new AbortController();
    const connecting = connect({ url: edge.url, webSocket, signal: aborter.signal });
    await edge.next();
    aborter.abort();
    await assert.rejects(connecting, code("aborted"));
  });

  test("for an address that can't be one, and without a WebSocket", async () => {
    await assert.rejects(connect({ url: "nowhere", webSocket }), code("bad_url"));
    await assert.rejects(connect({ url: [], webSocket }), code("bad_url"));
    if (!("WebSocket" in globalThis)) await assert.rejects(connect({ url: edge.url }), code("no_websocket"));
  });
});

describe("frames", () => {
  test("that nobody knows, that are broken or binary-like, disturb nothing", async () => {
    const { seat, room } = await inRoom();
    const heard = next(room, "message");
    seat.send(
      "not JSON", "null", "[]", '{"type":7}', '{"type":"toString"}', { type: "from-tomorrow", room: "r" }, { type: "message", room: "r" },
      { type: "joined", room: "r" }, { type: "acked", seq: -1 }, { type: "acked", seq: 99 }, { type: "welcome" },
      { type: "error", re: 77, code: "x", status: 1, message: "", retryable: false }, { type: "filtered", re: 77, rule: "x", count: 1 },
      { type: "left", room: "other", revision: 1, reason: "kicked" }, relayed(1, "fine"),
    );
    assert.equal((await heard).data, "fine");
  });

  test("that were seen before are dropped, by sender and seq", async () => {
    const { seat, room } = await inRoom();
    const got: unknown[] = [];
    room.on("message", (m) => got.push([m.fromId, m.data]));
    seat.send(relayed(5, "a"), relayed(5, "a again"), relayed(4, "older"), relayed(6, "b"), relayed(5, "c", { from: "eve" }), ...[2, 3, 3, 7, 4].map((seq) => relayed(seq, `app ${seq}`, { from: undefined, epoch: undefined })), relayed(8, "app 8", { from: "" }), relayed(7, "end"));
    await until("the last came", () => got.length >= 7);
    // The revision 2 is the one with which this member joined.
    assert.deepEqual(got, [["bob1", "a"], ["bob1", "b"], ["eve", "c"], ...[3, 7, 8].map((seq) => [undefined, `app ${seq}`]), ["bob1", "end"]]);
  });

  test("of the room become events, in their order", async () => {
    const asked: string[] = [];
    const { seat, room } = await inRoom({ token: ({ reason }) => `t${asked.push(reason)}` });
    const got: unknown[] = [];
    for (const event of ["gap", "ice-servers", "token-expiring", "peer-joined", "candidates", "filtered"] as const) room.on(event, (e: unknown) => got.push([event, e]));
    const offering = room.offer("bob1", "n1", { type: "offer", sdp: "v=0" });
    await seat.take("offer");
    const servers = [{ urls: ["turn:t"], username: "u", credential: "c" }];
    const peer = { peer: "eve1", identity: "eve", epoch: 3, version: 1, polite: false, capabilities: { rollback: true }, state: "here" };
    seat.send(
      { type: "gap", room: "r", from: "bob1", reason: "too old" }, { type: "gap", room: "r", reason: "all" },
      { type: "ice-servers", room: "r", iceServers: servers }, { type: "token-expiring", room: "r", expires: 5 },
      { type: "filtered", re: 2, rule: "loopback", count: 3 }, { type: "acked", seq: 2 },
      { type: "peer-joined", room: "r", revision: 3, peer }, { type: "peer-joined", room: "r", revision: 3, peer },
      { type: "candidate", room: "r", from: "bob1", epoch: 1, seq: 1, cursor: "c1", negotiation: "n1", candidate: { candidate: "" } },
    );
    await offering;
    assert.deepEqual((await seat.take("refresh"))["token"], "t2");
    await until("all came", () => got.length >= 7);
    assert.deepEqual(got, [
      ["gap", { from: "bob1", reason: "too old" }], ["gap", { reason: "all" }], ["ice-servers", servers], ["token-expiring", { expires: 5 }],
      ["filtered", { seq: 2, rule: "loopback", count: 3, to: "bob1", negotiation: "n1" }], ["peer-joined", { ...peer, presence: undefined }],
      ["candidates", { from: "bob1", epoch: 1, seq: 1, negotiation: "n1", candidates: [{ candidate: "" }] }],
    ]);
    assert.deepEqual(asked, ["join", "refresh"]);
    assert.deepEqual(room.iceServers, servers);
  });

  test("that come with the joined wait for listeners", async () => {
    const { client, seat } = await begin();
    const joining = client.join("r");
    const join = seat.admit();
    void join.then(() => seat.send(relayed(1, "early"), relayed(2, "bird")));
    const room = await joining;
    const got: unknown[] = [];
    room.on("message", (m) => got.push(m.data));
    await until("both came", () => got.length === 2);
    assert.deepEqual(got, ["early", "bird"]);
  });

  test("carry a trace each, if that is wanted, and inspectors see them without secrets", async () => {
    const { client, seat } = await begin({ trace: true });
    const seen: string[] = [];
    client.on("frame", ({ direction, frame, bytes }: { direction: string; frame: Frame; bytes: number }) => {
      seen.push(`${direction} ${frame.type}`);
      assert.ok(bytes > 0);
      assert.ok(!JSON.stringify(frame).includes('"t"') || frame.type !== "join", "no token");
    });
    const joining = client.join("r");
    assert.match(String((await seat.admit())["traceparent"]), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    await joining;
    await until("all were seen", () => seen.includes("in joined"));
    assert.deepEqual(seen.slice(0, 2), ["out hello", "in welcome"]);
    assert.ok(seen.includes("in joined") && seen.includes("out join"), seen.join());
  });
});

describe("sending", () => {
  test("settles in order, and an error before its acked", async () => {
    const { seat, room } = await inRoom();
    const outcomes: string[] = [];
    const sends = [1, 2, 3].map((n) => room.send("bob1", n).then(() => outcomes.push(`${n} ok`), (e: SignalError) => outcomes.push(`${n} ${e.code} ${e.retryAfter} ${e.seq}`)));
    for (let i = 0; i < 3; i++) await seat.take("message");
    seat.send({ type: "error", re: 3, code: "from_tomorrow", status: 418, message: "m", retryable: true, retryAfter: 7 }, { type: "acked", seq: 4 });
    await Promise.all(sends);
    assert.deepEqual(outcomes, ["2 from_tomorrow 7 3", "1 ok", "3 ok"]);
  });

  test("is bounded, and can be taken back until it is written", async () => {
    const { client, seat, room } = await inRoom({ outbox: { frames: 3 } });
    client.disconnect();
    const aborter = new AbortController();
    const first = room.broadcast(1, { signal: aborter.signal });
    const rest = [room.broadcast(2), room.broadcast(3)];
    await assert.rejects(room.broadcast(4), (e) => code("outbox_full")(e) && (e as SignalError).retryable);
    aborter.abort();
    await assert.rejects(first, code("aborted"));
    client.reconnect();
    await seat.closed;
    const again = await edge.next();
    await again.welcome({ resumed: true, seq: 1 });
    assert.deepEqual([(await again.take("message"))["data"], (await again.take("message"))["seq"]], [2, 3]);
    const late = new AbortController();
    const written = room.broadcast(5, { signal: late.signal });
    await again.take("message");
    late.abort();
    await assert.rejects(written, code("unknown_outcome"));
    again.send({ type: "acked", seq: 4 });
    await Promise.all(rest);
    await assert.rejects(room.broadcast(6, { signal: AbortSignal.abort() }), code("aborted"));
  });

  test("keeps to nine tenths of the edge's rate", async () => {
    const { seat, room } = await inRoom({}, { limits: { ...{ frameRate: 100, frameBurst: 10 } } });
    const start = Date.now();
    for (let i = 0; i < 26; i++) room.broadcast(i).catch(() => {});
    for (let i = 0; i < 26; i++) assert.equal((await seat.take("message"))["data"], i);
    const took = Date.now() - start;
    assert.ok(took >= 180, `26 frames with a burst of 9 and 90 a second took ${took} ms`);
  });

  test("of a frame that was refused has no effect when its seq must be used again", async () => {
    const { seat, room } = await inRoom();
    const sending = room.broadcast("secret");
    await seat.take("message");
    seat.send({ type: "error", re: 2, code: "unavailable", status: 503, message: "m", retryable: true });
    await assert.rejects(sending, code("unavailable"));
    seat.terminate();
    const again = await edge.next();
    await again.welcome({ resumed: true, seq: 1 });
    const leave = await again.take("leave");
    assert.equal(leave["seq"], 2);
    assert.notEqual(leave["room"], "r");
  });
});

describe("joining again", () => {
  test("is tried until it makes no sense any more", async () => {
    let tokens = 0;
    const { seat, room } = await inRoom({
      token: () => {
        if (++tokens === 2) throw new Error("my backend is down");
        return `t${tokens}`;
      },
    });
    const left = next(room, "left");
    seat.terminate();
    const again = await edge.next();
    await again.welcome({ session: "s2" });
    const refuse = async (codeOf: string, retryable: boolean): Promise<Text> => {
      const join = await again.take("join");
      again.send({ type: "error", re: join["seq"], code: codeOf, status: 400, message: "m", retryable }, { type: "acked", seq: join["seq"] });
      return join;
    };
    assert.equal((await refuse("room_full", true))["token"], "t3");
    assert.equal((await refuse("token_expired", false))["token"], "t4");
    assert.equal(room.state, "rejoining");
    const waiting = room.broadcast("waits");
    await refuse("room_locked", false);
    assert.ok(code("room_locked")((await left).error));
    await assert.rejects(waiting, code("room_locked"));
  });

  test("ends when the application leaves meanwhile", async () => {
    let asked = (): void => {};
    const again = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { seat, room, client } = await inRoom({ token: ({ reason }) => (reason === "join" ? "t" : (asked(), new Promise<string>(() => {}))) });
    seat.terminate();
    await (await edge.next()).welcome({ session: "s2" });
    await again;
    await room.leave();
    assert.equal(room.state, "left");
    assert.equal(client.rooms.size, 0);
    await room.leave();
  });
});
