import type { Part } from "./frames.ts";
import { utf8Bytes } from "./utf8.ts";

/**
 * Times limits.frameBytes, this is the most that the parts of one server frame
 * may add up to: the roster of a full room with presence is larger than anything
 * that a client may send.
 */
const assembledFactor = 4;
const maxIdBytes = 64;
/** The most that a part costs beside its chunk. */
const overhead = 64 + maxIdBytes;

/**
 * The messages that text travels as: itself if it has at most `limit` bytes,
 * otherwise parts of at most `limit` bytes each. The id must be new for the
 * socket, and at most 64 bytes.
 */
export function splitParts(text: string, limit: number, id: string): string[] {
  if (utf8Bytes(text) <= limit) return [text];
  const chunks = cutChunks(text, Math.max(limit - overhead, 16));
  return chunks.map((chunk, index) => JSON.stringify({ type: "part", id, index, of: chunks.length, chunk }));
}

/** Cuts between code points, so that each chunk has at most limit bytes once it is written as a JSON string. */
function cutChunks(text: string, limit: number): string[] {
  const chunks: string[] = [];
  let start = 0;
  let cost = 0;
  for (let i = 0; i < text.length; ) {
    const point = text.codePointAt(i) as number;
    const bytes = writtenBytes(point);
    if (cost + bytes > limit) {
      chunks.push(text.slice(start, i));
      start = i;
      cost = 0;
    }
    cost += bytes;
    i += point > 0xffff ? 2 : 1;
  }
  chunks.push(text.slice(start));
  return chunks;
}

/** What a code point takes in a JSON string, or a little more. */
function writtenBytes(point: number): number {
  if (point === 0x22 || point === 0x5c) return 2;
  if (point < 0x20 || (point >= 0xd800 && point < 0xe000)) return 6;
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/** Puts the parts of one server frame together; frames in parts don't overlap. */
export class Assembler {
  #id = "";
  #of = 0;
  #chunks: string[] = [];
  #bytes = 0;

  /** Takes a part and returns the whole text once it is complete. What doesn't fit throws and leaves nothing behind. */
  add(part: Part, frameBytes: number): string | undefined {
    if (part.index === 0) this.#begin(part.id, part.of);
    this.#bytes += utf8Bytes(part.chunk);
    const fits =
      part.id !== "" && part.id === this.#id && part.of === this.#of && part.index === this.#chunks.length &&
      part.index < part.of && this.#bytes <= assembledFactor * frameBytes;
    if (!fits) {
      this.#begin("", 0);
      throw new Error("the edge sent a part that fits nowhere");
    }
    if (this.#chunks.push(part.chunk) < part.of) return undefined;
    const whole = this.#chunks.join("");
    this.#begin("", 0);
    return whole;
  }

  #begin(id: string, of: number): void {
    this.#id = id;
    this.#of = of;
    this.#chunks = [];
    this.#bytes = 0;
  }
}
