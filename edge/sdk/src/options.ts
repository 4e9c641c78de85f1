import type { Json } from "./json.ts";

/** What a token is asked for. */
export interface TokenAsk {
  room: string;
  /** `join`: Client.join; `rejoin`: the session was lost; `refresh`: the grants run out. */
  reason: "join" | "rejoin" | "refresh";
  /** Aborts when nobody waits for the token any more. */
  signal: AbortSignal;
}

/** How {@link connect} connects. */
export interface ClientOptions {
  /** `wss://host`, `ws://host:7420`, `https://...`, or with a path ("/v1/ws" without one). Each try takes another one. */
  url: string | string[];
  /** Where room tokens come from: your own backend. It may take its time. */
  token?: (ask: TokenAsk) => string | Promise<string>;
  /** Bounds of the wait before a reconnect, in ms: full jitter, from 100 doubling up to 5,000. */
  backoff?: { min?: number; max?: number };
  /** Ms that one try may take until the welcome; 10,000. */
  connectTimeout?: number;
  /** What may wait for its acknowledgement: 256 frames, 256 KiB. Over it sending rejects with `outbox_full`. */
  outbox?: { frames?: number; bytes?: number };
  /** Your application's name in the edge's logs, at most 128 bytes. */
  name?: string;
  /** Your application's version in the edge's logs, at most 128 bytes. */
  version?: string;
  /** True: each counted frame carries a new W3C traceparent (sampled); a function gives it. */
  trace?: boolean | (() => string | undefined);
  /** For Node before 22 (package ws) and for tests. */
  webSocket?: typeof WebSocket;
  /** Ends the client: connect() rejects with `aborted`, later it is closed. */
  signal?: AbortSignal;
  storage?: never;
}

/** How {@link Client.join} joins. */
export interface JoinOptions {
  /** What the others see of you, any JSON of at most `limits.presenceBytes`. */
  presence?: Json;
  /** Instead of `ClientOptions.token`. It is used once; to rejoin, the option is asked. */
  token?: string;
  /** What the WebRTC stack can do; rollback is true where RTCPeerConnection exists. */
  capabilities?: { rollback?: boolean };
}

/** Of a signal. */
export interface SendOptions {
  /** The application's, for requests: 1 to 128 bytes. Messages only. */
  id?: string;
  /** The id that this one answers: 1 to 128 bytes. Messages only. */
  re?: string;
  /** Takes the frame back, if it wasn't written yet. */
  signal?: AbortSignal;
}

/** Of a request. */
export interface RequestOptions {
  /** Ms until the reply; 10,000. */
  timeout?: number;
  signal?: AbortSignal;
}
