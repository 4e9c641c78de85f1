import { SignalError } from "./errors.ts";
import { Emitter } from "./emitter.ts";
import type { RoomEvents, RoomMessage } from "./events.ts";
import type { Described, Joined, Told, Trickled, WireIceServer } from "./frames.ts";
import type { Json } from "./json.ts";
import type { JoinOptions } from "./options.ts";
import type { LeaveReason, Self } from "./peer.ts";
import type { Queued } from "./queued.ts";
import { Requests } from "./requests.ts";
import { Roster, type RosterChange } from "./roster.ts";
import { Watermarks } from "./watermarks.ts";

/** A join that is under way. */
export interface Entry {
  frame?: Queued;
  resolve(): void;
  reject(error: unknown): void;
}

/** How a message's receiver answers it. */
export type Reply = (to: string, re: string, data: Json) => Promise<void>;

/** One membership of one room: what is known of the room, and what it tells the application. */
export class Membership {
  readonly name: string;
  readonly rollback: boolean;
  readonly events: Emitter<RoomEvents> = new Emitter();
  readonly requests: Requests = new Requests();
  readonly roster: Roster = new Roster();
  readonly #marks = new Watermarks();
  readonly #over = new AbortController();
  readonly #reply: Reply;
  /** The seq of the backend's last message. */
  #said = 0;

  state: "joining" | "joined" | "rejoining" | "left" = "joining";
  leaving = false;
  refreshing = false;
  presence: Json | undefined;
  /** The last one that Client.join was given. */
  token: string | undefined;
  self: Self = { peer: "", identity: "", epoch: 0 };
  iceServers: WireIceServer[] = [];
  icePolicy: "all" | "public" | "relay" = "all";
  tokenExpires = 0;
  cursor = "";
  entry: Entry | undefined;
  /** Frames for the room that wait until it is joined again. */
  waiting: Queued[] = [];

  constructor(name: string, options: JoinOptions, reply: Reply) {
    this.name = name;
    this.presence = options.presence;
    this.token = options.token;
    this.rollback = options.capabilities?.rollback ?? typeof RTCPeerConnection !== "undefined";
    this.#reply = reply;
  }

  /** Aborts with the membership. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Takes a whole room: the answer to a join, or the state after a resume that can't be replayed. */
  joined(frame: Joined): void {
    const { state: before, self: previous } = this;
    if (before === "left") return;
    if (before === "joined" && (frame.self.peer !== previous.peer || frame.revision < this.roster.revision)) return;
    this.self = Object.freeze({ ...frame.self });
    // An edge that couldn't ask for credentials tells only the other servers; what we have is better.
    const better = before === "joining" || frame.iceServers.some((s) => s.credential);
    if (better) this.iceServers = frame.iceServers;
    this.icePolicy = frame.icePolicy === "public" || frame.icePolicy === "relay" ? frame.icePolicy : "all";
    this.tokenExpires = frame.tokenExpires;
    this.cursor = frame.cursor;
    this.state = "joined";
    const changes = this.roster.reset(frame.revision, frame.peers);
    this.entry?.resolve();
    if (before === "joining") {
      this.events.release();
      return; // The roster is what Client.join resolves with.
    }
    if (before === "rejoining") {
      this.#said = 0; // a room that was forgotten meanwhile counts from 1 again
      this.events.emit("rejoined", { self: this.self, previous });
    } else if (better) this.events.emit("ice-servers", this.iceServers);
    for (const change of changes) this.tell(change);
  }

  /** Tells a change of the roster; undefined: it was no news. */
  tell(change: RosterChange | undefined): void {
    if (change?.kind === "joined") this.events.emit("peer-joined", change.peer);
    else if (change?.kind === "updated") this.events.emit("peer-updated", { peer: change.peer, previous: change.previous });
    else if (change) {
      this.#marks.depart(change.peer.peer);
      this.events.emit("peer-left", { peer: change.peer, reason: change.reason });
      this.requests.depart(change.peer.peer);
    }
  }

  /** Takes a signal of another peer, unless it came before. */
  signaled(frame: Described | Trickled | Told): void {
    // The cursor stands before the signal's own entry, so it may be kept at once.
    if (frame.cursor) this.cursor = frame.cursor;
    const { from, epoch = 0, seq = 0, traceparent } = frame;
    if (!this.#fresh(from, seq)) return;
    const trace = traceparent === undefined ? {} : { traceparent };
    if (frame.type === "message") {
      this.#told(frame, { seq, ...trace });
      return;
    }
    if (!from) return;
    const signal = { from, epoch, seq, negotiation: frame.negotiation, ...trace };
    if (frame.type === "candidate") {
      const candidates = [...(frame.candidate ? [frame.candidate] : []), ...(frame.candidates ?? [])];
      if (candidates.length) this.events.emit("candidates", { ...signal, candidates });
    } else {
      this.events.emit(frame.type, { ...signal, description: frame.description as RTCSessionDescriptionInit });
    }
  }

  #fresh(from: string | undefined, seq: number): boolean {
    if (from) return seq > 0 && this.#marks.fresh(from, seq, this.roster.peers.has(from));
    // Without a sender it is the app's backend's, numbered by the room's revisions, which go on over memberships.
    if (seq <= Math.max(this.#said, this.self.epoch)) return false;
    this.#said = seq;
    return true;
  }

  #told({ from, id, re, data }: Told, signal: { seq: number; traceparent?: string }): void {
    const fromId = from || undefined;
    const message: RoomMessage = {
      ...signal,
      from: fromId ? this.roster.peers.get(fromId) : undefined,
      fromId,
      data,
      ...(id !== undefined && { id }),
      ...(re !== undefined && { re }),
      reply: async (answer: Json) => {
        if (!fromId || id === undefined) {
          throw new SignalError("bad_frame", "reply: the sender of this message waits for none", { status: 400 });
        }
        await this.#reply(fromId, id, answer);
      },
    };
    if (!this.requests.answer(message)) this.events.emit("message", message);
  }

  /** The session is gone: the membership has to begin again. It returns whether it should. */
  lost(): boolean {
    this.requests.fail(new SignalError("unknown_outcome", "request: the session was lost before the reply came"));
    if (this.leaving) this.end("left");
    if (this.state !== "joined") return false;
    this.state = "rejoining";
    return true;
  }

  /** Ends the membership, with an event if it ever began. What waits for it rejects with `why`. */
  end(reason: LeaveReason, error?: unknown, why: unknown = error ?? leftError(this.name)): void {
    if (this.state === "left") return;
    const began = this.state !== "joining";
    this.state = "left";
    this.#over.abort(why);
    this.entry?.reject(why);
    this.requests.fail(why);
    for (const frame of this.waiting.splice(0)) frame.settle(why);
    if (began) this.events.emit("left", error === undefined ? { reason } : { reason, error });
  }
}

/** What a call gets that comes after the end of its membership. */
export function leftError(room: string): SignalError {
  return new SignalError("left", `not in the room ${JSON.stringify(room)} any more`);
}
