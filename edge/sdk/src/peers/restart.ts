/**
 * How long ICE may stay in a state before this side restarts it, in ms; undefined: it isn't in trouble. The impolite side
 * acts; the polite one only if nothing came from it for 10 s, so that neither depends on the other and both rarely act.
 */
export function restartDelay(state: RTCIceConnectionState, polite: boolean): number | undefined {
  if (state !== "failed" && state !== "disconnected") return undefined;
  if (polite) return 10_000;
  return state === "failed" ? 0 : 5_000;
}

/**
 * How long a restart may be in vain before the next one, in ms. A TURN server that is away takes 10 s to be given up, and
 * without its candidates ICE may stay in the state that it is in and never tell of it again.
 */
export const restartAgain = 15_000;
