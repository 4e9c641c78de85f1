/** What becomes of a signal that was refused. */
export type Outcome = { readonly retryIn: number } | "quiet" | "error";

/**
 * Codes that need no repeating of this frame: the peer's leave ends the link, the other's offer comes first, or the
 * session was lost and the link is negotiated anew when it is bound again.
 */
const quiet = new Set(["peer_gone", "glare", "closed", "left", "unknown_outcome", "not_sent", "aborted", "not_in_room"]);

/** The least wait before a refused signal is sent again, in ms. */
const leastWait = 200;

export function outcome(error: unknown): Outcome {
  const { code, retryable, retryAfter } = (error ?? {}) as { code?: string; retryable?: boolean; retryAfter?: number };
  if (code && quiet.has(code)) return "quiet";
  if (retryable || code === "outbox_full") return { retryIn: Math.max(leastWait, retryAfter ?? 0) };
  return "error";
}
