import { SignalError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { utf8Bytes } from "./utf8.ts";

const maxDepth = 16;
const maxNameBytes = 128;
const maxTokenBytes = 4096;
/** The digits that a seq may have. */
const seqBytes = 16;

/** A frame with a seq; undefined members are absent. */
export interface ClientFrame {
  readonly type: string;
  readonly room: string;
  readonly [member: string]: unknown;
}

/** A frame's text around its seq. */
export interface Encoded {
  readonly head: string;
  readonly tail: string;
  /** UTF-8 bytes of both. */
  readonly bytes: number;
}

/**
 * Writes a frame with `type` and `seq` first, so that one that the edge refuses
 * can still be told apart.
 */
export function encode({ type, ...members }: ClientFrame): Encoded {
  const head = `{"type":${JSON.stringify(type)},"seq":`;
  const tail = `,${json(type, members).slice(1)}`;
  return { head, tail, bytes: utf8Bytes(head) + utf8Bytes(tail) };
}

/**
 * Writes a frame after it was checked for what an edge would refuse anyway:
 * names, ids, sizes and depth. It throws a {@link SignalError}; no seq is used then.
 */
export function encodeChecked(frame: ClientFrame, limits: Limits): Encoded {
  checkNames(frame);
  checkBody(frame, limits);
  const encoded = encode(frame);
  if (depthOf(encoded.head + encoded.tail) > maxDepth) {
    throw refusal("bad_json", 400, `${frame.type}: nested deeper than ${maxDepth} levels, data may have ${maxDepth - 1}`);
  }
  checkSize(frame.type, encoded.bytes + seqBytes, limits.frameBytes);
  return encoded;
}

function checkNames({ type, room, to, peer, negotiation, id, re, token }: ClientFrame): void {
  if (!room || utf8Bytes(room) > maxNameBytes || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(room)) {
    throw refusal("bad_id", 400, `${type}: room: give 1 to ${maxNameBytes} bytes without control characters`);
  }
  for (const id of [to, peer]) {
    if (id !== undefined && !/^([\w-]{1,64}|=[\w-]{1,171})$/.test(String(id))) {
      throw refusal("bad_id", 400, `${type}: not the id of a peer; send it back as the roster has it`);
    }
  }
  for (const name of [negotiation, id, re, token]) {
    if (name === undefined) continue;
    if (typeof name !== "string" || !name) throw refusal("bad_frame", 400, `${type}: an id or token is empty`);
    checkSize(type, utf8Bytes(name), name === token ? maxTokenBytes : maxNameBytes);
  }
}

function checkBody({ type, ...members }: ClientFrame, limits: Limits): void {
  const { description, candidates, candidate, presence } = members as {
    description?: { type?: unknown; sdp?: unknown };
    candidates?: readonly object[];
    candidate?: object;
    presence?: unknown;
  };
  const faulty =
    (description && (description.type !== type || typeof description.sdp !== "string")) ||
    (type === "candidate" && !candidate && !candidates?.length);
  if (faulty) throw refusal("bad_frame", 400, `${type}: there is nothing in it, or a description of another type`);
  const shown = "data" in members ? members["data"] : presence;
  if (shown === undefined && !("data" in members)) return;
  const text = json(type, shown);
  if (type !== "message") checkSize(type, utf8Bytes(text), limits.presenceBytes);
}

function checkSize(type: string, bytes: number, most: number): void {
  if (bytes > most) throw refusal("too_large", 413, `${type}: ${bytes} bytes, at most ${most} are allowed`);
}

function json(type: string, value: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text === undefined) throw refusal("bad_frame", 400, `${type}: data can't be written as JSON`, cause);
  return text;
}

/** How deep the brackets of a JSON text are nested; those in strings don't count. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') quoted = !quoted;
    else if (quoted) i += c === "\\" ? 1 : 0;
    else if (c === "{" || c === "[") deepest = Math.max(deepest, ++depth);
    else if (c === "}" || c === "]") depth--;
  }
  return deepest;
}

function refusal(code: string, status: number, message: string, cause?: unknown): SignalError {
  return new SignalError(code, message, { status, cause });
}
