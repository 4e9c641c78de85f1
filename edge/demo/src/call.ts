import { connect, PeerConnections } from "@parley/client";
import type { Client, ClientState, Peer, PeerLink, Room } from "@parley/client";
import { displayName, identityOf } from "./identity.ts";
import { Ledger } from "./ledger.ts";
import type { Entry } from "./ledger.ts";
import type { Media } from "./media.ts";
import type { Signal } from "./signal.ts";
import { fetchToken } from "./token.ts";
import { troubleOf, troubleOfConnect, troubleOfLeave } from "./trouble.ts";
import type { Trouble } from "./trouble.ts";

export interface ChatLine {
  own: boolean;
  name: string;
  text: string;
  at: number;
  /** How many it reached; of others' lines 1. */
  reached: number;
  /** It passed while this tab had no signaling. */
  offSignal: boolean;
}

/** Another member, or a connection that outlives its member for a while. */
export interface Person {
  id: string;
  name: string;
  identity: string;
  here: boolean;
  camera: boolean;
  mic: boolean;
  link: PeerLink | undefined;
}

/** What a call tells its page. */
export interface CallEvents {
  /** Something that is drawn has changed. */
  changed(): void;
  said(text: string): void;
  chat(line: ChatLine): void;
  frames(entries: Entry[]): void;
  renamed(previous: string, id: string): void;
  ended(trouble: Trouble): void;
}

/** Lines that the list of signals keeps. */
export const ledgerLimit = 500;
const tokenPatience = 10_000;

/** One stay in one room: the client, its connections, and what the page shows of them. */
export class Call {
  readonly name: string;
  readonly room: Room;
  readonly client: Client;
  readonly peers: PeerConnections;
  readonly ledger: Ledger;
  signal: Signal = { kind: "connected" };
  /** Ms that the edge keeps the session without a socket. */
  resumeWindow = 0;
  #left = false;
  readonly #events: CallEvents;
  readonly #media: Media;
  #unknown = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client, room: Room, name: string, media: Media, opening: Opening, events: CallEvents) {
    this.client = client;
    this.room = room;
    this.name = name;
    this.ledger = opening.ledger;
    this.resumeWindow = opening.resumeWindow;
    opening.roster = (id) => this.nameOf(id);
    opening.deliver = (entries, frame) => this.#frames(entries, frame);
    this.#events = events;
    this.#media = media;
    this.peers = new PeerConnections(room, { stream: media.stream });
    this.#listenToClient();
    this.#listenToRoom();
    this.#listenToPeers();
  }

  get state(): ClientState {
    return this.client.state;
  }

  /** Everyone else, in the order in which they joined. */
  people(): Person[] {
    const people = new Map<string, Person>();
    for (const peer of this.room.peers.values()) people.set(peer.peer, this.#person(peer, this.peers.connections.get(peer.peer)));
    for (const [id, link] of this.peers.connections) {
      if (!people.has(id)) people.set(id, { id, name: this.nameOf(id), identity: link.peer.identity, here: false, camera: true, mic: true, link });
    }
    return [...people.values()];
  }

  #names = new Map<string, string>();

  /** A peer's name, also after it left. */
  nameOf(id: string): string {
    if (id === this.room.self.peer) return "you";
    const peer = this.room.peers.get(id);
    if (peer !== undefined) this.#names.set(id, displayName(peer.identity, peer.presence));
    return this.#names.get(id) ?? "someone";
  }

  /** Says what this tab sends: to the connections by its tracks, to the others' pages by presence. */
  share(): void {
    this.peers.setStream(this.#media.stream);
    const presence = { name: this.name, mic: this.#media.mic, camera: this.#media.camera };
    this.room.setPresence(presence).catch(() => undefined); // a lost session is joined again with the newest presence
    this.#events.changed();
  }

  /** Sends a line over the data channels, which need no signaling. */
  say(text: string): void {
    const reached = this.peers.send(text);
    this.#events.chat({ own: true, name: this.name, text, at: Date.now(), reached, offSignal: this.#away });
  }

  /** Closes the socket and stays away: until reconnect, or for so many ms. */
  cut(forMs?: number): void {
    const now = Date.now();
    this.signal = forMs === undefined ? { kind: "cut", since: now } : { kind: "cut", since: now, until: now + forMs };
    this.client.disconnect();
    if (forMs !== undefined) this.#timer = setTimeout(() => this.reconnect(), forMs);
    this.#note(forMs === undefined ? "You cut the signal" : `You cut the signal for ${forMs / 1000} s`);
    this.#events.said("Signal cut. The call goes on.");
    this.#events.changed();
  }

  reconnect(): void {
    clearTimeout(this.#timer);
    this.client.reconnect();
    this.#events.changed();
  }

  async leave(): Promise<void> {
    if (this.#left) return;
    this.#end();
    await this.client.close().catch(() => undefined);
  }

  get #away(): boolean {
    return this.signal.kind === "cut" || this.signal.kind === "lost";
  }

  #person(peer: Peer, link: PeerLink | undefined): Person {
    const presence = (peer.presence ?? {}) as { camera?: unknown; mic?: unknown };
    return {
      id: peer.peer, name: this.nameOf(peer.peer), identity: peer.identity, here: peer.state === "here",
      camera: presence.camera !== false, mic: presence.mic !== false, link,
    };
  }

  #listenToClient(): void {
    this.client.on("state", ({ state }) => {
      if (state === "reconnecting" && !this.#away) {
        this.signal = { kind: "lost", since: Date.now() };
        this.#note("The signal was lost");
        this.#events.said("Signal lost. The call goes on.");
      }
      this.#events.changed();
    });
    this.client.on("lost", ({ frames }) => (this.#unknown = frames.length));
    this.client.on("goaway", () => this.#note("The edge is going away; the client moves on"));
    this.client.on("closed", (error) => {
      if (this.#left) return;
      this.#end();
      if (error !== undefined) this.#events.ended(troubleOf(error));
    });
  }

  #listenToRoom(): void {
    this.room.on("peer-joined", (peer) => this.#arrived(`${this.nameOf(peer.peer)} joined`));
    this.room.on("peer-left", ({ peer, reason }) => {
      this.nameOf(peer.peer);
      if (reason !== "replaced") this.#arrived(`${displayName(peer.identity, peer.presence)} left`);
      else this.#events.changed();
    });
    this.room.on("peer-updated", () => this.#events.changed());
    this.room.on("resumed", () => this.#back(true));
    this.room.on("rejoined", () => this.#back(false));
    this.room.on("left", ({ reason, error }) => {
      if (this.#left) return;
      this.#end();
      void this.client.close().catch(() => undefined);
      this.#events.ended(troubleOfLeave(reason, error));
    });
  }

  #listenToPeers(): void {
    for (const event of ["connection", "state", "track", "open", "closed"] as const) {
      this.peers.on(event, () => this.#events.changed());
    }
    this.peers.on("rebound", ({ link, previous }) => {
      this.#events.renamed(previous.peer, link.peer.peer);
      this.#events.changed();
    });
    this.peers.on("data", ({ link, data }) => {
      if (typeof data !== "string" || data.trim() === "") return;
      this.#events.chat({ own: false, name: this.nameOf(link.peer.peer), text: data, at: Date.now(), reached: 1, offSignal: this.#away });
    });
  }

  #arrived(text: string): void {
    this.#events.said(text);
    this.#events.changed();
  }

  #back(resumed: boolean): void {
    const now = Date.now();
    const away = "since" in this.signal ? now - this.signal.since : 0;
    clearTimeout(this.#timer);
    this.signal = resumed ? { kind: "resumed", at: now, away } : { kind: "rejoined", at: now, away, unknown: this.#unknown };
    this.#unknown = 0;
    this.#note(resumed ? "Resumed: nothing lost" : "Rejoined with a new session");
    this.#events.said(resumed ? "Resumed: nothing lost" : "Rejoined. The call stayed.");
    this.#events.changed();
  }

  #frames(entries: Entry[], frame: Readonly<Record<string, unknown>>): void {
    if (frame["type"] === "welcome") this.resumeWindow = Number(frame["resumeWindow"]) || 0;
    this.#events.frames(entries);
  }

  #note(text: string): void {
    this.#events.frames([this.ledger.note(text, Date.now())]);
  }

  #end(): void {
    this.#left = true;
    clearTimeout(this.#timer);
    this.peers.close();
  }
}

/** What is gathered between the first frame and the join, before there is a call. */
export interface Opening {
  ledger: Ledger;
  resumeWindow: number;
  roster: (id: string) => string;
  deliver: (entries: Entry[], frame: Readonly<Record<string, unknown>>) => void;
}

/** Failed with something that can be shown. */
export class CallError extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.title);
    this.trouble = trouble;
  }
}

/** Joins. Fails with a CallError. */
export async function startCall(name: string, room: string, media: Media, events: CallEvents): Promise<Call> {
  const identity = identityOf(name);
  const fetchOne = (): Promise<string> => fetchToken(room, identity, AbortSignal.timeout(tokenPatience));
  // The first token comes before the connection, so that the page of a server without tokens says so at once.
  let first: string | undefined = await fetchOne().catch((error: unknown) => {
    throw new CallError(troubleOf(error));
  });
  const client = await open(async () => {
    const token = first ?? (await fetchOne());
    first = undefined;
    return token;
  });
  const opening = watch(client);
  try {
    const presence = { name, mic: media.mic, camera: media.camera };
    const joined = await client.join(room, { presence });
    return new Call(client, joined, name, media, opening, events);
  } catch (error) {
    void client.close().catch(() => undefined);
    throw new CallError(troubleOf(error));
  }
}

async function open(token: () => Promise<string>): Promise<Client> {
  try {
    return await connect({ url: location.origin, token, trace: true, name: "parley-demo" });
  } catch {
    throw new CallError(await troubleOfConnect(location.origin));
  }
}

function watch(client: Client): Opening {
  const opening: Opening = {
    ledger: new Ledger(ledgerLimit, client.edge, (id) => opening.roster(id)),
    resumeWindow: 0,
    roster: () => "",
    deliver: () => undefined,
  };
  client.on("frame", (event) => {
    const entries = opening.ledger.add(event);
    if (event.frame.type === "welcome") opening.resumeWindow = Number(event.frame["resumeWindow"]) || 0;
    opening.deliver(entries, event.frame);
  });
  return opening;
}
