/**
 * How long ICE may stay in a state before this side restarts it, in ms; undefined: it isn't in trouble. The impolite side
 * acts; the polite one only if nothing came from it for 10 s, so that neither depends on the other and both rarely act.
 */
export function restartDelay(state: RTCIceConnectionState, polite: boolean): number | undefined {
  if (state !== "failed" && state !== "disconnected") return undefined;
  if (polite) return 10_000;
  return state === "failed" ? 0 : 5_000;
}
