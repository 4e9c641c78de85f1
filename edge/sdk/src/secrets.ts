import { toBase64url } from "./base64url.ts";
import { randomBytes } from "./random.ts";
import { sha256 } from "./sha256.ts";

const secretBytes = 32;

/**
 * What a session is resumed with. A secret counts once a welcome has confirmed
 * it; until then it is proposed again, so that a lost welcome costs nothing: the
 * edge knows either the confirmed or the proposed one.
 */
export class Secrets {
  #confirmed: Uint8Array | undefined;
  #proposed: Uint8Array | undefined;
  #attempt = 0;

  /** What the next hello carries. */
  propose(): { next: string; attempt: number; resume?: string[] } {
    const known = [this.#confirmed, this.#proposed].filter((secret) => secret !== undefined);
    this.#proposed ??= randomBytes(secretBytes);
    return {
      next: toBase64url(sha256(this.#proposed)),
      attempt: ++this.#attempt,
      ...(known.length > 0 && { resume: known.map(toBase64url) }),
    };
  }

  /** Must be called with each welcome. */
  confirm(): void {
    this.#confirmed = this.#proposed;
    this.#proposed = undefined;
  }

  /** Gives the session up. */
  forget(): void {
    this.#confirmed = this.#proposed = undefined;
  }
}
