import { SignalError } from "./errors.ts";
import type { RoomMessage } from "./events.ts";

interface Pending {
  readonly to: string;
  resolve(reply: RoomMessage): void;
  reject(error: unknown): void;
}

/** Messages that wait for a reply, by id. */
export class Requests {
  readonly #pending = new Map<string, Pending>();

  add(id: string, pending: Pending): void {
    this.#pending.set(id, pending);
  }

  delete(id: string): void {
    this.#pending.delete(id);
  }

  /** Hands a message to the request that it answers, and reports whether there is one. */
  answer(message: RoomMessage): boolean {
    const pending = message.re === undefined ? undefined : this.#pending.get(message.re);
    if (!pending || pending.to !== message.fromId) return false;
    pending.resolve(message);
    return true;
  }

  /** Must be called when a peer leaves. */
  depart(peer: string): void {
    const gone = new SignalError("peer_gone", "the peer left before it replied", { status: 410 });
    for (const pending of [...this.#pending.values()]) if (pending.to === peer) pending.reject(gone);
  }

  fail(error: unknown): void {
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }
}
