// One member of a room in a tab, driven by the Go tests through `tab`.
import { type Client, connect, PeerConnections, type PeerLink, type Room } from "../../../edge/sdk/src/index.ts";
import { type Moment, Probe } from "./probe.ts";
import { channelBytes, type Facts, facts } from "./stats.ts";

/** What a test asks of a tab. */
interface Options {
  url: string[];
  room: string;
  identity: string;
  /** Send the fake camera. */
  camera?: boolean;
  /** Label of the data channel; false: none. */
  channel?: string | false;
  /** ICE policy of the token. */
  ice?: string;
  /** Where the socket is cut, once, and of which kind of pc. */
  cutAt?: Moment;
  /** The most ms before the first retry, and every one after it. */
  backoff?: number;
}

class Tab {
  client!: Client;
  room!: Room;
  connections!: PeerConnections;
  /** What happened, in order: names of events, with the reason or state where there is one. */
  readonly events: string[] = [];
  /** The frames of negotiations and the errors, in order. */
  readonly frames: string[] = [];
  /** Candidates as the other side's frames had them. */
  readonly heard: string[] = [];
  readonly probe: Probe = new Probe();
  #received = 0;
  #turning: RTCRtpTransceiver | undefined;

  async start(options: Options): Promise<string> {
    const token = async (ask: { room: string }): Promise<string> => {
      const query = new URLSearchParams({ room: ask.room, identity: options.identity, ice: options.ice ?? "" });
      const reply = await fetch(`/token?${query}`);
      if (!reply.ok) throw new Error(`no token: ${await reply.text()}`);
      return reply.text();
    };
    const stream = options.camera ? await camera() : null;
    this.client = await connect({ url: options.url, token, backoff: { min: options.backoff ?? 50, max: options.backoff ?? 500 } });
    this.#watchClient();
    this.room = await this.client.join(options.room);
    this.#watchRoom();
    this.probe.take(this.client, this.room, options.cutAt);
    this.connections = new PeerConnections(this.room, {
      stream,
      channel: options.channel ?? "parley",
      RTCPeerConnection: this.probe.RTCPeerConnection,
    });
    this.#watchConnections();
    return this.client.edge;
  }

  get link(): PeerLink | undefined {
    return [...(this.connections?.connections.values() ?? [])][0];
  }

  /** The state of the only other member: here, away, or gone. */
  get other(): string {
    return [...this.room.peers.values()][0]?.state ?? "gone";
  }

  /** Whether the connection is up and its channel open. */
  get open(): boolean {
    return this.link?.channel?.readyState === "open" && this.link.state === "connected";
  }

  get steady(): boolean {
    return this.link?.pc.signalingState === "stable" && this.link.state === "connected";
  }

  /** Bytes that came over the data channel, counted by the page; getStats counts them too. */
  get received(): number {
    return this.#received;
  }

  /** Sends this many bytes over the channel and returns to how many it could. */
  send(bytes: number): number {
    return this.connections.send(new ArrayBuffer(bytes));
  }

  /** Counts bytes from 0 again, as getStats does with a new connection. */
  forget(): void {
    this.#received = 0;
  }

  /** What getStats says. */
  async facts(): Promise<Facts> {
    return facts(this.link);
  }

  async channelBytes(): Promise<number> {
    return channelBytes(this.link);
  }

  /** Sends what the (fake) camera and microphone give, made anew, or only the camera, or nothing. */
  async stream(what: "both" | "camera" | "nothing"): Promise<void> {
    const stream = what === "nothing" ? null : await camera();
    if (what === "camera") for (const track of stream?.getAudioTracks() ?? []) stream?.removeTrack(track);
    this.connections.setStream(stream);
  }

  /** The kinds of track that the other side sends. */
  get coming(): string {
    const tracks = this.link?.streams.flatMap((stream) => stream.getTracks()) ?? [];
    return tracks.map((track) => track.kind).sort().join(" ");
  }

  /** The user name fragment of the other side, which changes with an ICE restart. */
  get ufrag(): string {
    return /a=ice-ufrag:(\S+)/.exec(this.link?.pc.currentRemoteDescription?.sdp ?? "")?.[1] ?? "";
  }

  /** Gives a transceiver of our own another direction, which has to be negotiated. */
  turn(direction: RTCRtpTransceiverDirection): void {
    this.#turning ??= this.link?.pc.addTransceiver("audio", { direction });
    if (this.#turning) this.#turning.direction = direction;
  }

  /** Whether that direction was negotiated. */
  turned(direction: RTCRtpTransceiverDirection): boolean {
    return this.#turning?.currentDirection === direction;
  }

  #watchClient(): void {
    this.client.on("welcome", (e) => !e.first && this.events.push(e.resumed ? "welcome resumed" : "welcome anew"));
    this.client.on("frame", ({ direction, frame }) => {
      const { type, negotiation, candidates, code } = frame as Record<string, unknown> & { candidates?: unknown[] };
      if (negotiation || code) this.frames.push([direction, type, negotiation, candidates?.length, code].filter(Boolean).join(" "));
    });
    this.client.on("closed", (e) => this.events.push(`client closed ${e?.message ?? ""}`));
    this.client.on("error", (e) => this.events.push(`client error ${e.message}`));
  }

  #watchRoom(): void {
    const { events, room } = this;
    room.on("resumed", () => events.push("resumed"));
    room.on("rejoined", () => events.push("rejoined"));
    room.on("left", (e) => events.push(`left ${e.reason}`));
    room.on("gap", (e) => events.push(`gap ${e.reason}`));
    room.on("filtered", (e) => events.push(`filtered ${e.rule}`));
    room.on("peer-joined", () => events.push("peer-joined"));
    room.on("peer-left", (e) => events.push(`peer-left ${e.reason}`));
    room.on("candidates", (e) => this.heard.push(...e.candidates.map((c) => c.candidate ?? "")));
    for (const kind of ["offer", "answer"] as const) {
      room.on(kind, (e) => this.heard.push(...(e.description.sdp?.match(/^a=candidate:.*$/gm) ?? [])));
    }
  }

  #watchConnections(): void {
    const { connections, events } = this;
    connections.on("connection", () => events.push("connection"));
    connections.on("closed", () => events.push("closed"));
    connections.on("rebound", () => events.push("rebound"));
    connections.on("open", () => events.push("open"));
    connections.on("state", (link) => events.push(`state ${link.state}`));
    connections.on("error", ({ error }) => events.push(`error ${String(error)}`));
    connections.on("data", ({ data }) => {
      this.#received += typeof data === "string" ? data.length : data.byteLength;
    });
    connections.on("track", ({ event }) => show(event.streams[0]));
  }
}

function camera(): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 180 }, audio: true });
}

/** Plays a stream: what nobody plays isn't decoded. */
function show(stream: MediaStream | undefined): void {
  if (!stream || [...document.querySelectorAll("video")].some((v) => v.srcObject === stream)) return;
  const video = document.createElement("video");
  video.autoplay = video.muted = video.playsInline = true;
  video.srcObject = stream;
  document.body.append(video);
}

Object.assign(globalThis, { tab: new Tab() });
