import type { Filtered, Refused } from "./frames.ts";
import type { RoomFrame } from "./link.ts";
import type { Membership } from "./membership.ts";
import { refusalOf, type Session } from "./session.ts";

/** Does what a frame says. What makes no sense is dropped; what it throws ends the connection. */
export function receive(session: Session, frame: RoomFrame): void {
  switch (frame.type) {
    case "acked":
      return acknowledge(session, frame.seq);
    case "error":
      return refuse(session, frame);
    case "filtered":
      return filter(session, frame);
    case "goaway":
      return session.events.emit("goaway", { after: frame.after, reason: frame.reason });
  }
  const m = session.members.get(frame.room);
  if (m && frame.type === "joined") {
    m.joined(frame);
    return session.flush(m);
  }
  if (m?.state === "joined" && frame.type !== "joined") change(session, m, frame);
}

type InRoom = Exclude<RoomFrame, { type: "acked" | "error" | "filtered" | "goaway" | "joined" }>;

function change(session: Session, m: Membership, frame: InRoom): void {
  switch (frame.type) {
    case "offer":
    case "answer":
    case "candidate":
    case "message":
      return m.signaled(frame);
    case "peer-joined":
      return m.tell(m.roster.join(frame.revision, frame.peer));
    case "peer-left":
      return m.tell(m.roster.leave(frame.revision, frame.peer, frame.reason));
    case "peer-updated":
      return m.tell(m.roster.update(frame.peer));
    case "left":
      return session.finish(m, frame.reason);
    case "gap":
      return m.events.emit("gap", { ...(frame.from && { from: frame.from }), reason: frame.reason });
    case "ice-servers":
      m.iceServers = frame.iceServers;
      return m.events.emit("ice-servers", frame.iceServers);
    case "token-expiring":
      m.events.emit("token-expiring", { expires: frame.expires });
      if (session.options.token) void renew(session, m);
  }
}

function acknowledge(session: Session, seq: number): void {
  for (const frame of session.outbox.acknowledge(seq)) {
    const m = session.members.get(frame.room);
    if (frame.type === "leave" && !frame.told && m) session.finish(m, "left");
    frame.settle();
  }
  session.pump(); // The edge takes more now.
}

function refuse(session: Session, frame: Refused): void {
  const error = refusalOf(frame);
  // After a resume both sides count alike again.
  if (frame.code === "seq_hole") throw error;
  if (frame.re !== undefined) return session.outbox.find(frame.re)?.settle(error);
  session.refused = error;
  session.events.emit("error", error);
}

function filter(session: Session, { re, rule, count }: Filtered): void {
  const frame = session.outbox.find(re);
  const m = frame && session.members.get(frame.room);
  if (m?.state !== "joined") return;
  const { to, negotiation } = frame as NonNullable<typeof frame>;
  m.events.emit("filtered", { seq: re, rule, count, ...(to && { to }), ...(negotiation && { negotiation }) });
}

/** Renews the grants with a new token. */
export async function refresh(session: Session, m: Membership): Promise<void> {
  const token = await session.token(m, "refresh");
  await session.send(m, "refresh", { token });
}

/** The same, unasked: a failure ends nothing, since the membership outlives its token. */
async function renew(session: Session, m: Membership): Promise<void> {
  if (m.refreshing) return;
  m.refreshing = true;
  await refresh(session, m).catch(() => {});
  m.refreshing = false;
}
