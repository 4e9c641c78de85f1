import type { Client, Room } from "../../../edge/sdk/src/index.ts";

/** When the socket is cut: before an offer is made, or right after what the name says. */
export type Moment =
  | "before-offer" | "have-local-offer" | "have-remote-offer" | "stable-before-candidates" | "during-candidates" | "connected";

/** Sees every RTCPeerConnection of the tab, holds signals back, and cuts the socket at a moment of the negotiation. */
export class Probe {
  /** Every one that was made. */
  readonly made: RTCPeerConnection[] = [];
  /** How many offers of ours were rolled back for one of theirs. */
  rollbacks = 0;
  /** How many offers were made since hold. */
  holding = 0;
  /** The signaling state in which the socket was cut; empty: it wasn't. */
  cut = "";
  /** What a signal waits for. */
  #gate: PromiseWithResolvers | undefined;
  #cutAt: Moment | undefined;
  #client: Client | undefined;

  /** What kind of description is lost the next time that one is sent. */
  lose: "offer" | "answer" | "" = "";
  lost = 0;
  /** Tells the negotiations that something is lost, as the edge does. */
  gap: (e: { reason: string }) => void = () => {};

  readonly RTCPeerConnection: typeof RTCPeerConnection;

  constructor() {
    const probe = this;
    this.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        probe.made.push(this);
        this.addEventListener("connectionstatechange", () => this.connectionState === "connected" && probe.at("connected", this));
      }

      override async setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void> {
        const answers = this.signalingState === "have-remote-offer";
        if (!answers) probe.at("before-offer", this);
        await super.setLocalDescription(description);
        probe.at(answers ? "stable-before-candidates" : "have-local-offer", this);
      }

      override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
        if (description.type === "offer" && this.signalingState === "have-local-offer") probe.rollbacks++;
        await super.setRemoteDescription(description);
        probe.at(description.type === "offer" ? "have-remote-offer" : "stable-before-candidates", this);
      }
    };
  }

  take(client: Client, room: Room, cutAt: Moment | undefined): void {
    this.#client = client;
    this.#cutAt = cutAt;
    const offer = room.offer.bind(room);
    const answer = room.answer.bind(room);
    const candidates = room.candidates.bind(room);
    room.offer = (...args) => {
      this.holding++;
      return this.#loses("offer") ? Promise.resolve() : this.#pass(() => offer(...args));
    };
    room.answer = (...args) => (this.#loses("answer") ? Promise.resolve() : this.#pass(() => answer(...args)));
    room.candidates = async (...args) => {
      const sent = this.#pass(() => candidates(...args));
      this.at("during-candidates", this.made[0]);
      return sent;
    };
    const on = room.on.bind(room);
    room.on = (event, listener) => {
      if (event === "gap") this.gap = listener as typeof this.gap;
      return on(event, listener);
    };
  }

  /** What is sent waits until release, and then goes in its order: an answer never overtakes the offer before it. */
  hold(): void {
    this.holding = 0;
    this.#gate = promiseWithResolvers();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  #loses(what: "offer" | "answer"): boolean {
    if (this.lose !== what) return false;
    this.lose = "";
    this.lost++;
    return true;
  }

  #pass(send: () => Promise<void>): Promise<void> {
    return this.#gate ? this.#gate.promise.then(send) : send();
  }

  /** Cuts the socket if this is the moment. */
  at(moment: Moment, pc: RTCPeerConnection | undefined): void {
    if (this.cut || moment !== this.#cutAt || !pc) return;
    this.cut = pc.signalingState;
    this.#client?.disconnect();
  }
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve: () => void;
}

function promiseWithResolvers(): PromiseWithResolvers {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
