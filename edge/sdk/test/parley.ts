import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket as NodeWebSocket } from "ws";
import { type Client, type ClientOptions, connect } from "../src/index.ts";

/** The WebSocket of package ws, which Node 20 has none of. */
export const webSocket = NodeWebSocket as unknown as typeof WebSocket;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Without the settings of Parley, which would change what is tested. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PARLEY_")));
}

/** `parley dev` as a process of its own. */
export class Parley {
  readonly #child: ChildProcess;
  readonly #store: string;
  /** Of the edge. */
  readonly url: string;
  readonly #tokens: string;

  private constructor(child: ChildProcess, store: string, ready: { websocket: string; tokens: string }) {
    this.#child = child;
    this.#store = store;
    this.url = ready.websocket;
    this.#tokens = ready.tokens;
  }

  /** Starts one. `store` and `listen` are those of an earlier one, to take its place. */
  static async start({ flags = [], store, listen }: { flags?: string[]; store?: string; listen?: string } = {}): Promise<Parley> {
    const binary = resolve(process.env["PARLEY_BIN"] ?? "../../bin/parley");
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run make build`);
    const folder = store ?? mkdtempSync(join(tmpdir(), "parley-sdk-"));
    const child = spawn(
      binary,
      [
        "dev", "--standalone.store_dir", folder, "--edge.listen", listen ?? `127.0.0.1:${await freePort()}`,
        "--authsvc.listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0", "--turn.listen", "127.0.0.1:0",
        "--log.level", "error", ...flags,
      ],
      { stdio: ["ignore", "pipe", "pipe"], env: environment() },
    );
    let complaint = "";
    child.stderr?.on("data", (text: Buffer) => {
      complaint += text;
    });
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      if (line.startsWith("{")) return new Parley(child, folder, JSON.parse(line) as { websocket: string; tokens: string });
    }
    throw new Error(`parley dev ended before it was ready: ${complaint}`);
  }

  get store(): string {
    return this.#store;
  }

  /** Host and port of the edge. */
  get listen(): string {
    return new URL(this.url).host;
  }

  async token(room: string, identity: string, more: object = {}): Promise<string> {
    const response = await fetch(this.#tokens, {
      method: "POST",
      headers: {
        authorization: `Bearer ${readFileSync(join(this.#store, "api.key"), "utf8").trim()}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ room, identity, ...more }),
    });
    const answer = (await response.json()) as { token?: string };
    if (!answer.token) throw new Error(`no token: ${response.status} ${JSON.stringify(answer)}`);
    return answer.token;
  }

  /** A client whose identity is in all its tokens. */
  client(identity: string, options: Partial<ClientOptions> & { grants?: string[] } = {}): Promise<Client> {
    const { grants = [], ...rest } = options;
    return connect({
      url: this.url,
      webSocket,
      backoff: { min: 10, max: 100 },
      token: ({ room }) => this.token(room, identity, { grants }),
      ...rest,
    });
  }

  /** Ends the process; its store stays. */
  async kill(signal: NodeJS.Signals = "SIGINT"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    await once(this.#child, "exit");
  }

  /** Ends the process and removes its store. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#store, { recursive: true, force: true });
  }
}
