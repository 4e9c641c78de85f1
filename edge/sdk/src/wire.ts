import { ClosedError } from "./errors.ts";

const subprotocol = "parley.v1";

/** What a socket tells; after `ended` it tells nothing more. */
export interface WireOwner {
  opened(): void;
  /** What it throws ends the socket. */
  received(text: string): void;
  ended(cause: unknown): void;
}

/** One WebSocket. */
export class Wire {
  readonly #socket: WebSocket;
  #owner: WireOwner | undefined;

  constructor(make: typeof WebSocket, url: string, owner: WireOwner) {
    this.#owner = owner;
    const socket = new make(url, subprotocol);
    this.#socket = socket;
    socket.onopen = () => {
      if (socket.protocol === subprotocol) this.#owner?.opened();
      else this.#end(new Error(`the server doesn't speak ${subprotocol}`));
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      try {
        if (typeof data !== "string") throw new Error("the edge sent a binary message");
        this.#owner?.received(data);
      } catch (error) {
        this.#end(error);
      }
    };
    socket.onclose = ({ code, reason }) => this.#end(new ClosedError(code, reason));
    // A close event follows, and says as much. Without a listener some WebSockets throw.
    socket.onerror = () => {};
  }

  send(text: string): void {
    // In any other state a close event is on its way.
    if (this.#socket.readyState === 1) this.#socket.send(text);
  }

  /** Gives the socket up without waiting; its owner hears nothing of it. */
  drop(): void {
    this.#owner = undefined;
    this.#socket.close();
  }

  /** Closes the socket in order: the server reads what was sent. Resolves when it has answered, or after `time` ms. */
  finish(time: number): Promise<void> {
    this.#owner = undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, time);
      this.#socket.onclose = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#socket.close(1000);
    });
  }

  #end(cause: unknown): void {
    const owner = this.#owner;
    this.drop();
    owner?.ended(cause);
  }
}
