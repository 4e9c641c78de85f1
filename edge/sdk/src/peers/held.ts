/** Remote candidates by negotiation: those that came before their description wait here for it. */
export class Held {
  readonly #limit: number;
  #described: string | undefined;
  #ignored: string | undefined;
  #negotiation: string | undefined;
  #waiting: RTCIceCandidateInit[] = [];

  /** limit bounds what waits; an edge lets no more than `limits.candidates` of a negotiation through. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Takes candidates and returns those that can be added now. Others wait; those of an ignored offer, and those over the
   * limit, are dropped. Candidates of another negotiation displace the ones that wait, since offers only get newer.
   */
  take(negotiation: string, candidates: readonly RTCIceCandidateInit[]): readonly RTCIceCandidateInit[] {
    if (negotiation === this.#described) return candidates;
    if (negotiation === this.#ignored) return [];
    if (negotiation !== this.#negotiation) {
      this.#negotiation = negotiation;
      this.#waiting = [];
    }
    this.#waiting.push(...candidates.slice(0, Math.max(0, this.#limit - this.#waiting.length)));
    return [];
  }

  /** The remote description of a negotiation was set: returns what waited for it and forgets the rest. */
  describe(negotiation: string): readonly RTCIceCandidateInit[] {
    const ready = negotiation === this.#negotiation ? this.#waiting : [];
    this.#described = negotiation;
    this.#negotiation = undefined;
    this.#waiting = [];
    return ready;
  }

  /** The offer of a negotiation was ignored. */
  ignore(negotiation: string): void {
    this.#ignored = negotiation;
    if (negotiation === this.#negotiation) this.#waiting = [];
  }
}
