/** What becomes of this tab's signaling; media and data channels have nothing to do with it. */
export type Signal =
  | { kind: "connected" }
  /** Cut on purpose, since a moment (ms) and perhaps until one. */
  | { kind: "cut"; since: number; until?: number }
  /** Lost by itself; the client tries to come back. */
  | { kind: "lost"; since: number }
  /** Back, at a moment, after so many ms. */
  | { kind: "resumed"; at: number; away: number }
  | { kind: "rejoined"; at: number; away: number; unknown: number };

export interface Banner {
  tone: "warn" | "good" | "plain";
  title: string;
  text: string;
  /** Seconds that count while the signal is away. */
  clock: string;
  reconnect: boolean;
}

/** How long the good news stays, in ms. */
export const newsLasts = 7000;

/**
 * What to show of the signal at a moment; undefined: nothing. `resumeWindow` (ms) is how long the edge keeps the seat.
 */
export function bannerOf(signal: Signal, now: number, resumeWindow: number): Banner | undefined {
  switch (signal.kind) {
    case "connected":
      return undefined;
    case "cut":
    case "lost": {
      const away = now - signal.since;
      const back = signal.kind === "cut" && signal.until !== undefined ? `Reconnects in ${seconds(Math.max(0, signal.until - now))}.` : "";
      return {
        tone: "warn",
        title: signal.kind === "cut" ? "Signal cut. The call goes on." : "Signal lost. The call goes on.",
        text: [seat(away, resumeWindow), back].filter(Boolean).join(" "),
        clock: seconds(away),
        reconnect: true,
      };
    }
    case "resumed":
      return now - signal.at < newsLasts
        ? { tone: "good", title: "Resumed: nothing lost", text: `Away for ${seconds(signal.away)}. The seat was kept, and nobody saw you leave.`, clock: "", reconnect: false }
        : undefined;
    case "rejoined":
      return now - signal.at < newsLasts
        ? { tone: "plain", title: "Rejoined", text: rejoinedText(signal.away, signal.unknown), clock: "", reconnect: false }
        : undefined;
  }
}

function seat(away: number, resumeWindow: number): string {
  const left = resumeWindow - away;
  if (resumeWindow <= 0) return "";
  return left > 0 ? `Your seat is kept for ${seconds(left)}.` : "Your seat is gone: coming back means joining again.";
}

function rejoinedText(away: number, unknown: number): string {
  const fate = unknown === 0 ? "No signal was on its way." : `What became of ${unknown} signal${unknown === 1 ? "" : "s"} isn't known.`;
  return `After ${seconds(away)} the session was gone, so you joined again. ${fate} The call stayed.`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** The state of one connection, as its tile shows it. */
export interface LinkState {
  tone: "good" | "wait" | "warn";
  text: string;
}

/** `pc` is undefined before there is a connection; `here`: whether the peer's own signaling is up. */
export function linkStateOf(pc: RTCPeerConnectionState | undefined, here: boolean): LinkState {
  switch (pc) {
    case "connected":
      return here ? { tone: "good", text: "connected" } : { tone: "warn", text: "signal lost, call goes on" };
    case "disconnected":
      return { tone: "warn", text: here ? "interrupted" : "away" };
    case "failed":
      return { tone: "warn", text: here ? "no way through, trying again" : "away" };
    case "closed":
      return { tone: "warn", text: "gone" };
    default:
      return here ? { tone: "wait", text: "connecting" } : { tone: "warn", text: "away" };
  }
}
