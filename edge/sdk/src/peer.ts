import type { Json } from "./json.ts";

/** Another member of a room. Each change makes a new frozen object. */
export interface Peer {
  /** Its id: text to send back as it came. It survives reconnects and is never given to another one. */
  readonly peer: string;
  /** Who its token says it is. */
  readonly identity: string;
  /** The room's revision that made it a member, so a higher one joined later. */
  readonly epoch: number;
  /** What it shows; undefined: nothing yet. */
  readonly presence: Json | undefined;
  /** Counts its changes of presence and state. */
  readonly version: number;
  /** Whether *you* are the polite one towards it. */
  readonly polite: boolean;
  readonly capabilities: { readonly rollback: boolean };
  /** `away`: its connection is lost, and it may come back within the edge's resume window. */
  readonly state: "here" | "away";
}

/** This client's own membership. */
export interface Self {
  readonly peer: string;
  readonly identity: string;
  readonly epoch: number;
}

/** Why a membership ended. New reasons may be added; take an unknown one for any other. Empty: it isn't known. */
export type LeaveReason =
  | "left" | "replaced" | "kicked" | "closed" | "expired" | "revoked" | "" | (string & {});
