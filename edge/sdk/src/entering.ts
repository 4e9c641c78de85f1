import { fullJitter } from "./backoff.ts";
import { delay } from "./delay.ts";
import { SignalError } from "./errors.ts";
import type { Entry, Membership } from "./membership.ts";
import { type Session, sessionLost } from "./session.ts";

/** Joins a room. When a session is lost on the way, it begins again. */
export async function enter(session: Session, m: Membership, reason: "join" | "rejoin"): Promise<void> {
  for (;;) {
    const token = await session.token(m, reason);
    try {
      await attempt(session, m, token);
      return;
    } catch (error) {
      if (error !== sessionLost) throw error;
    } finally {
      m.entry = undefined;
    }
  }
}

function attempt(session: Session, m: Membership, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry: Entry = { resolve, reject };
    m.entry = entry;
    const { presence } = m;
    const capabilities = m.rollback ? { rollback: true } : undefined;
    entry.frame = session.queue(m, "join", { token, presence, capabilities }, (error) => {
      // The room follows what is settled, also if an earlier attempt has succeeded.
      const joined = error instanceof SignalError && error.code === "already_joined";
      if (error !== undefined && !joined) reject(error);
    });
  });
}

/** Enters a room again after its session was lost, until that succeeds or makes no sense any more. */
export async function rejoin(session: Session, m: Membership): Promise<void> {
  for (let tries = 0; m.state === "rejoining"; tries++) {
    try {
      await enter(session, m, "rejoin");
    } catch (error) {
      if (isFinal(error)) return session.finish(m, "", error);
      const { min, max } = session.link.backoff;
      const asked = (error instanceof SignalError && error.retryAfter) || 0;
      await delay(Math.max(asked, fullJitter(min, max, tries, Math.random())), m.signal);
    }
  }
}

/** Whether trying again with a new token makes no sense. A token may have aged while the connection was down. */
function isFinal(error: unknown): boolean {
  return error instanceof SignalError && !error.retryable && error.code !== "token_expired";
}
