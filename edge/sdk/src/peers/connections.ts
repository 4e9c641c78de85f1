import { Emitter } from "../emitter.ts";
import type { RoomMessage } from "../events.ts";
import type { LeaveReason, Peer } from "../peer.ts";
import type { Room } from "../room.ts";
import type { PeerConnectionsEvents, PeerConnectionsOptions, PeerLink } from "./api.ts";
import { type Inbound, Link, type Owner } from "./link.ts";
import { mayReturn, successor } from "./roster.ts";

/** How long a link whose peer has lost its session waits for the same identity, in ms; longer while it is connected. */
const patience = 30_000;

/** One negotiated RTCPeerConnection for each other member of a room. */
export class PeerConnections {
  readonly #room: Room;
  readonly #options: PeerConnectionsOptions;
  readonly #emitter = new Emitter<PeerConnectionsEvents>();
  readonly #links = new Map<string, Link>();
  /** Links whose membership has ended, and until when they wait. */
  readonly #waiting = new Map<Link, ReturnType<typeof setTimeout> | "overdue">();
  readonly #owner: Owner;
  readonly #off: (() => void)[];
  #stream: MediaStream | null;
  #closed = false;

  constructor(room: Room, options: PeerConnectionsOptions = {}) {
    this.#room = room;
    this.#options = options;
    this.#stream = options.stream ?? null;
    this.#owner = this.#own();
    const signal = (e: Inbound): void => this.#links.get(e.from)?.receive(e);
    this.#off = [
      room.on("peer-joined", (peer) => this.#join(peer)),
      room.on("peer-left", (e) => this.#leave(e.peer, e.reason)),
      room.on("peer-updated", ({ peer }) => {
        const link = this.#links.get(peer.peer);
        if (link) link.peer = peer;
      }),
      room.on("offer", signal),
      room.on("answer", signal),
      room.on("candidates", signal),
      room.on("message", (e) => this.#hear(e)),
      room.on("gap", (e) => this.#gap(e.from)),
      room.on("ice-servers", () => this.#configure()),
      room.on("rejoined", () => this.#rejoin()),
      room.on("left", () => this.close()),
    ];
    for (const peer of room.peers.values()) this.#add(peer);
    this.#emitter.release(); // whoever made us has listeners to add first
  }

  /** By peer id. */
  get connections(): ReadonlyMap<string, PeerLink> {
    return this.#links;
  }

  /**
   * Sends the tracks of this stream to everyone, now and later. A track takes the place of one of its kind without a
   * negotiation; the stream itself keeps the id that the others know. What has no track any more sends nothing: the others see
   * its track go silent, not away, so tell them by presence what they see.
   */
  setStream(stream: MediaStream | null): void {
    this.#stream = stream;
    for (const link of this.#links.values()) link.setStream(stream);
  }

  /** Sends over the data channel, to one or to all whose channel is open, and returns to how many. */
  send(data: string | ArrayBuffer, to?: string): number {
    let count = 0;
    for (const [peer, { channel }] of this.#links) {
      if (channel?.readyState !== "open" || (to !== undefined && to !== peer)) continue;
      channel.send(data as string);
      count++;
    }
    return count;
  }

  /** Restarts ICE with one peer or all, as happens by itself when a connection is in trouble. */
  restartIce(peer?: string): void {
    for (const [id, { pc }] of this.#links) if (peer === undefined || peer === id) pc.restartIce();
  }

  /** Closes every connection for good; the room stays. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const off of this.#off) off();
    for (const link of [...this.#links.values()]) this.#drop(link);
  }

  on<E extends keyof PeerConnectionsEvents>(event: E, listener: (e: PeerConnectionsEvents[E]) => void): () => void {
    return this.#emitter.on(event, listener);
  }

  #own(): Owner {
    const connections = this;
    return {
      room: this.#room,
      channel: this.#options.channel ?? "parley",
      get stream() {
        return connections.#stream;
      },
      emit: (event, what) => {
        this.#emitter.emit(event, what);
        if (event === "state") this.#giveUp(what as Link);
      },
      replace: (link, inbox) => {
        this.#drop(link);
        if (!this.#closed) this.#make(link.peer, inbox);
      },
      sayAnew: ({ peer }) => this.#say(peer, "anew"),
    };
  }

  #configuration(): RTCConfiguration {
    const { configuration = {} } = this.#options;
    const iceServers = [...(configuration.iceServers ?? []), ...this.#room.iceServers];
    const relay = this.#room.icePolicy === "relay";
    return { ...configuration, iceServers, ...(relay && { iceTransportPolicy: "relay" }) };
  }

  /** Gives a peer its link, if it shall have one and has none. */
  #add(peer: Peer): void {
    if (this.#closed || this.#links.has(peer.peer) || this.#options.only?.(peer) === false) return;
    this.#make(peer);
  }

  #make(peer: Peer, inbox: Inbound[] = []): void {
    const Connection = this.#options.RTCPeerConnection ?? RTCPeerConnection;
    const link = new Link(this.#owner, peer, new Connection(this.#configuration()), inbox);
    this.#links.set(peer.peer, link);
    this.#emitter.emit("connection", link);
    link.work();
  }

  #drop(link: Link): void {
    this.#stopWaiting(link);
    if (this.#links.get(link.peer.peer) === link) this.#links.delete(link.peer.peer);
    link.close();
  }

  #join(peer: Peer): void {
    for (const link of this.#waiting.keys()) {
      if (link.peer.identity === peer.identity && !this.#links.has(peer.peer)) return this.#rebind(link, peer);
    }
    this.#add(peer);
  }

  #rebind(link: Link, peer: Peer): void {
    this.#stopWaiting(link);
    this.#links.delete(link.peer.peer);
    this.#links.set(peer.peer, link);
    link.rebind(peer);
  }

  #leave(peer: Peer, reason: LeaveReason): void {
    const link = this.#links.get(peer.peer);
    if (!link) return;
    if (mayReturn(reason)) this.#wait(link);
    else this.#drop(link);
  }

  #wait(link: Link): void {
    if (this.#waiting.has(link)) return;
    const timer = setTimeout(() => {
      this.#waiting.set(link, "overdue");
      this.#giveUp(link);
    }, patience);
    this.#waiting.set(link, timer);
  }

  #stopWaiting(link: Link): void {
    const timer = this.#waiting.get(link);
    if (timer !== "overdue") clearTimeout(timer);
    this.#waiting.delete(link);
  }

  /** Ends a link that has waited for too long and doesn't work any more. */
  #giveUp(link: Link): void {
    if (this.#waiting.get(link) === "overdue" && link.state !== "connected") this.#drop(link);
  }

  /** Our session was lost: every link is bound anew, since we are another peer and the others may be, too. */
  #rejoin(): void {
    const { peers } = this.#room;
    this.#configure(); // first: a connection in trouble restarts ICE when it is bound anew
    for (const link of [...this.#links.values()]) {
      const peer = successor(link.peer, peers, (id) => this.#links.has(id));
      if (peer) this.#rebind(link, peer);
      else this.#wait(link);
    }
    for (const peer of peers.values()) this.#add(peer);
  }

  /** Something from a peer is lost: each side says again what the other one may miss. */
  #gap(from: string | undefined): void {
    for (const [id, link] of this.#links) {
      if (from !== undefined && from !== id) continue;
      link.gap();
      this.#say(id, "again");
    }
  }

  /** Says a word; whether it was taken doesn't matter: a peer that is gone has nothing to do. */
  #say(peer: string, negotiate: "again" | "anew"): void {
    this.#room.send(peer, { negotiate }).catch(() => {});
  }

  /** Hears a word of a peer. */
  #hear(message: RoomMessage): void {
    const { data, fromId } = message;
    if (fromId === undefined || typeof data !== "object" || data === null || !("negotiate" in data)) return;
    const link = this.#links.get(fromId);
    if (data.negotiate === "again") link?.repeat();
    else if (data.negotiate === "anew") link?.anew();
  }

  /** Gives what is there the room's present servers, for the next restart of ICE. */
  #configure(): void {
    for (const { pc } of this.#links.values()) pc.setConfiguration({ ...pc.getConfiguration(), ...this.#configuration() });
  }
}
