/** Reports what a listener threw without disturbing anyone else. */
function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}

/**
 * Calls listeners in the order of the events. Until it is released it keeps the
 * events back, so that whoever gets the emitter from a promise can add listeners
 * before the first one.
 */
export class Emitter<Events> {
  readonly #listeners: { [E in keyof Events]?: Set<(event: Events[E]) => void> } = {};
  #held: (() => void)[] | undefined = [];

  on<E extends keyof Events>(name: E, listener: (event: Events[E]) => void): () => void {
    // Wrapped, so that the same function added twice is called twice.
    const entry = (event: Events[E]): void => listener(event);
    const all = (this.#listeners[name] ??= new Set());
    all.add(entry);
    return () => void all.delete(entry);
  }

  /** Whether anyone may listen: spares making events that nobody hears. */
  hears(name: keyof Events): boolean {
    return this.#held !== undefined || (this.#listeners[name]?.size ?? 0) > 0;
  }

  emit<E extends keyof Events>(name: E, event: Events[E]): void {
    if (this.#held) this.#held.push(() => this.#call(name, event));
    else this.#call(name, event);
  }

  /** Lets the events out that were kept back, after the current task. */
  release(): void {
    setTimeout(() => {
      // What a listener causes now must come behind what is still held.
      for (let next = this.#held?.shift(); next; next = this.#held?.shift()) next();
      this.#held = undefined;
    });
  }

  #call<E extends keyof Events>(name: E, event: Events[E]): void {
    for (const listener of [...(this.#listeners[name] ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        report(error);
      }
    }
  }
}
