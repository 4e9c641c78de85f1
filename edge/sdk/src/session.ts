import { unlessAborted } from "./delay.ts";
import { enter, rejoin } from "./entering.ts";
import { Emitter } from "./emitter.ts";
import { type ClientFrame, encode, encodeChecked } from "./encode.ts";
import { ClosedError, SignalError } from "./errors.ts";
import type { ClientEvents, ClientState, LostFrame } from "./events.ts";
import type { Frame, Refused, Welcome } from "./frames.ts";
import { redact } from "./inspect.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { Link, type LinkOwner, type RoomFrame } from "./link.ts";
import { leftError, Membership } from "./membership.ts";
import type { ClientOptions, JoinOptions, TokenAsk } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { Pace } from "./pace.ts";
import { Queued } from "./queued.ts";
import { newTraceparent, randomId } from "./random.ts";
import { receive } from "./receive.ts";
import { Secrets } from "./secrets.ts";
import { utf8Bytes } from "./utf8.ts";
import { version } from "./version.ts";

/** Ends a join that has to begin again, since the session that it was sent in is gone. */
export const sessionLost: Error = new Error("session lost");

/** One session with Parley's edges: what was sent and isn't settled, and the rooms. */
export class Session implements LinkOwner {
  readonly options: ClientOptions;
  readonly events: Emitter<ClientEvents> = new Emitter();
  readonly link: Link;
  readonly outbox: Outbox<Queued>;
  /** By room, from the join on. */
  readonly members: Map<string, Membership> = new Map();
  readonly #secrets = new Secrets();
  #pace: Pace | undefined;
  #paceTimer: ReturnType<typeof setTimeout> | undefined;

  id = "";
  edge = "";
  resumeWindow = 0;
  limits: Limits = defaultLimits;
  /** Why it is over. */
  ended: ClosedError | SignalError | undefined;
  /** The last error about the connection itself. */
  refused: SignalError | undefined;
  #started: ((error?: unknown) => void) | undefined;

  readonly #abort = (): void => {
    const cause: unknown = this.options.signal?.reason;
    void this.close(new SignalError("aborted", "the client's signal was aborted", { cause }));
  };

  constructor(options: ClientOptions) {
    this.options = options;
    this.outbox = new Outbox(options.outbox?.frames ?? 256, options.outbox?.bytes ?? 256 * 1024);
    this.link = new Link(this, options);
  }

  /** Resolves with the first welcome. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#started = (error) => (error === undefined ? resolve() : reject(error));
      this.options.signal?.addEventListener("abort", this.#abort);
      if (this.options.signal?.aborted) this.#abort();
      else this.link.open();
    });
  }

  // Sending.

  /** Sends a frame with a seq. Resolves when it is settled. */
  send(m: Membership, type: string, members: object, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw aborted(type, signal);
      const abort = (): void => {
        const waiting = m.waiting.indexOf(frame);
        if (waiting >= 0) m.waiting.splice(waiting, 1);
        if (waiting >= 0 || this.outbox.withdraw(frame)) frame.settle(aborted(type, signal));
        else frame.lose();
      };
      const frame = this.queue(m, type, members, (error) => {
        signal?.removeEventListener("abort", abort);
        if (error === undefined) resolve();
        else reject(error);
      });
      signal?.addEventListener("abort", abort);
    });
  }

  /** Puts a frame into the outbox, or throws why it can't. */
  queue(m: Membership, type: string, members: object, done: (error?: unknown) => void): Queued {
    if (this.ended) throw this.closedError();
    if (m.state === "left") throw leftError(m.name);
    const frame: ClientFrame = { type, room: m.name, ...members, traceparent: this.#trace() };
    const queued = new Queued(frame, encodeChecked(frame, this.limits), done);
    const waiting = [...this.members.values()].flatMap((other) => other.waiting);
    const bytes = waiting.reduce((sum, other) => sum + other.bytes, 0);
    // Leaving must be possible whatever waits.
    if (type !== "leave" && !this.outbox.fits(queued.bytes, waiting.length, bytes)) {
      throw new SignalError("outbox_full", "too much waits for its acknowledgement: wait until a call settles", { retryable: true });
    }
    // Behind those that wait, so that the frames keep the order of the calls.
    if (type === "join" || (m.state === "joined" && !m.waiting.length)) this.outbox.add(queued);
    else m.waiting.push(queued);
    this.pump();
    return queued;
  }

  /** Sends what waited until the room is joined again. */
  flush(m: Membership): void {
    if (m.state === "joined") for (const frame of m.waiting.splice(0)) this.outbox.add(frame);
    this.pump();
  }

  /** Writes what the edge and the pace allow. */
  pump(): void {
    clearTimeout(this.#paceTimer);
    if (this.link.state !== "connected" || !this.#pace) return;
    const { unsettledFrames, unsettledBytes, partBytes } = this.limits;
    for (;;) {
      const frame = this.outbox.peek(unsettledFrames, unsettledBytes);
      if (!frame) return;
      const wait = this.#pace.take(performance.now(), 1 + Math.floor(frame.bytes / partBytes), frame.bytes);
      if (wait > 0) {
        this.#paceTimer = setTimeout(() => this.pump(), wait);
        return;
      }
      this.link.write(this.outbox.take());
    }
  }

  #trace(): string | undefined {
    const { trace } = this.options;
    return typeof trace === "function" ? trace() : trace ? newTraceparent() : undefined;
  }

  /** A token for a room, as the options say. */
  async token(m: Membership, reason: TokenAsk["reason"]): Promise<string> {
    const ask = this.options.token;
    if (ask && (reason !== "join" || m.token === undefined)) {
      return unlessAborted(ask({ room: m.name, reason, signal: m.signal }), m.signal);
    }
    if (m.token !== undefined) return m.token;
    throw new SignalError("no_token", "no token: give connect the option token, or join one");
  }

  // Rooms.

  /** Begins a membership; resolves when the room is joined. */
  async join(name: string, options: JoinOptions): Promise<Membership> {
    if (this.ended) throw this.closedError();
    if (this.members.has(name)) {
      throw new SignalError("already_joined", "this client is in the room, or joining or leaving it", { status: 409 });
    }
    const m = new Membership(name, options, (to, re, data) => this.send(m, "message", { to, re, data }));
    this.members.set(name, m);
    this.link.stir();
    try {
      await enter(this, m, "join");
      return m;
    } catch (error) {
      this.finish(m, "", error);
      throw error;
    }
  }

  /** Ends a membership here. */
  finish(m: Membership, reason: string, error?: unknown, why?: unknown): void {
    if (this.members.get(m.name) === m) this.members.delete(m.name);
    m.end(reason, error, why);
  }

  // The link.

  hello(): object {
    const rooms = [...this.members.values()].filter((m) => m.state === "joined" && !m.leaving);
    const { name, version: appVersion } = this.options;
    this.refused = undefined;
    return {
      type: "hello",
      ...this.#secrets.propose(),
      acked: this.outbox.acked,
      ...(rooms.length > 0 && {
        rooms: Object.fromEntries(rooms.map((m) => [m.name, { peer: m.self.peer, cursor: m.cursor || undefined }])),
      }),
      client: { name: name || "parley-js", version: appVersion || version },
      traceparent: this.#trace(),
    };
  }

  welcomed(welcome: Welcome, limits: Limits): () => void {
    const { resumed, seq, session, edge, resumeWindow } = welcome;
    const first = this.id === "";
    this.#secrets.confirm();
    if (resumed && seq < this.outbox.acked) {
      this.#secrets.forget();
      throw new Error("the edge resumed before what it acknowledged");
    }
    this.id = session;
    this.edge = edge;
    this.resumeWindow = resumeWindow;
    this.limits = limits;
    this.#pace = new Pace(limits, performance.now());
    const lost = resumed ? undefined : this.#lose(seq);
    if (resumed) this.outbox.rewind(seq, encode({ type: "leave", room: randomId() }));
    return () => {
      this.events.emit("welcome", { session, resumed, edge, first });
      if (lost && !first) this.events.emit("lost", { frames: lost });
      if (resumed) for (const m of this.members.values()) if (m.state === "joined") m.events.emit("resumed", {});
      if (first) {
        this.#started?.();
        this.events.release();
      }
      this.pump();
    };
  }

  /** Gives up the frames of the old session, joins its rooms again, and returns what has an unknown outcome. */
  #lose(seq: number): LostFrame[] {
    const lost = this.outbox.abandon(seq);
    const frames = lost.map((frame) => frame.report()).filter((frame) => frame !== undefined);
    for (const frame of lost) {
      if (frame.type === "join") frame.settle(sessionLost);
      else frame.lose();
    }
    for (const m of [...this.members.values()]) {
      if (m.entry?.frame?.told) m.entry.reject(sessionLost);
      const again = m.lost();
      if (m.state === "left") this.members.delete(m.name);
      if (again) void rejoin(this, m);
    }
    return frames;
  }

  received(frame: RoomFrame): void {
    receive(this, frame);
  }

  cursors(cursors: Record<string, string>): void {
    for (const [name, cursor] of Object.entries(cursors)) {
      const m = this.members.get(name);
      if (m?.state === "joined" && cursor) m.cursor = cursor;
    }
  }

  idle(): boolean {
    return this.members.size === 0 && this.outbox.size === 0;
  }

  watched(): boolean {
    return this.events.hears("frame");
  }

  passed(direction: "in" | "out", text: string, frame: Frame): void {
    this.events.emit("frame", { direction, at: Date.now(), bytes: utf8Bytes(text), frame: redact(frame) });
  }

  changed(state: ClientState, previous: ClientState, detail: { retryIn?: number; error?: unknown }): void {
    this.events.emit("state", { state, previous, ...detail });
  }

  over(error: unknown): void {
    if (error instanceof ClosedError) error.cause = this.refused;
    void this.close(error as ClosedError | SignalError | undefined);
  }

  /** Ends everything. Resolves when the server knows, if it can. */
  close(why: ClosedError | SignalError = new SignalError("closed", "the client is closed")): Promise<void> {
    if (this.ended) return Promise.resolve();
    this.ended = why;
    clearTimeout(this.#paceTimer);
    const error = this.closedError();
    for (const frame of this.outbox.clear()) frame.settle(error);
    const byServer = why instanceof ClosedError;
    for (const m of [...this.members.values()]) this.finish(m, byServer ? "" : "left", byServer ? why : undefined, error);
    const closed = this.link.close();
    this.options.signal?.removeEventListener("abort", this.#abort);
    this.#started?.(why);
    this.events.emit("closed", byServer ? why : undefined);
    return closed;
  }

  /** What a call gets that comes after the end. */
  closedError(): SignalError {
    return this.ended instanceof SignalError ? this.ended : new SignalError("closed", "the session is over", { cause: this.ended });
  }
}

/** The error that an edge refused something with. */
export function refusalOf({ code, message, status, retryable, retryAfter, rule, re }: Refused): SignalError {
  return new SignalError(code, message, { status, retryable, retryAfter, rule, seq: re });
}

function aborted(type: string, signal?: AbortSignal): SignalError {
  return new SignalError("aborted", `${type}: taken back before it was sent`, { cause: signal?.reason });
}
