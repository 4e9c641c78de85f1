import { socketAddress, withEdge } from "./address.ts";
import { fullJitter, stableAfter } from "./backoff.ts";
import { closeTooLate, comesBack, isLeaving } from "./closecodes.ts";
import { decode } from "./decode.ts";
import { ClosedError, SignalError } from "./errors.ts";
import type { ClientState } from "./events.ts";
import type { Frame, Goaway, Ping, ServerFrame, Welcome } from "./frames.ts";
import { defaultLimits, type Limits, readLimits } from "./limits.ts";
import type { ClientOptions } from "./options.ts";
import { Assembler, splitParts } from "./parts.ts";
import { randomId } from "./random.ts";
import { watchPage } from "./wakeups.ts";
import { Wire } from "./wire.ts";

const defaultConnectTimeout = 10_000;
const defaultPing = 20_000;
const maxPing = 300_000;
/** A client stays at most so long after it was asked to go. */
const maxGoaway = 3_600_000;
/** Ms that the server has to answer a bye. */
const farewellTime = 1_000;

/** Frames that the link deals with itself; the rest is its owner's. */
export type RoomFrame = Exclude<ServerFrame, { type: "welcome" | "ping" | "pong" | "part" }>;

/** What a link asks of the session and tells it. */
export interface LinkOwner {
  /** The first frame of a connection. */
  hello(): object;
  /** A new connection begins. It returns what is to be done once it counts. What it throws ends it. */
  welcomed(welcome: Welcome, limits: Limits): () => void;
  /** What it throws ends the connection. */
  received(frame: RoomFrame): void;
  cursors(cursors: Record<string, string>): void;
  /** Nothing is lost if the client stays away. */
  idle(): boolean;
  /** Anyone wants to see the frames. */
  watched(): boolean;
  passed(direction: "in" | "out", text: string, frame: Frame): void;
  changed(state: ClientState, previous: ClientState, detail: { retryIn?: number; error?: unknown }): void;
  /** The server ended the session for good, or the first connection can't be made. */
  over(error: unknown): void;
}

/** Keeps one connection to an edge alive: tries, waits, listens for life, moves when asked. */
export class Link {
  readonly #owner: LinkOwner;
  readonly #addresses: URL[];
  readonly #make: typeof WebSocket;
  readonly #connectTimeout: number;
  readonly #stopWaking: () => void;

  /** Bounds of the wait before a retry, in ms. */
  readonly backoff: { min: number; max: number };
  #state: ClientState = "connecting";
  /** The address of the last try. */
  #at = -1;
  #failures = 0;
  /** The edge that holds the session; empty: any is as good. */
  #edge = "";

  #wire: Wire | undefined;
  /** Of a move: the next socket until it is open, then the old one until the next is welcomed. */
  #spare: Wire | undefined;
  #parts = new Assembler();
  #limits: Limits = defaultLimits;
  /** Of the next try, or of the present one's end if nothing is heard. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #goaway: ReturnType<typeof setTimeout> | undefined;
  /** Moments of performance.now(). */
  #heard = 0;
  #began = Infinity;
  /** Ms between two pings of the edge. */
  #interval = 0;
  /** The edge closed a connection that was in no room: nothing to come back for yet. */
  #resting = false;
  #rtt: number | undefined;

  constructor(owner: LinkOwner, options: ClientOptions) {
    this.#owner = owner;
    this.#addresses = [options.url].flat().map(socketAddress);
    const make = options.webSocket ?? globalThis.WebSocket;
    if (!this.#addresses.length) throw new SignalError("bad_url", "url: there is none");
    if (!make) throw new SignalError("no_websocket", "this platform has no WebSocket: give the option webSocket");
    this.#make = make;
    this.#connectTimeout = options.connectTimeout ?? defaultConnectTimeout;
    this.backoff = { min: options.backoff?.min ?? 100, max: options.backoff?.max ?? 5_000 };
    this.#stopWaking = watchPage(
      () => this.#woken(),
      () => this.#leave(),
    );
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Ms; undefined until a ping was answered. */
  get rtt(): number | undefined {
    return this.#rtt;
  }

  /** Connects now, whatever is going on. */
  open(): void {
    if (this.#state === "closed") return;
    this.#release();
    this.#wire = this.#dial();
    this.#expect();
  }

  /** The first tries go through the addresses; later ones to any other, so that a dead edge's clients spread. */
  #dial(): Wire | undefined {
    const count = this.#addresses.length;
    const skip = this.#state === "connecting" ? 0 : Math.floor(Math.random() * (count - 1));
    this.#at = (this.#at + 1 + skip) % count;
    let wire: Wire | undefined;
    // A socket that was given up may still call back.
    const ended = (cause: unknown): void => {
      if (this.#wire === wire) this.#lost(cause);
      else if (this.#spare === wire && this.#state === "connected") this.#moveIn(this.#backOff());
    };
    try {
      wire = new Wire(this.#make, withEdge(this.#addresses[this.#at] as URL, this.#edge), {
        opened: () => {
          if (this.#spare === wire) this.#swap();
          if (this.#wire === wire) this.#write(this.#owner.hello());
        },
        received: (text) => this.#wire === wire && this.#received(text),
        ended,
      });
    } catch (error) {
      queueMicrotask(() => ended(error));
    }
    return wire;
  }

  /** Waits for the welcome. */
  #expect(): void {
    this.#timer = setTimeout(() => this.#lost(timeout("no welcome in time")), this.#connectTimeout);
    if (this.#state !== "connecting") this.#set("reconnecting");
  }

  /** Writes a frame, in parts if it is long. */
  write(text: string): void {
    for (const message of splitParts(text, this.#limits.partBytes, randomId())) this.#wire?.send(message);
    if (this.#owner.watched()) this.#owner.passed("out", text, JSON.parse(text) as Frame);
  }

  /** Leaves without a goodbye and stays away until open. */
  disconnect(): void {
    if (this.#state === "closed") return;
    this.#release();
    this.#set("disconnected");
  }

  /** There is something to come back for, unless the application wants to stay away. */
  stir(): void {
    if (this.#resting) this.open();
  }

  /** Says bye, if anyone hears it, and is over. Resolves when the server has answered, or after a second. */
  close(): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    const wire = this.#state === "connected" ? this.#wire : undefined;
    if (wire) this.#write({ type: "bye" });
    this.#wire = undefined;
    this.#release();
    this.#stopWaking();
    this.#set("closed");
    return wire ? wire.finish(farewellTime) : Promise.resolve();
  }

  #write(frame: object): void {
    this.write(JSON.stringify(frame));
  }

  /** Gives up the sockets and all that belongs to them. */
  #release(): void {
    this.#reset();
    this.#wire?.drop();
    this.#spare?.drop();
    this.#wire = this.#spare = undefined;
  }

  #reset(): void {
    if (performance.now() - this.#began > stableAfter) this.#failures = 0;
    this.#began = Infinity;
    this.#resting = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#goaway);
    this.#parts = new Assembler();
    this.#limits = defaultLimits;
  }

  #set(state: ClientState, detail: { retryIn?: number; error?: unknown } = {}): void {
    const previous = this.#state;
    this.#state = state;
    if (previous !== state || detail.error !== undefined) this.#owner.changed(state, previous, detail);
  }

  #received(text: string): void {
    this.#heard = performance.now();
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return; // Nothing that a server sends may end an application.
    }
    const frame = decode(value);
    if (frame?.type === "part") {
      const whole = this.#parts.add(frame, this.#limits.frameBytes);
      if (whole !== undefined) this.#received(whole);
      return;
    }
    if (this.#owner.watched() && typeof value === "object" && value) this.#owner.passed("in", text, value as Frame);
    if (frame) this.#handle(frame);
  }

  #handle(frame: Exclude<ServerFrame, { type: "part" }>): void {
    if (this.#began === Infinity) {
      // Before its welcome an edge has nothing to say but why there is none.
      if (frame.type === "welcome") this.#welcomed(frame);
      else if (frame.type === "error") this.#owner.received(frame);
    } else if (frame.type === "ping") this.#ping(frame);
    else if (frame.type === "pong") {
      if (typeof frame.t === "number" && frame.t <= performance.now()) this.#rtt = performance.now() - frame.t;
    } else if (frame.type !== "welcome") {
      if (frame.type === "goaway") this.#leaveFor(frame);
      this.#owner.received(frame);
    }
  }

  #welcomed(welcome: Welcome): void {
    this.#edge = welcome.edge;
    this.#began = performance.now();
    this.#limits = readLimits(welcome.limits);
    const ping = welcome.pingInterval;
    this.#interval = ping > 0 && ping <= maxPing ? ping : defaultPing;
    this.#spare?.drop();
    this.#spare = undefined;
    this.#watch();
    const begin = this.#owner.welcomed(welcome, this.#limits);
    this.#set("connected");
    // A listener of the state may have ended it at once.
    if (this.#state !== "connected") return;
    begin();
    this.#measure();
  }

  #measure(): void {
    this.#write({ type: "ping", t: performance.now() });
  }

  #ping({ t, cursors }: Ping): void {
    if (cursors) this.#owner.cursors(cursors);
    this.#write({ type: "pong", t });
    this.#measure();
    this.#watch(); // not only by the timer itself: browsers let such chains sleep in pages that nobody sees
  }

  /**
   * Drops a socket that stays silent for `wait` ms and then answers no ping either. The timer alone proves nothing: the
   * page may have slept, and what came meanwhile is still to be read.
   */
  #watch(wait = 2.25 * this.#interval, asked = false): void {
    const from = performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#heard >= from) this.#watch(2.25 * this.#interval + this.#heard - performance.now());
      else if (asked) this.#lost(timeout("the edge is silent"));
      else this.#probe();
    }, wait);
  }

  #probe(): void {
    this.#measure();
    this.#watch(this.#interval / 4, true);
  }

  /** Moves at a random moment, so that an edge's clients don't come to the next one all at once. */
  #leaveFor({ after }: Goaway): void {
    // An edge that sends away whoever just came counts as a failure.
    const young = performance.now() - this.#began < stableAfter;
    this.#moveIn(Math.random() * Math.min(after, maxGoaway) + (young ? this.#backOff() : 0));
  }

  #moveIn(wait: number): void {
    clearTimeout(this.#goaway);
    this.#goaway = setTimeout(() => {
      this.#edge = "";
      this.#moveIn(this.#connectTimeout); // if this one hangs
      this.#spare?.drop();
      this.#spare = this.#dial();
    }, wait);
  }

  /** The next socket is open. From its hello on the old one is only kept, so that nobody sees us away. */
  #swap(): void {
    [this.#wire, this.#spare] = [this.#spare, this.#wire];
    this.#reset();
    this.#expect();
  }

  #backOff(): number {
    return fullJitter(this.backoff.min, this.backoff.max, this.#failures++, Math.random());
  }

  #lost(cause: unknown): void {
    const first = this.#state === "connecting";
    this.#release();
    const code = cause instanceof ClosedError ? cause.closeCode : 0;
    if (code && !comesBack(code)) {
      this.#owner.over(cause);
    } else if (first && this.#at + 1 < this.#addresses.length) {
      this.open();
    } else if (first) {
      const nobody = new SignalError("unreachable", "no edge could be reached", { retryable: true, cause });
      this.#owner.over(cause instanceof SignalError ? cause : nobody);
    } else if (code === closeTooLate && this.#owner.idle()) {
      this.#resting = true;
      this.#set("disconnected", { error: cause });
    } else {
      if (isLeaving(code)) this.#edge = "";
      const retryIn = this.#backOff();
      this.#timer = setTimeout(() => this.open(), retryIn);
      this.#set("reconnecting", { retryIn, error: cause });
    }
  }

  /** Says bye. A page that is shown again after all begins a new session then. */
  #leave(): void {
    if (this.#state !== "connected") return;
    this.#write({ type: "bye" });
    this.#lost(undefined);
  }

  #woken(): void {
    if (this.#state === "connected") this.#probe();
    else if (this.#state === "reconnecting") this.open(); // a try that hangs may never end on another network
  }
}

function timeout(message: string): SignalError {
  return new SignalError("timeout", message, { retryable: true });
}
