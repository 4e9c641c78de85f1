/** A frame with a seq on its way: waiting to be written, or written and not acknowledged. */
export interface OutFrame {
  readonly type: string;
  /** The JSON before and after the seq. */
  head: string;
  tail: string;
  /** UTF-8 bytes of both. */
  bytes: number;
  /** 0 until it is written for the first time. */
  seq: number;
  /** The caller knows the outcome: a resend must have no effect. */
  told: boolean;
  /** Tells it, at most once. */
  settle(error?: unknown): void;
}

/**
 * The frames that aren't acknowledged, in the order in which they are or will be
 * numbered: first the written ones, by seq without holes, then the waiting ones.
 */
export class Outbox<F extends OutFrame> {
  readonly #maxFrames: number;
  readonly #maxBytes: number;
  #frames: F[] = [];
  #bytes = 0;
  /** How many of the frames were written to this socket, and their bytes. */
  #written = 0;
  #flying = 0;
  #last = 0;
  #acked = 0;

  constructor(maxFrames: number, maxBytes: number) {
    this.#maxFrames = maxFrames;
    this.#maxBytes = maxBytes;
  }

  /** The highest acknowledged seq. */
  get acked(): number {
    return this.#acked;
  }

  get size(): number {
    return this.#frames.length;
  }

  /** Whether a frame of so many bytes still fits beside what waits elsewhere. */
  fits(bytes: number, otherFrames = 0, otherBytes = 0): boolean {
    return this.#frames.length + otherFrames < this.#maxFrames && this.#bytes + otherBytes + bytes <= this.#maxBytes;
  }

  /** Puts a frame at the end. */
  add(frame: F): void {
    this.#frames.push(frame);
    this.#bytes += frame.bytes;
  }

  /** Takes out a frame that was never written, and reports whether it was so. */
  withdraw(frame: F): boolean {
    const at = frame.seq === 0 ? this.#frames.indexOf(frame) : -1;
    if (at < 0) return false;
    this.#frames.splice(at, 1);
    this.#bytes -= frame.bytes;
    return true;
  }

  /** The next frame to write; undefined if there is none, or the edge holds as many as it allows. */
  peek(unsettledFrames: number, unsettledBytes: number): F | undefined {
    const next = this.#frames[this.#written];
    if (!next || this.#written >= unsettledFrames) return undefined;
    return this.#written > 0 && this.#flying + next.bytes > unsettledBytes ? undefined : next;
  }

  /** Numbers the frame that peek returned, counts it as written and returns its text. */
  take(): string {
    const frame = this.#frames[this.#written++] as F;
    if (frame.seq === 0) frame.seq = ++this.#last;
    this.#flying += frame.bytes;
    return frame.head + frame.seq + frame.tail;
  }

  /** Settles all up to seq that were written to this socket, and returns them. */
  acknowledge(seq: number): F[] {
    let count = 0;
    while (count < this.#written && (this.#frames[count] as F).seq <= seq) count++;
    const settled = this.#frames.splice(0, count);
    for (const frame of settled) {
      this.#bytes -= frame.bytes;
      this.#flying -= frame.bytes;
      this.#acked = frame.seq;
    }
    this.#written -= count;
    return settled;
  }

  /** The unacknowledged frame with that seq. */
  find(seq: number): F | undefined {
    const first = this.#frames[0];
    if (!first || first.seq === 0) return undefined;
    const at = seq - first.seq;
    return at >= 0 && at < this.#written ? this.#frames[at] : undefined;
  }

  /**
   * Prepares for a new socket of the same session. The edge has the frames up to
   * `accepted` and will settle them; later ones go again, under their old seq.
   * Of those whose caller knows the outcome only the seq is used: `nothing` is
   * the text after it of a frame that has no effect.
   */
  rewind(accepted: number, nothing: { head: string; tail: string; bytes: number }): void {
    this.#written = this.#flying = 0;
    // Never give a seq that the edge takes for a repeat.
    this.#last = Math.max(this.#last, accepted);
    for (const frame of this.#frames) {
      if (frame.seq === 0) return;
      if (frame.seq <= accepted) {
        this.#written++;
        this.#flying += frame.bytes;
      } else if (frame.told) {
        this.#bytes += nothing.bytes - frame.bytes;
        Object.assign(frame, nothing);
      }
    }
  }

  /**
   * Starts a new session whose last seq is `start`, and returns the frames of
   * the old one. Joins that were never written stay: they mean the same in any
   * session.
   */
  abandon(start: number): F[] {
    this.#last = this.#acked = start;
    return this.clear().filter((frame) => {
      const stays = frame.type === "join" && frame.seq === 0;
      if (stays) this.add(frame);
      return !stays;
    });
  }

  /** Empties it. */
  clear(): F[] {
    const rest = this.#frames;
    this.#frames = [];
    this.#bytes = this.#written = this.#flying = 0;
    return rest;
  }
}
