import { hasUfrag } from "./description.ts";

/** How long local candidates are collected before they travel together, in ms. */
const together = 20;

/** Local candidates that aren't sent yet. */
export class Outgoing {
  readonly #description: () => string | undefined;
  readonly #send: (candidates: RTCIceCandidateInit[]) => void;
  #waiting: RTCIceCandidateInit[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #held = false;

  /** description is the local one at the moment: candidates that aren't of its generation are void. */
  constructor(description: () => string | undefined, send: (candidates: RTCIceCandidateInit[]) => void) {
    this.#description = description;
    this.#send = send;
  }

  /** Takes what an icecandidate event has; null ends the candidates. */
  add(candidate: RTCIceCandidate | null): void {
    if (candidate && !candidate.candidate) return; // a section's end: null will tell the end of all
    this.#waiting.push(candidate ? candidate.toJSON() : { candidate: "" });
    this.#timer ??= setTimeout(() => this.#flush(), together);
  }

  /** Nothing is sent until release(): the description that candidates belong to must go first. */
  hold(): void {
    this.#held = true;
  }

  /** The description has gone. */
  release(): void {
    this.#held = false;
    if (!this.#timer) this.#flush();
  }

  close(): void {
    this.#waiting = [];
    clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#held) return;
    const sdp = this.#description();
    const ready = this.#waiting.filter((c) => hasUfrag(sdp, c.usernameFragment));
    this.#waiting = [];
    if (ready.length) this.#send(ready);
  }
}
