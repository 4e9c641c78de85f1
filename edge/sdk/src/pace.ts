import type { Limits } from "./limits.ts";

/** Frames that the network delays arrive closer together than they were sent. */
const share = 0.9;

/**
 * Keeps a connection under the rates of its edge, so that a burst of candidates
 * waits a moment here and isn't refused there: two token buckets, one of
 * messages and one of bytes.
 */
export class Pace {
  readonly #rate: readonly [number, number];
  readonly #burst: readonly [number, number];
  readonly #left: [number, number];
  #at: number;

  /** `now` is in ms, of any clock. */
  constructor(limits: Limits, now: number) {
    this.#rate = [(share * limits.frameRate) / 1000, (share * limits.byteRate) / 1000];
    this.#burst = [Math.max(1, share * limits.frameBurst), share * limits.byteBurst];
    this.#left = [...this.#burst];
    this.#at = now;
  }

  /**
   * Takes so many messages of so many bytes in all and returns 0, or takes
   * nothing and returns how many ms to wait. What is over a whole burst goes
   * when the bucket is full, and the bucket is then in debt.
   */
  take(now: number, messages: number, bytes: number): number {
    const cost = [messages, bytes] as const;
    const passed = Math.max(0, now - this.#at);
    this.#at = now;
    let wait = 0;
    for (const i of [0, 1] as const) {
      this.#left[i] = Math.min(this.#burst[i], this.#left[i] + passed * this.#rate[i]);
      const missing = Math.min(cost[i], this.#burst[i]) - this.#left[i];
      // A sum of fractions can miss a whole burst by a hair for ever.
      if (missing > 1e-6) wait = Math.max(wait, Math.ceil(missing / this.#rate[i]));
    }
    if (wait === 0) {
      this.#left[0] -= messages;
      this.#left[1] -= bytes;
    }
    return wait;
  }
}
