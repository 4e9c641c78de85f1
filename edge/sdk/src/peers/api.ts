import type { Peer } from "../peer.ts";

/** How {@link PeerConnections} connects. All of it is optional. */
export interface PeerConnectionsOptions {
  /** What every other member gets; see PeerConnections.setStream. */
  stream?: MediaStream | null;
  /**
   * Label of the data channel with each peer, "parley" if absent; false: none. The impolite side makes it, the other one
   * takes it by its label.
   */
  channel?: string | false;
  /** The room's ICE servers are added to its own; a room whose policy is `relay` forces relays. */
  configuration?: RTCConfiguration;
  /** Chooses the members that get a connection; all if absent. */
  only?: (peer: Peer) => boolean;
  /** For programs outside of a browser. */
  RTCPeerConnection?: typeof RTCPeerConnection;
}

/** The connection with one other member. Losing the socket, or the session, never ends it. */
export interface PeerLink {
  /** The member as the roster has it now; the last one while it is away without a membership. */
  readonly peer: Peer;
  readonly pc: RTCPeerConnection;
  readonly channel: RTCDataChannel | undefined;
  readonly state: RTCPeerConnectionState;
  /** The negotiation of the newest description. */
  readonly negotiation: string | undefined;
  /** What the other side sends, in the order in which it came. */
  readonly streams: readonly MediaStream[];
}

/** The events of {@link PeerConnections}. */
export interface PeerConnectionsEvents {
  /** Made, with its tracks and its channel added, before anything is negotiated. */
  connection: PeerLink;
  /** Its connectionState changed. */
  state: PeerLink;
  track: { link: PeerLink; event: RTCTrackEvent };
  /** Its data channel is open. */
  open: PeerLink;
  data: { link: PeerLink; data: string | ArrayBuffer };
  /** The same identity came back as a new peer, or this client did, and the RTCPeerConnection was kept. */
  rebound: { link: PeerLink; previous: Peer };
  /** Its RTCPeerConnection was closed. Another link follows if the other side came back with a new one. */
  closed: PeerLink;
  /** Something of its negotiation failed for good; the connection may need restartIce, or a new one. */
  error: { link: PeerLink; error: unknown };
}
