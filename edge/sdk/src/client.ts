import { ClosedError } from "./errors.ts";
import type { ClientEvents, ClientState } from "./events.ts";
import { explain } from "./explain.ts";
import type { Limits } from "./limits.ts";
import type { ClientOptions, JoinOptions } from "./options.ts";
import { Room } from "./room.ts";
import { Session } from "./session.ts";

/**
 * Connects to an edge; each address is tried once. Resolves with the first
 * welcome. Rejects with a SignalError (`unreachable`, `timeout`,
 * `aborted`, `bad_url`, `no_websocket`, or the edge's reason, as `forbidden` for
 * the page's origin) or a {@link ClosedError}.
 *
 * From then on the client reconnects by itself until the server ends the session
 * for good or {@link Client.close} is called. An edge closes a connection that is
 * in no room for long; the client is then `disconnected` until the next join.
 */
export async function connect(options: ClientOptions): Promise<Client> {
  const session = new Session(options);
  try {
    await session.start();
  } catch (error) {
    throw await explain(error, [options.url].flat().at(-1) as string);
  }
  return new Client(session);
}

/** One session with Parley's edges, over one WebSocket at a time. Made by {@link connect}. */
export class Client {
  readonly #session: Session;
  readonly #rooms = new Map<string, Room>();

  /** @internal */
  constructor(session: Session) {
    this.#session = session;
  }

  get state(): ClientState {
    return this.#session.link.state;
  }

  /** The public id of the session, for logs. It resumes nothing. */
  get session(): string {
    return this.#session.id;
  }

  /** The id of the edge that welcomed the client last. */
  get edge(): string {
    return this.#session.edge;
  }

  /** Ms that the session outlives its connection. */
  get resumeWindow(): number {
    return this.#session.resumeWindow;
  }

  /** Those of the edge that welcomed the client last. */
  get limits(): Limits {
    return this.#session.limits;
  }

  /** Ms that the last ping took; undefined until one was answered. */
  get rtt(): number | undefined {
    return this.#session.link.rtt;
  }

  /** The rooms that this client is in, also while it joins them again. */
  get rooms(): ReadonlyMap<string, Room> {
    return this.#rooms;
  }

  /** Why the server ended the session; undefined while it lives and after close. */
  get error(): ClosedError | undefined {
    const { ended } = this.#session;
    return ended instanceof ClosedError ? ended : undefined;
  }

  /**
   * Joins a room and resolves when it is in. Add the listeners of the room at
   * once: its events begin after the task in which this resolves.
   *
   * Rejects with the edge's refusal, with `already_joined`, `no_token`, `closed`,
   * or with what the token function threw.
   */
  async join(room: string, options: JoinOptions = {}): Promise<Room> {
    const membership = await this.#session.join(room, options);
    const joined = new Room(this, this.#session, membership);
    this.#rooms.set(room, joined);
    joined.on("left", () => {
      if (this.#rooms.get(room) === joined) this.#rooms.delete(room);
    });
    return joined;
  }

  /**
   * Closes the socket without a goodbye and stays away until {@link reconnect}.
   * The session lives on at the edge for its resume window.
   */
  disconnect(): void {
    this.#session.link.disconnect();
  }

  /** Connects at once: after disconnect, instead of waiting, or to replace the socket. */
  reconnect(): void {
    this.#session.link.open();
  }

  /**
   * Leaves every room and ends the session. Frames that aren't acknowledged reject
   * with `closed`; wait for them first if they matter. May be called again.
   */
  close(): Promise<void> {
    return this.#session.close();
  }

  /** Listens to an event; returns what ends that. */
  on<E extends keyof ClientEvents>(event: E, listener: (e: ClientEvents[E]) => void): () => void {
    return this.#session.events.on(event, listener);
  }
}
