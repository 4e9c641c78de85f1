import type { ClientFrame, Encoded } from "./encode.ts";
import { SignalError } from "./errors.ts";
import type { LostFrame } from "./events.ts";
import type { OutFrame } from "./outbox.ts";

/** A frame in the outbox, with what its caller waits for. */
export class Queued implements OutFrame {
  readonly type: string;
  readonly room: string;
  readonly to: string | undefined;
  readonly negotiation: string | undefined;
  head: string;
  tail: string;
  bytes: number;
  seq = 0;
  told = false;
  readonly #done: (error?: unknown) => void;

  constructor(frame: ClientFrame, encoded: Encoded, done: (error?: unknown) => void) {
    this.type = frame.type;
    this.room = frame.room;
    this.to = frame["to"] as string | undefined;
    this.negotiation = frame["negotiation"] as string | undefined;
    this.head = encoded.head;
    this.tail = encoded.tail;
    this.bytes = encoded.bytes;
    this.#done = done;
  }

  settle(error?: unknown): void {
    if (this.told) return;
    this.told = true;
    this.#done(error);
  }

  /** What its caller is told when the session that it belonged to is gone. */
  lose(): void {
    const { type, seq } = this;
    this.settle(seq
      ? new SignalError("unknown_outcome", `${type}: sent, and its acknowledgement is lost`, { seq })
      : new SignalError("not_sent", `${type}: the session was lost before it was sent`, { retryable: true }));
  }

  /** How it is reported, if it is unknown whether it arrived. */
  report(): LostFrame | undefined {
    const { type, room, seq } = this;
    return seq && !this.told ? { type, room, seq } : undefined;
  }
}
