import type { ServerFrame } from "./frames.ts";
import { defaultLimits } from "./limits.ts";

/** Reads a value, or throws if it isn't what the protocol says. */
type Read = (value: unknown) => unknown;
type Members = Record<string, Read>;

function need(fits: boolean, value: unknown): unknown {
  if (!fits) throw new TypeError();
  return value;
}
const text: Read = (value) => need(typeof value === "string", value);
const flag: Read = (value) => need(typeof value === "boolean", value);
const count: Read = (value) => need(Number.isSafeInteger(value) && (value as number) >= 0, value);
const any: Read = (value) => value;
const orNull = (read: Read): Read => (value) => (value === null ? null : read(value));
const list = (read: Read): Read => (value) => (need(Array.isArray(value), value) as unknown[]).map(read);
/** A state that is new is no reason to take somebody for gone. */
const state: Read = (value) => (text(value) === "away" ? "away" : "here");

/** An object with these members and no others; those that stand in `optional` may be absent. */
function object(required: Members, optional: Members = {}): Read {
  return (value) => {
    need(typeof value === "object" && value !== null && !Array.isArray(value), value);
    const source = value as Record<string, unknown>;
    const result: Record<string, unknown> = {};
    for (const name in required) {
      need(Object.hasOwn(source, name), value);
      result[name] = (required[name] as Read)(source[name]);
    }
    for (const name in optional) {
      if (Object.hasOwn(source, name)) result[name] = (optional[name] as Read)(source[name]);
    }
    return result;
  };
}

const byName = (read: Read): Read => (value) => {
  object({})(value);
  return Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, read(one)]));
};

const limits = object({}, Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, count])));
const capabilities = object({}, { rollback: flag });
const peer = object(
  { peer: text, identity: text, epoch: count, version: count, polite: flag, capabilities, state },
  { presence: any },
);
const self = object({ peer: text, identity: text, epoch: count });
const iceServers = list(object({ urls: list(text) }, { username: text, credential: text }));
const description = object({ type: text, sdp: text });
const candidate = object(
  {},
  { candidate: text, sdpMid: orNull(text), sdpMLineIndex: orNull(count), usernameFragment: orNull(text) },
);
const signal: Members = { type: text, room: text, from: text, epoch: count, seq: count };
const trail: Members = { cursor: text, traceparent: text };
const described = object({ ...signal, negotiation: text, description }, trail);
const inRoom: Members = { type: text, room: text };

const frames: Record<ServerFrame["type"], Read> = {
  welcome: object({
    type: text, session: text, resumed: flag, seq: count, resumeWindow: count, pingInterval: count, limits,
    features: list(text), edge: text,
  }),
  joined: object({
    ...inRoom, re: count, self, revision: count, peers: list(peer), iceServers, icePolicy: text,
    tokenExpires: count, cursor: text,
  }),
  "peer-joined": object({ ...inRoom, revision: count, peer }),
  "peer-left": object({ ...inRoom, revision: count, peer: text, reason: text }),
  "peer-updated": object({ ...inRoom, peer: object({ peer: text, version: count }, { presence: any, state }) }),
  left: object({ ...inRoom, revision: count, reason: text }),
  offer: described,
  answer: described,
  candidate: object({ ...signal, negotiation: text }, { ...trail, candidate, candidates: list(candidate) }),
  message: object({ ...inRoom, data: any }, { from: text, epoch: count, seq: count, ...trail, id: text, re: text }),
  acked: object({ type: text, seq: count }),
  filtered: object({ type: text, re: count, rule: text, count }),
  error: object(
    { type: text, code: text, status: count, message: text, retryable: flag },
    { re: count, retryAfter: count, rule: text },
  ),
  gap: object({ ...inRoom, reason: text }, { from: text }),
  goaway: object({ type: text, after: count, reason: text }),
  "ice-servers": object({ ...inRoom, iceServers }),
  "token-expiring": object({ ...inRoom, expires: count }),
  ping: object({ type: text }, { t: any, cursors: byName(text) }),
  pong: object({ type: text }, { t: any }),
  part: object({ type: text, id: text, index: count, of: count, chunk: text }),
};

/**
 * A frame of an edge with the members that the protocol knows and no others;
 * undefined for a type that isn't known and for what doesn't fit its type.
 */
export function decode(value: unknown): ServerFrame | undefined {
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type !== "string" || !Object.hasOwn(frames, type)) return undefined;
  try {
    return frames[type as ServerFrame["type"]](value) as ServerFrame;
  } catch {
    return undefined;
  }
}
