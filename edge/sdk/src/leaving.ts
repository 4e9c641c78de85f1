import { SignalError } from "./errors.ts";
import type { Membership } from "./membership.ts";
import type { Session } from "./session.ts";

/** Ends a membership. Resolves when the edge knows, or when there is nothing to tell it. */
export async function leave(session: Session, m: Membership): Promise<void> {
  const join = m.entry?.frame;
  // While the room is being joined again the edge knows nothing of it, unless the join is on its way.
  if (m.state === "rejoining" && (!join || session.outbox.withdraw(join))) session.finish(m, "left");
  if (m.state === "left") return;
  m.leaving = true;
  try {
    await session.send(m, "leave", {});
  } catch (error) {
    // The cast: it may have become so meanwhile.
    if ((m.state as string) === "left" || (error instanceof SignalError && error.code === "not_in_room")) return;
    m.leaving = false;
    throw error;
  }
}
