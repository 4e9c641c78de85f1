import type { LeaveReason, Peer } from "../peer.ts";

/**
 * The member of a new roster that a link belongs to: the same peer, or else the same identity if nobody else has a link
 * to it (an app may let one identity be in a room several times).
 */
export function successor(
  old: Peer,
  roster: ReadonlyMap<string, Peer>,
  taken: (peer: string) => boolean,
): Peer | undefined {
  const same = roster.get(old.peer);
  if (same) return same;
  for (const peer of roster.values()) {
    if (peer.identity === old.identity && !taken(peer.peer)) return peer;
  }
  return undefined;
}

/** Whether a peer that left for this reason may come back with its RTCPeerConnection: only its session ended. */
export function mayReturn(reason: LeaveReason): boolean {
  return reason === "replaced" || reason === "expired" || reason === "";
}
