// One negotiated RTCPeerConnection for each other member of a room. Start reading with connections.ts, then link.ts; the
// decisions stand by themselves in collision.ts, held.ts, description.ts, restart.ts, retry.ts, roster.ts and tracks.ts.
export { PeerConnections } from "./connections.ts";
export type { PeerConnectionsEvents, PeerConnectionsOptions, PeerLink } from "./api.ts";
