import type { RoomAnswer, RoomCandidates, RoomOffer } from "../events.ts";
import type { Peer } from "../peer.ts";
import { randomId } from "../random.ts";
import type { Room } from "../room.ts";
import type { PeerConnectionsEvents, PeerLink } from "./api.ts";
import { ignores } from "./collision.ts";
import { isForeign } from "./description.ts";
import { Held } from "./held.ts";
import { Outgoing } from "./outgoing.ts";
import { restartAgain, restartDelay } from "./restart.ts";
import { outcome } from "./retry.ts";
import { planTracks } from "./tracks.ts";

/** How long a first offer waits, before it is rolled back, for the first candidate to be gathered, in ms. */
const gatherPatience = 500;

/**
 * How long the polite one leaves the first offer to the other, in ms: of two members who both have something to send from
 * the start, the one who just joined would else offer at the same moment and roll back.
 */
export const courtesy = 300;

/** What another member sends for its link. */
export type Inbound = RoomOffer | RoomAnswer | RoomCandidates;

/** Who keeps the links. */
export interface Owner {
  readonly room: Pick<Room, "offer" | "answer" | "candidates" | "client">;
  readonly channel: string | false;
  readonly stream: MediaStream | null;
  emit<E extends keyof PeerConnectionsEvents>(event: E, what: PeerConnectionsEvents[E]): void;
  /** Makes another link with the same peer, since the other side has another RTCPeerConnection; it goes on with inbox. */
  replace(link: Link, inbox: Inbound[]): void;
  /** Tells the peer that its RTCPeerConnection fits none of ours. */
  sayAnew(peer: Peer): void;
}

/**
 * The connection with one peer: the perfect negotiation of W3C WebRTC section 10.7. One worker does everything with
 * descriptions and remote candidates, one after the other; events of the RTCPeerConnection only leave notes for it.
 */
export class Link implements PeerLink {
  peer: Peer;
  readonly pc: RTCPeerConnection;
  channel: RTCDataChannel | undefined;
  negotiation: string | undefined;
  streams: readonly MediaStream[] = [];
  closed = false;

  readonly #owner: Owner;
  readonly #held: Held;
  readonly #outgoing: Outgoing;
  readonly #gathers: Promise<unknown>; // the first candidate, or the end of all
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #senders = new Map<RTCRtpSender, string>(); // of setStream, with their kinds; the application may have its own

  readonly #forgetEmpty = (): void => {
    this.streams = this.streams.filter((stream) => stream.getTracks().length);
  };

  // Notes for the worker.
  #inbox: Inbound[];
  #needed = false;
  #again = false;
  #working = false;
  #waits: ReturnType<typeof setTimeout> | undefined; // for the other's first offer

  // Of the worker.
  #makingOffer = false;
  #ignoreOffer = false;
  #isSettingRemoteAnswerPending = false;
  #offered: string | undefined; // the negotiation of our offer, while it has no answer

  constructor(owner: Owner, peer: Peer, pc: RTCPeerConnection, inbox: Inbound[] = []) {
    this.#owner = owner;
    this.peer = peer;
    this.pc = pc;
    this.#inbox = inbox;
    this.#held = new Held(owner.room.client.limits.candidates);
    this.#outgoing = new Outgoing(() => pc.localDescription?.sdp, (candidates) => this.#sendCandidates(candidates));
    pc.onnegotiationneeded = () => {
      this.#needed = true;
      this.work();
    };
    this.#gathers = new Promise((resolve) => pc.addEventListener("icecandidate", resolve, { once: true }));
    pc.onicecandidate = (e) => this.#outgoing.add(e.candidate);
    pc.oniceconnectionstatechange = () => this.#watchIce();
    pc.onconnectionstatechange = () => this.#emit("state", this);
    pc.ontrack = (event) => this.#takeTrack(event);
    pc.ondatachannel = ({ channel }) => {
      if (channel.label === owner.channel) this.#takeChannel(channel);
    };
    if (peer.polite) this.#waits = setTimeout(() => this.#act(), courtesy);
    if (owner.stream) this.setStream(owner.stream);
    if (owner.channel !== false && !peer.polite) this.#takeChannel(pc.createDataChannel(owner.channel));
  }

  get state(): RTCPeerConnectionState {
    return this.pc.connectionState;
  }

  /** Takes a signal of the peer. */
  receive(signal: Inbound): void {
    this.#inbox.push(signal);
    this.work();
  }

  /**
   * Repeats what we say: an offer without an answer goes out under a new negotiation, and if there is none the connection
   * is offered as it is, since what was lost may have been a candidate or an answer. ICE restarts if it is in trouble.
   */
  repeat(): void {
    this.#again = true;
    this.work();
  }

  /** Something that the peer sent is lost; it may have been the answer. */
  gap(): void {
    if (this.#offered) this.repeat();
  }

  /** The peer's RTCPeerConnection isn't the one that we negotiated with. */
  anew(): void {
    if (this.pc.remoteDescription) this.#owner.replace(this, []);
  }

  /** The peer is another one now, or we are. Both sides may have lost signals, so the impolite one begins anew. */
  rebind(peer: Peer): void {
    const previous = this.peer;
    this.peer = peer;
    if (this.#offered || !peer.polite) this.repeat();
    this.#emit("rebound", { link: this, previous });
  }

  /** Sends these tracks instead of those of the stream before. */
  setStream(stream: MediaStream | null): void {
    const { keep, add } = planTracks(this.#senders, stream?.getTracks() ?? []);
    for (const [sender, track] of keep) {
      if (sender.track !== track) sender.replaceTrack(track).catch((error: unknown) => this.#report(error));
    }
    for (const track of add) this.#senders.set(this.pc.addTrack(track, stream as MediaStream), track.kind);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#waits);
    this.#outgoing.close();
    this.pc.close();
    this.#owner.emit("closed", this);
  }

  /** Starts the worker if it rests. */
  work(): void {
    if (this.#working || this.closed) return;
    this.#working = true;
    void this.#work();
  }

  /** The other one had time enough, or has offered. */
  #act(): void {
    clearTimeout(this.#waits);
    this.#waits = undefined;
    this.work();
  }

  async #work(): Promise<void> {
    for (let step = this.#next(); step && !this.closed; step = this.#next()) {
      try {
        await step();
      } catch (error) {
        this.#report(error);
      }
    }
    this.#working = false;
  }

  /** What is to be done next. Remote signals go first: their order is all we know of the other side. */
  #next(): (() => Promise<void>) | undefined {
    const signal = this.#inbox.shift();
    if (signal) return () => this.#take(signal);
    if (this.#waits) return undefined;
    const { signalingState, iceConnectionState } = this.pc;
    const again = this.#again;
    const needed = this.#needed || again;
    this.#again = this.#needed = false;
    if (again && signalingState === "have-local-offer") return () => this.#repeatOffer();
    // In another state the need is told again once the state is stable.
    if (!needed || signalingState !== "stable") return undefined;
    const troubled = restartDelay(iceConnectionState, this.peer.polite) !== undefined;
    if (again && troubled && !this.peer.polite) this.pc.restartIce();
    return () => this.#offer();
  }

  async #offer(): Promise<void> {
    try {
      this.#makingOffer = true;
      this.#outgoing.hold();
      await this.pc.setLocalDescription();
      this.#sendOffer();
    } finally {
      this.#makingOffer = false;
      this.#outgoing.release();
    }
  }

  async #repeatOffer(): Promise<void> {
    this.#sendOffer();
  }

  #sendOffer(): void {
    const negotiation = randomId();
    this.#offered = this.negotiation = negotiation;
    const description = this.pc.localDescription as RTCSessionDescription;
    this.#send(() => this.#owner.room.offer(this.peer.peer, negotiation, description.toJSON()));
  }

  #take(signal: Inbound): Promise<void> {
    if ("candidates" in signal) return this.#add(this.#held.take(signal.negotiation, signal.candidates));
    return signal.description.type === "offer" ? this.#takeOffer(signal) : this.#takeAnswer(signal);
  }

  async #takeOffer(offer: RoomOffer): Promise<void> {
    const { pc } = this;
    this.#act();
    this.#ignoreOffer = ignores(
      {
        polite: this.peer.polite,
        makingOffer: this.#makingOffer,
        isSettingRemoteAnswerPending: this.#isSettingRemoteAnswerPending,
        signalingState: pc.signalingState,
      },
      "offer",
    );
    if (this.#ignoreOffer) {
      this.#held.ignore(offer.negotiation);
      return;
    }
    if (this.#isForeign(offer)) return this.#owner.replace(this, [offer, ...this.#inbox]);
    try {
      this.#outgoing.hold();
      if (pc.signalingState !== "stable") await this.#waitForGathering();
      await pc.setRemoteDescription(offer.description); // rolls our own offer back, if there is one
      this.#offered = undefined;
      this.#needed = false; // told again after the answer, if the offer hasn't met the need
      if (this.peer.polite) this.#watchIce(); // the other side has acted: our own turn comes later
      const candidates = this.#held.describe(offer.negotiation);
      await pc.setLocalDescription();
      this.negotiation = offer.negotiation;
      const description = pc.localDescription as RTCSessionDescription;
      this.#send(() => this.#owner.room.answer(this.peer.peer, offer.negotiation, description.toJSON()));
      await this.#add(candidates);
    } finally {
      this.#outgoing.release();
    }
  }

  /**
   * Chromium asks the system for its network interfaces when it begins to gather. If its very first offer is rolled back
   * before they are known, it never hears of them and never gathers again, so that rollback waits a moment.
   */
  async #waitForGathering(): Promise<void> {
    if (this.pc.currentLocalDescription) return;
    await Promise.race([this.#gathers, new Promise((resolve) => setTimeout(resolve, gatherPatience))]);
  }

  async #takeAnswer(answer: RoomAnswer): Promise<void> {
    if (answer.negotiation !== this.#offered) return; // of an offer that we took back or said anew
    if (this.#isForeign(answer)) {
      this.#owner.sayAnew(this.peer); // its answer was to an offer of this connection, which ends
      return this.#owner.replace(this, this.#inbox);
    }
    try {
      this.#isSettingRemoteAnswerPending = true;
      await this.pc.setRemoteDescription(answer.description);
    } finally {
      this.#isSettingRemoteAnswerPending = false;
    }
    this.#offered = undefined;
    await this.#add(this.#held.describe(answer.negotiation));
  }

  /** Whether the other side has another RTCPeerConnection than before: no description fits both. */
  #isForeign(signal: RoomOffer | RoomAnswer): boolean {
    return isForeign(this.pc.remoteDescription?.sdp, signal.description.sdp);
  }

  async #add(candidates: readonly RTCIceCandidateInit[]): Promise<void> {
    for (const candidate of candidates) {
      try {
        await this.pc.addIceCandidate(candidate);
      } catch (error) {
        if (!this.#ignoreOffer) this.#report(error);
      }
    }
  }

  #sendCandidates(candidates: RTCIceCandidateInit[]): void {
    const { negotiation } = this;
    if (negotiation === undefined) return;
    this.#send(() => this.#owner.room.candidates(this.peer.peer, negotiation, candidates));
  }

  /** Sends until it is taken, refused for good, or no longer of the newest negotiation with the same peer. */
  #send(send: () => Promise<void>): void {
    const { negotiation, peer: { peer } } = this;
    const attempt = (): void => {
      if (this.closed || negotiation !== this.negotiation || peer !== this.peer.peer) return;
      send().catch((error: unknown) => {
        const next = outcome(error);
        if (next === "error") this.#report(error);
        else if (next !== "quiet") setTimeout(attempt, next.retryIn);
      });
    };
    attempt();
  }

  #watchIce(): void {
    clearTimeout(this.#timer);
    const delay = restartDelay(this.pc.iceConnectionState, this.peer.polite);
    if (delay !== undefined) this.#timer = setTimeout(() => this.#restartIce(), delay);
  }

  #restartIce(): void {
    this.pc.restartIce();
    this.#timer = setTimeout(() => this.#restartIce(), restartAgain);
  }

  #takeTrack(event: RTCTrackEvent): void {
    for (const stream of event.streams) {
      if (!this.streams.includes(stream)) this.streams = [...this.streams, stream];
      stream.addEventListener("removetrack", this.#forgetEmpty);
    }
    this.#emit("track", { link: this, event });
  }

  #takeChannel(channel: RTCDataChannel): void {
    this.channel = channel;
    channel.binaryType = "arraybuffer";
    channel.onopen = () => this.#emit("open", this);
    channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.#emit("data", { link: this, data });
  }

  #emit<E extends keyof PeerConnectionsEvents>(event: E, what: PeerConnectionsEvents[E]): void {
    if (!this.closed) this.#owner.emit(event, what);
  }

  #report(error: unknown): void {
    this.#emit("error", { link: this, error });
  }
}
