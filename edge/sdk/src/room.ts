import type { Client } from "./client.ts";
import type { RoomEvents, RoomMessage } from "./events.ts";
import type { Json } from "./json.ts";
import type { Membership } from "./membership.ts";
import type { RequestOptions, SendOptions } from "./options.ts";
import type { Peer, Self } from "./peer.ts";
import { leave } from "./leaving.ts";
import { refresh } from "./receive.ts";
import { request } from "./requesting.ts";
import type { Session } from "./session.ts";

/**
 * One membership of one room. Made by {@link Client.join}.
 *
 * A sending method resolves when the edge has **settled** the frame: it is
 * committed and will reach its receivers. It waits while the connection is down
 * or the room is being joined again. It rejects with a {@link SignalError}: the
 * edge's refusal, or one of the SDK's own codes (`left`, `closed`, `outbox_full`,
 * `aborted`, `not_sent`, `unknown_outcome`). Frames keep the order of the calls.
 */
export class Room {
  readonly #client: Client;
  readonly #session: Session;
  readonly #membership: Membership;

  /** @internal */
  constructor(client: Client, session: Session, membership: Membership) {
    this.#client = client;
    this.#session = session;
    this.#membership = membership;
  }

  get client(): Client {
    return this.#client;
  }

  get name(): string {
    return this.#membership.name;
  }

  /** The own membership. It is another one after `rejoined`. */
  get self(): Self {
    return this.#membership.self;
  }

  /** Of the room, as far as this client knows it. */
  get revision(): number {
    return this.#membership.roster.revision;
  }

  get state(): "joined" | "rejoining" | "left" {
    return this.#membership.state as "joined" | "rejoining" | "left";
  }

  /** The other members by id, in the order of joining, as they are now. */
  get peers(): ReadonlyMap<string, Peer> {
    return this.#membership.roster.peers;
  }

  /** What the others see of this member. */
  get presence(): Json | undefined {
    return this.#membership.presence;
  }

  /** For new peer connections. */
  get iceServers(): RTCIceServer[] {
    return this.#membership.iceServers;
  }

  /** What the edge lets pass between peers. Under `relay` a peer connection should use relays only. */
  get icePolicy(): "all" | "public" | "relay" {
    return this.#membership.icePolicy;
  }

  /** Unix seconds: when the token could last be used to join. The membership outlives it. */
  get tokenExpires(): number {
    return this.#membership.tokenExpires;
  }

  /** Sends a message to one peer. */
  async send(to: string, data: Json, { id, re, signal }: SendOptions = {}): Promise<void> {
    await this.#send("message", { to, id, re, data }, signal);
  }

  /** Sends a message to every other member. */
  async broadcast(data: Json, { id, re, signal }: SendOptions = {}): Promise<void> {
    await this.#send("message", { id, re, data }, signal);
  }

  /**
   * Sends a message and resolves with the other application's reply to it.
   * Rejects with `timeout`, `aborted`, or `peer_gone` if the peer leaves before.
   */
  request(to: string, data: Json, options: RequestOptions = {}): Promise<RoomMessage> {
    return request(this.#session, this.#membership, to, data, options);
  }

  /** Offers a session description. The negotiation, 1 to 128 bytes, must be new for each offer. */
  async offer(
    to: string, negotiation: string, description: RTCSessionDescriptionInit, options: SendOptions = {},
  ): Promise<void> {
    await this.#describe("offer", to, negotiation, description, options);
  }

  /** Answers the offer of that negotiation. */
  async answer(
    to: string, negotiation: string, description: RTCSessionDescriptionInit, options: SendOptions = {},
  ): Promise<void> {
    await this.#describe("answer", to, negotiation, description, options);
  }

  /** Sends ICE candidates of a negotiation in one frame; one with an empty text ends them. */
  async candidates(
    to: string, negotiation: string, candidates: RTCIceCandidateInit[], { signal }: SendOptions = {},
  ): Promise<void> {
    const [only] = candidates;
    const body = candidates.length === 1 ? { candidate: only } : { candidates };
    await this.#send("candidate", { to, negotiation, ...body }, signal);
  }

  /** Replaces what the others see, any JSON of at most `limits.presenceBytes`. */
  async setPresence(data: Json): Promise<void> {
    await this.#send("presence", { data });
    this.#membership.presence = data;
  }

  /** Makes a peer leave; needs the grant `kick`. */
  async kick(peer: string): Promise<void> {
    await this.#send("moderate", { action: "kick", peer });
  }

  /** Keeps newcomers out; needs the grant `lock`. */
  async lock(): Promise<void> {
    await this.#send("moderate", { action: "lock" });
  }

  /** Lets newcomers in; needs the grant `lock`. */
  async unlock(): Promise<void> {
    await this.#send("moderate", { action: "unlock" });
  }

  /** Makes everyone leave; needs the grant `close`. */
  async close(): Promise<void> {
    await this.#send("moderate", { action: "close" });
  }

  /** Renews the grants with a new token of the token option. The client does so by itself in time. */
  async refresh(): Promise<void> {
    await refresh(this.#session, this.#membership);
  }

  /** Ends the membership. Resolves also if it has ended already. */
  async leave(): Promise<void> {
    await leave(this.#session, this.#membership);
  }

  /** Listens to an event; returns what ends that. */
  on<E extends keyof RoomEvents>(event: E, listener: (e: RoomEvents[E]) => void): () => void {
    return this.#membership.events.on(event, listener);
  }

  #send(type: string, members: object, signal?: AbortSignal): Promise<void> {
    return this.#session.send(this.#membership, type, members, signal);
  }

  #describe(
    type: "offer" | "answer", to: string, negotiation: string, description: RTCSessionDescriptionInit, options: SendOptions,
  ): Promise<void> {
    const { type: kind, sdp } = description;
    return this.#send(type, { to, negotiation, description: { type: kind, sdp } }, options.signal);
  }
}
