/** How many senders that aren't in the roster are remembered; over it the oldest is forgotten. */
export const maxDeparted = 1024;

/**
 * The highest seq that came from each sender of a room. A signal at or under it
 * is a repeat. They outlive resumes, rejoins and the sender's leaving, since a
 * replay can come after each of them.
 */
export class Watermarks {
  readonly #seqs = new Map<string, number>();
  /** Senders that left, oldest first. */
  readonly #departed = new Set<string>();

  /** Whether the signal, with a seq from 1, wasn't seen yet; it is remembered. `here`: its sender is in the roster. */
  fresh(from: string, seq: number, here: boolean): boolean {
    if (seq <= (this.#seqs.get(from) ?? 0)) return false;
    this.#seqs.set(from, seq);
    if (here) this.#departed.delete(from);
    else this.depart(from);
    return true;
  }

  /** Must be called when a sender leaves the roster. */
  depart(peer: string): void {
    if (!this.#seqs.has(peer)) return;
    this.#departed.add(peer);
    if (this.#departed.size <= maxDeparted) return;
    const [oldest] = this.#departed;
    this.#departed.delete(oldest as string);
    this.#seqs.delete(oldest as string);
  }
}
