/** What an edge allows, told by its `welcome`. Sizes are bytes of UTF-8, rates are per second. */
export interface Limits {
  /** One WebSocket message. */
  readonly messageBytes: number;
  /** One frame, put together from parts. */
  readonly frameBytes: number;
  /** A longer frame travels in parts. */
  readonly partBytes: number;
  readonly frameRate: number;
  readonly frameBurst: number;
  readonly byteRate: number;
  readonly byteBurst: number;
  readonly presenceRate: number;
  readonly presenceBurst: number;
  /** The JSON text of one presence. */
  readonly presenceBytes: number;
  /** Candidates of one negotiation for one receiver. */
  readonly candidates: number;
  /** Rooms of one client. */
  readonly rooms: number;
  readonly outboundFrames: number;
  readonly outboundBytes: number;
  /** Frames that were sent and aren't acknowledged. */
  readonly unsettledFrames: number;
  /** Bytes of those. */
  readonly unsettledBytes: number;
}

/** The limits of an edge that nobody configured otherwise (docs/protocol.md section 14). */
export const defaultLimits: Limits = {
  messageBytes: 65_536,
  frameBytes: 262_144,
  partBytes: 49_152,
  frameRate: 50,
  frameBurst: 200,
  byteRate: 65_536,
  byteBurst: 1_048_576,
  presenceRate: 1,
  presenceBurst: 5,
  presenceBytes: 512,
  candidates: 64,
  rooms: 16,
  outboundFrames: 256,
  outboundBytes: 262_144,
  unsettledBytes: 1_048_576,
  unsettledFrames: 256,
};

/** The most that a client relies on; what the edge leaves out or gets wrong falls back to its default. */
export function readLimits(said: Partial<Record<keyof Limits, unknown>>): Limits {
  const limits = { ...defaultLimits } as { -readonly [K in keyof Limits]: number };
  for (const key of Object.keys(defaultLimits) as (keyof Limits)[]) {
    const value = said[key];
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) limits[key] = value;
  }
  // A part must have room for its own envelope.
  limits.partBytes = Math.max(1024, Math.min(limits.partBytes, limits.messageBytes));
  return limits;
}
