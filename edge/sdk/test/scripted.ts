import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { defaultLimits } from "../src/limits.ts";

export type Text = Record<string, unknown>;

/** One connection to a scripted edge. */
export class Seat {
  readonly #socket: WebSocket;
  /** Of the request. */
  readonly url: string;
  /** Every frame that came. */
  readonly frames: Text[] = [];
  readonly closed: Promise<number>;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.#socket = socket;
    this.url = request.url ?? "";
    this.closed = once(socket, "close").then(([code]) => code as number);
    socket.on("message", (data) => {
      this.frames.push(JSON.parse(String(data)) as Text);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** The first frame of that type, as soon as it is there; fails after 30 s. */
  async take(type: string): Promise<Text> {
    const end = Date.now() + 30_000;
    for (;;) {
      const at = this.frames.findIndex((frame) => frame["type"] === type);
      if (at >= 0) return this.frames.splice(at, 1)[0] as Text;
      if (Date.now() > end) throw new Error(`no ${type} came`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  send(...frames: (Text | string)[]): void {
    for (const frame of frames) this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Takes the hello and sends a welcome; `more` changes it. */
  async welcome(more: Text = {}): Promise<Text> {
    const hello = await this.take("hello");
    this.greet(more);
    return hello;
  }

  /** Sends a welcome. */
  greet(more: Text): void {
    this.send({
      type: "welcome", session: "s1", resumed: false, seq: 0, resumeWindow: 60_000, pingInterval: 20_000,
      limits: defaultLimits, features: [], edge: "edge-1", ...more,
    });
  }

  /** Takes a join and lets it in. */
  async admit(more: Text = {}): Promise<Text> {
    const join = await this.take("join");
    this.send(joined({ re: join["seq"], room: join["room"], ...more }), { type: "acked", seq: join["seq"] });
    return join;
  }

  close(code: number, reason = ""): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

/** A room with ada, who is the client, and bob. */
export function joined(more: Text): Text {
  return {
    type: "joined", re: 1, room: "r", self: { peer: "me", identity: "ada", epoch: 2 }, revision: 2,
    peers: [{ peer: "bob1", identity: "bob", epoch: 1, version: 1, polite: true, capabilities: {}, state: "here" }],
    iceServers: [], icePolicy: "all", tokenExpires: 1_800_000_000, cursor: "c0", ...more,
  };
}

/** An edge that does what a test says, for what a real one can't be made to do. */
export class ScriptedEdge {
  readonly #server: WebSocketServer;
  readonly #seats: Seat[] = [];
  readonly #takers: ((seat: Seat) => void)[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket, request) => {
      const seat = new Seat(socket, request);
      const taker = this.#takers.shift();
      if (taker) taker(seat);
      else this.#seats.push(seat);
    });
  }

  static async start(subprotocol = "parley.v1"): Promise<ScriptedEdge> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => subprotocol, verifyClient: () => edge.admits() });
    const edge = new ScriptedEdge(server);
    await once(server, "listening");
    return edge;
  }

  private admits(): boolean {
    if (!this.open) this.refused++;
    return this.open;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection. */
  next(): Promise<Seat> {
    const seat = this.#seats.shift();
    return seat ? Promise.resolve(seat) : new Promise((resolve) => this.#takers.push(resolve));
  }

  /** False: it turns everyone away. */
  open = true;
  /** How often it did. */
  refused = 0;

  /** Connections that nobody took. */
  get untaken(): number {
    return this.#seats.length;
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }
}
