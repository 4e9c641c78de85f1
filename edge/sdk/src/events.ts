import type { ClosedError, SignalError } from "./errors.ts";
import type { Frame } from "./frames.ts";
import type { Json } from "./json.ts";
import type { LeaveReason, Peer, Self } from "./peer.ts";

/** What a client is doing; `disconnected`: it stays away until Client.reconnect. */
export type ClientState = "connecting" | "connected" | "reconnecting" | "disconnected" | "closed";

/** A frame that was sent when the session was lost: the edge may have delivered it or not. */
export interface LostFrame {
  readonly type: string;
  readonly room: string;
  readonly seq: number;
}

/** The events of a Client. */
export interface ClientEvents {
  /** `retryIn`: ms until the next try. `error`: why the connection was lost or couldn't be made. */
  state: { state: ClientState; previous: ClientState; retryIn?: number; error?: unknown };
  /** Every welcome. */
  welcome: { session: string; resumed: boolean; edge: string; first: boolean };
  /** Every frame as it passes, for inspectors. `at` is Date.now(); secrets and tokens are replaced by "…". */
  frame: { direction: "in" | "out"; at: number; bytes: number; frame: Frame };
  /** The session was lost: these were sent, and nobody knows whether they arrived. */
  lost: { frames: LostFrame[] };
  /** The edge stops in `after` ms; the client moves before that. */
  goaway: { after: number; reason: string };
  /** An error about the connection itself. */
  error: SignalError;
  /** The end. Undefined: Client.close was called. */
  closed: ClosedError | undefined;
}

interface Signal {
  /** The sender's count, which names the signal with its sender. Of the app's backend: the room's revision. */
  readonly seq: number;
  readonly traceparent?: string;
}

/** An application message. */
export interface RoomMessage extends Signal {
  /** Undefined: the app's backend, or a peer that left meanwhile (then fromId is set). */
  readonly from: Peer | undefined;
  /** Undefined: the app's backend. */
  readonly fromId: string | undefined;
  readonly data: Json;
  /** The sender waits for a reply to this id. */
  readonly id?: string;
  /** It answers the message with this id. */
  readonly re?: string;
  /** Answers it. Rejects with `bad_frame` if the sender waits for no reply. */
  reply(data: Json): Promise<void>;
}

interface NegotiationSignal extends Signal {
  /** The sending peer's id. */
  readonly from: string;
  readonly epoch: number;
  /** Names one offer; the answer and the candidates of both sides repeat it. */
  readonly negotiation: string;
}
/** A session description that asks for an answer under the same negotiation. */
export interface RoomOffer extends NegotiationSignal {
  readonly description: RTCSessionDescriptionInit;
}
/** Answers the offer of that negotiation. */
export interface RoomAnswer extends NegotiationSignal {
  readonly description: RTCSessionDescriptionInit;
}
/** ICE candidates of a negotiation, in order; one with an empty text ends them. */
export interface RoomCandidates extends NegotiationSignal {
  readonly candidates: RTCIceCandidateInit[];
}

/** The events of a Room. */
export interface RoomEvents {
  "peer-joined": Peer;
  /** `reason` is empty if it was learned from a whole roster. */
  "peer-left": { peer: Peer; reason: LeaveReason };
  "peer-updated": { peer: Peer; previous: Peer };
  message: RoomMessage;
  offer: RoomOffer;
  answer: RoomAnswer;
  candidates: RoomCandidates;
  /** The edge's policy took `count` things out of this client's frame `seq`; the rest of it went on. */
  filtered: { seq: number; rule: string; count: number; to?: string; negotiation?: string };
  /** Something from that peer (absent: from anyone) could not be replayed: negotiate again. */
  gap: { from?: string; reason: string };
  /** Room.iceServers has new ones: new credentials in time, or those of the edge that resumed the session. */
  "ice-servers": RTCIceServer[];
  /** Unix seconds. Room.refresh is called by itself when there is a token option. */
  "token-expiring": { expires: number };
  /** The connection was lost and is back, and nothing else is. */
  resumed: Record<never, never>;
  /** The session was lost and the room joined again: a new peer id, new ICE servers. The changes of the roster follow. */
  rejoined: { self: Self; previous: Self };
  /** The last event: this membership has ended. `error`: why joining again was refused. */
  left: { reason: LeaveReason; error?: unknown };
}
