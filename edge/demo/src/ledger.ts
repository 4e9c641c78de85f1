import type { ClientEvents } from "@parley/client";

export type FrameEvent = ClientEvents["frame"];
/** What the list can be filtered by. */
export type Kind = "offer" | "answer" | "candidate" | "message" | "room" | "session";
export const kinds: readonly Kind[] = ["offer", "answer", "candidate", "message", "room", "session"];

/** One line of the list. */
export interface Entry {
  readonly id: number;
  readonly at: number;
  /** A signal; a run of acks and pings; or something that happened to the connection. */
  readonly form: "signal" | "quiet" | "note";
  readonly kind: Kind;
  readonly direction: "in" | "out";
  readonly type: string;
  /** The edge that held the tab when the frame passed. */
  readonly edge: string;
  /** The other side: a peer's name, "everyone", or "" where it is the edge itself; of a verdict its rule or code. */
  readonly who: string;
  readonly seq: number | undefined;
  bytes: number;
  readonly frame: Readonly<Record<string, unknown>>;
  readonly trace: string | undefined;
  /** Frames that this line stands for. */
  count: number;
  /** Milliseconds until the edge settled it. */
  settled: number | undefined;
  /** What the edge or its filter said of it: "filtered: private_address", "refused: glare". */
  verdict: string | undefined;
  text: string;
}

const kindOf: Readonly<Record<string, Kind>> = {
  offer: "offer", answer: "answer", candidate: "candidate", filtered: "candidate", message: "message",
  join: "room", joined: "room", leave: "room", left: "room", "peer-joined": "room", "peer-left": "room", "peer-updated": "room",
  presence: "room", moderate: "room", refresh: "room", "ice-servers": "room", "token-expiring": "room", gap: "room",
};
const quietTypes = ["acked", "ping", "pong"];

/**
 * What was signaled, oldest first: a bounded list that knows which ack or verdict belongs to which frame. It is told of
 * frames and says which entries changed; it knows nothing of the page.
 */
export class Ledger {
  readonly entries: Entry[] = [];
  readonly counts: Record<Kind, number> = { offer: 0, answer: 0, candidate: 0, message: 0, room: 0, session: 0 };
  readonly #limit: number;
  readonly #nameOf: (peer: string) => string;
  #open: Entry[] = [];
  #edge: string;
  #next = 1;

  /** Keeps `limit` entries. `edge` is the one that holds the tab when the list begins. */
  constructor(limit: number, edge: string, nameOf: (peer: string) => string) {
    this.#limit = limit;
    this.#edge = edge;
    this.#nameOf = nameOf;
  }

  /** Takes a frame; returns the entries that are new or have changed. */
  add(event: FrameEvent): Entry[] {
    const frame = event.frame as unknown as Record<string, unknown>;
    const type = String(frame["type"]);
    if (type === "welcome") this.#welcome(frame);
    const changed = type === "acked" ? this.#settle(number(frame["seq"]) ?? 0, event.at) : this.#judge(type, frame);
    if (quietTypes.includes(type)) return [...changed, this.#quiet(event, type, frame)];
    const entry = this.#entry("signal", event, type, frame);
    this.counts[entry.kind]++;
    if (event.direction === "out" && entry.seq !== undefined) this.#open.push(entry);
    return [...changed, this.#keep(entry)];
  }

  /** Notes what happened to the connection itself. */
  note(text: string, at: number): Entry {
    const entry = this.#entry("note", { direction: "in", at, bytes: 0, frame: {} as FrameEvent["frame"] }, "note", {});
    entry.text = text;
    return this.#keep(entry);
  }

  #entry(form: Entry["form"], event: FrameEvent, type: string, frame: Record<string, unknown>): Entry {
    return {
      id: this.#next++, at: event.at, form, kind: kindOf[type] ?? "session", direction: event.direction, type, edge: this.#edge,
      who: this.#who(type, frame), seq: number(frame["seq"]), bytes: event.bytes, frame, trace: traceOf(frame["traceparent"]),
      count: 1, settled: undefined, verdict: undefined, text: "",
    };
  }

  #keep(entry: Entry): Entry {
    this.entries.push(entry);
    if (this.entries.length > this.#limit) {
      const gone = this.entries.shift();
      this.#open = this.#open.filter((one) => one !== gone);
    }
    return entry;
  }

  /** Acks and pings in a row make one line. */
  #quiet(event: FrameEvent, type: string, frame: Record<string, unknown>): Entry {
    let entry = this.entries.at(-1);
    if (entry?.form !== "quiet") entry = this.#keep({ ...this.#entry("quiet", event, type, frame), count: 0, bytes: 0 });
    entry.count++;
    entry.bytes += event.bytes;
    if (type === "acked") entry.text = `acked up to ${number(frame["seq"]) ?? 0}`;
    else if (entry.text === "") entry.text = "ping, pong";
    return entry;
  }

  #welcome(frame: Record<string, unknown>): void {
    this.#edge = String(frame["edge"] ?? "");
    if (frame["resumed"] !== true) this.#open = [];
  }

  #settle(seq: number, at: number): Entry[] {
    const done = this.#open.filter((entry) => (entry.seq ?? 0) <= seq);
    this.#open = this.#open.filter((entry) => (entry.seq ?? 0) > seq);
    for (const entry of done) entry.settled = Math.max(0, at - entry.at);
    return done;
  }

  #judge(type: string, frame: Record<string, unknown>): Entry[] {
    if (type !== "filtered" && type !== "error") return [];
    const judged = this.entries.findLast((entry) => entry.direction === "out" && entry.seq !== undefined && entry.seq === frame["re"]);
    if (judged === undefined) return [];
    judged.verdict = [judged.verdict, verdictOf(type, frame)].filter(Boolean).join("; ");
    return [judged];
  }

  #who(type: string, frame: Record<string, unknown>): string {
    const peer = frame["from"] ?? frame["to"] ?? frame["peer"];
    if (type === "filtered") return String(frame["rule"]);
    if (type === "error") return String(frame["code"]);
    if (typeof peer === "string") return this.#nameOf(peer);
    if (typeof peer === "object" && peer !== null) return this.#nameOf(String((peer as Record<string, unknown>)["peer"]));
    return type === "message" ? "everyone" : "";
  }
}

function verdictOf(type: string, frame: Record<string, unknown>): string {
  if (type === "error") return `refused: ${String(frame["code"])}`;
  const count = number(frame["count"]) ?? 1;
  return `filtered: ${String(frame["rule"])}${count > 1 ? ` ×${count}` : ""}`;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** The trace id of a W3C traceparent. */
export function traceOf(traceparent: unknown): string | undefined {
  return typeof traceparent === "string" ? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1] : undefined;
}
