import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy in front of an edge, which can cut what goes through it. */
export class Proxy {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  /** How many connections were made through it. */
  accepted = 0;
  /** Called with what an edge sends; true: cut the connection instead of passing it on. */
  onDown: (chunk: Buffer) => boolean = () => false;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Starts one in front of `target`, host:port. */
  static async start(target: string): Promise<Proxy> {
    const [host, port] = target.split(":") as [string, string];
    const server = createServer();
    const proxy = new Proxy(server);
    server.on("connection", (down) => proxy.#pair(down, connect(Number(port), host)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #pair(down: Socket, up: Socket): void {
    const pair: [Socket, Socket] = [down, up];
    this.accepted++;
    this.#pairs.add(pair);
    const end = (): void => {
      down.destroy();
      up.destroy();
      this.#pairs.delete(pair);
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    down.on("data", (chunk: Buffer) => up.write(chunk));
    up.on("data", (chunk: Buffer) => (this.onDown(chunk) ? end() : down.write(chunk)));
  }

  /** Resets every connection; what was on its way in the proxy is lost. */
  cut(): void {
    for (const [down, up] of [...this.#pairs]) {
      down.resetAndDestroy();
      up.resetAndDestroy();
    }
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, "close");
  }
}
