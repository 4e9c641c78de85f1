import { ClosedError, SignalError } from "@parley/client";
import { TokenError } from "./token.ts";

/** What went wrong, for people: what it is, why, and what they can do. */
export interface Trouble {
  title: string;
  text: string;
  /** The code or status, small, for whoever has to mend it. */
  code?: string;
}

type Words = readonly [title: string, text: string];

const byCode: Readonly<Record<string, Words>> = {
  room_full: ["The room is full", "As many people are in it as it may hold. Try again when someone has left, or take another room."],
  room_locked: ["The room is locked", "A moderator has locked it. Ask them to unlock it, or take another room."],
  identity_taken: ["You are in there already", "This room takes each person once. Leave it in the other tab first, or join with another name."],
  bad_token: ["The token wasn't believed", "The edge doesn't know the key that signed it. A page that was open over a restart heals by joining again."],
  token_expired: ["The token has expired", "It was good only for a while. Join again to get a new one."],
  forbidden: ["Not allowed", "The token, or this page's origin, doesn't permit it. Operators: see edge.origins."],
  bad_id: ["That name can't be used", "Names are 1 to 128 bytes of text without control characters. Choose another name or room."],
  rate_limited: ["Too fast", "The edge asks for a pause. Try again in a moment."],
  too_many_rooms: ["Too many rooms", "This connection is in as many rooms as it may be."],
  unavailable: ["Not ready yet", "A part of the server doesn't answer. It may be starting: try again in a moment."],
  internal: ["The server failed", "It has logged why. Try once more."],
};

const byCloseCode: Readonly<Record<number, Words>> = {
  4509: ["The call moved", "A newer connection of this session took over, so this one ended."],
  4510: ["You were removed", "A moderator removed you from the room."],
};

const byReason: Readonly<Record<string, Words>> = {
  kicked: ["You were removed", "A moderator removed you from the room."],
  closed: ["The room was closed", "A moderator ended the call for everyone."],
  replaced: ["The call moved", "You joined this room again elsewhere, so this tab left it."],
  expired: ["Your time in the room is over", "You were away for too long, or the token allowed only so long a stay."],
  revoked: ["Your access ended", "The token that you joined with was revoked."],
};

/** Explains why joining failed, or why a client gave up. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof SignalError && error.code === "no_token" && error.cause !== undefined) return troubleOf(error.cause);
  if (error instanceof TokenError) return tokenTrouble(error);
  if (error instanceof SignalError) {
    const words = byCode[error.code] ?? ["That didn't work", sentence(error.message)];
    return { title: words[0], text: words[1], code: error.code };
  }
  if (error instanceof ClosedError) {
    const words = byCloseCode[error.closeCode] ?? ["The server ended the call", sentence(error.reason || error.message)];
    return { title: words[0], text: words[1], code: `close ${error.closeCode}` };
  }
  return { title: "That didn't work", text: sentence(error instanceof Error ? error.message : String(error)) };
}

/** Explains why a membership ended that this side didn't leave. */
export function troubleOfLeave(reason: string, error: unknown): Trouble {
  if (error !== undefined) return troubleOf(error);
  const words = byReason[reason] ?? ["You left the room", "The server ended your membership."];
  return { title: words[0], text: words[1], code: reason };
}

/**
 * Explains why there is no connection. Browsers hide why a handshake failed, so the edge is asked (GET /v1/check).
 */
export async function troubleOfConnect(origin: string): Promise<Trouble> {
  const failed: Trouble = {
    title: "No connection",
    text: "The server doesn't answer. Is it running? Try again in a moment.",
  };
  try {
    const response = await fetch(new URL("/v1/check", origin), { signal: AbortSignal.timeout(4000) });
    const body = (await response.json()) as { code?: string; message?: string };
    if (response.ok) {
      return {
        title: "The WebSocket doesn't open",
        text: "The server answers, but something on the way stops WebSockets: a proxy, perhaps, that doesn't pass the upgrade on.",
      };
    }
    const words = byCode[body.code ?? ""] ?? ["The server refuses the connection", sentence(body.message ?? "")];
    return { title: words[0], text: body.message ? `${words[1]} It said: ${sentence(body.message)}` : words[1], code: body.code ?? `status ${response.status}` };
  } catch {
    return failed;
  }
}

function tokenTrouble(error: TokenError): Trouble {
  const code = error.status === 0 ? error.url : `${error.url} ${error.status}`;
  if (error.status === 0) return { title: "No token", text: "The server that hands out tokens doesn't answer. Is it running?", code };
  if (error.status === 404 || error.status === 405) {
    return {
      title: "No tokens here",
      text: "This server hands out no tokens for the demo; parley dev does. Elsewhere the page's parley-token-url names your own backend.",
      code,
    };
  }
  if (error.status === 429) return { title: "Too many tokens", text: "The server asks for a pause. Try again in a moment.", code };
  return { title: "No token", text: `The server wouldn't give a token: ${sentence(error.message)}`, code };
}

function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "No reason was given.";
  return trimmed[0]?.toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}
