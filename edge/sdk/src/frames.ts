import type { Json } from "./json.ts";

/** A frame of the wire protocol as an inspector sees it, either direction. */
export interface Frame {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** A peer as it stands on the wire. */
export interface WirePeer {
  peer: string;
  identity: string;
  epoch: number;
  presence?: Json;
  version: number;
  polite: boolean;
  capabilities: { rollback?: boolean };
  state: "here" | "away";
}

export interface WireIceServer {
  urls: string[];
  username?: string;
  credential?: string;
}

export interface Welcome {
  type: "welcome";
  session: string;
  resumed: boolean;
  seq: number;
  /** Milliseconds. */
  resumeWindow: number;
  /** Milliseconds. */
  pingInterval: number;
  limits: Record<string, number>;
  features: string[];
  edge: string;
}

export interface Joined {
  type: "joined";
  re: number;
  room: string;
  self: { peer: string; identity: string; epoch: number };
  revision: number;
  peers: WirePeer[];
  iceServers: WireIceServer[];
  icePolicy: string;
  /** Unix seconds. */
  tokenExpires: number;
  cursor: string;
}

export interface PeerJoined { type: "peer-joined"; room: string; revision: number; peer: WirePeer }
export interface PeerLeft { type: "peer-left"; room: string; revision: number; peer: string; reason: string }
export interface PeerUpdated {
  type: "peer-updated";
  room: string;
  peer: { peer: string; version: number; presence?: Json; state?: "here" | "away" };
}
export interface Left { type: "left"; room: string; revision: number; reason: string }

interface Relayed {
  room: string;
  /** Absent: the app's backend. */
  from?: string;
  epoch?: number;
  seq?: number;
  cursor?: string;
  traceparent?: string;
}
export interface WireDescription { type: string; sdp: string }
export interface WireCandidate {
  candidate?: string;
  sdpMid?: string | null;
  sdpMLineIndex?: number | null;
  usernameFragment?: string | null;
}
export interface Described extends Relayed {
  type: "offer" | "answer";
  negotiation: string;
  description: WireDescription;
}
export interface Trickled extends Relayed {
  type: "candidate";
  negotiation: string;
  candidate?: WireCandidate;
  candidates?: WireCandidate[];
}
export interface Told extends Relayed { type: "message"; id?: string; re?: string; data: Json }

export interface Acked { type: "acked"; seq: number }
export interface Filtered { type: "filtered"; re: number; rule: string; count: number }
export interface Refused {
  type: "error";
  re?: number;
  code: string;
  status: number;
  message: string;
  retryable: boolean;
  /** Milliseconds. */
  retryAfter?: number;
  rule?: string;
}
export interface Gap { type: "gap"; room: string; from?: string; reason: string }
export interface Goaway { type: "goaway"; after: number; reason: string }
export interface IceServers { type: "ice-servers"; room: string; iceServers: WireIceServer[] }
export interface TokenExpiring { type: "token-expiring"; room: string; expires: number }
export interface Ping { type: "ping"; t?: Json; cursors?: Record<string, string> }
export interface Pong { type: "pong"; t?: Json }
export interface Part { type: "part"; id: string; index: number; of: number; chunk: string }

/** Every frame that an edge sends (docs/protocol.md section 2). */
export type ServerFrame =
  | Welcome | Joined | PeerJoined | PeerLeft | PeerUpdated | Left | Described | Trickled | Told | Acked | Filtered
  | Refused | Gap | Goaway | IceServers | TokenExpiring | Ping | Pong | Part;
