import type { Client, ClientEvents, Room, RoomEvents } from "../src/index.ts";

/** Resolves with the next event that `fits`; fails after 30 s. */
export function next<E extends keyof RoomEvents>(room: Room, event: E, fits?: (e: RoomEvents[E]) => boolean): Promise<RoomEvents[E]>;
export function next<E extends keyof ClientEvents>(client: Client, event: E, fits?: (e: ClientEvents[E]) => boolean): Promise<ClientEvents[E]>;
export function next(source: Room | Client, event: string, fits: (e: never) => boolean = () => true): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      off();
      reject(new Error(`no ${event} in 30 s`));
    }, 30_000);
    const off = (source as { on(name: string, f: (e: unknown) => void): () => void }).on(event, (e) => {
      if (!fits(e as never)) return;
      clearTimeout(timer);
      off();
      resolve(e);
    });
  });
}

/** Resolves when the condition holds, looked at often; fails after 30 s. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
