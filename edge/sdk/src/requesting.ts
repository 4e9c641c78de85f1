import { SignalError } from "./errors.ts";
import type { RoomMessage } from "./events.ts";
import type { Json } from "./json.ts";
import type { Membership } from "./membership.ts";
import type { RequestOptions } from "./options.ts";
import { randomId } from "./random.ts";
import type { Session } from "./session.ts";

/** Sends a message and waits for the one that answers it. */
export async function request(
  session: Session, m: Membership, to: string, data: Json, { timeout = 10_000, signal }: RequestOptions,
): Promise<RoomMessage> {
  const id = randomId();
  const done = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort = (): void => {};
  try {
    return await new Promise<RoomMessage>((resolve, reject) => {
      abort = () => reject(new SignalError("aborted", "request: its signal was aborted", { cause: signal?.reason }));
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort);
      timer = setTimeout(() => reject(new SignalError("timeout", `request: no reply in ${timeout} ms`, { retryable: true })), timeout);
      m.requests.add(id, { to, resolve, reject });
      session.send(m, "message", { to, id, data }, done.signal).catch(reject);
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    m.requests.delete(id);
    done.abort(); // Takes the message back, if nobody has it yet.
  }
}
