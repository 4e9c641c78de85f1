export { Client, connect } from "./client.ts";
export { ClosedError, SignalError } from "./errors.ts";
export type {
  ClientEvents, ClientState, LostFrame, RoomAnswer, RoomCandidates, RoomEvents, RoomMessage, RoomOffer,
} from "./events.ts";
export type { Frame } from "./frames.ts";
export type { Json } from "./json.ts";
export type { Limits } from "./limits.ts";
export type { ClientOptions, JoinOptions, RequestOptions, SendOptions, TokenAsk } from "./options.ts";
export type { LeaveReason, Peer, Self } from "./peer.ts";
export { Room } from "./room.ts";
export * from "./peers/index.ts";
