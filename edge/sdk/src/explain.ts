import { socketAddress } from "./address.ts";
import { decode } from "./decode.ts";
import { SignalError } from "./errors.ts";
import { refusalOf } from "./session.ts";

const checkTime = 2_000;

/**
 * Browsers hide why a WebSocket was refused. The edge tells at /v1/check, beside
 * the socket; its error takes the place of `unreachable`, if there is one.
 */
export async function explain(error: unknown, address: string): Promise<unknown> {
  if (!(error instanceof SignalError) || error.code !== "unreachable" || typeof fetch !== "function") return error;
  const url = socketAddress(address);
  url.protocol = url.protocol.replace("ws", "http");
  url.pathname = url.pathname.replace(/[^/]*$/, "check");
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), checkTime);
  try {
    const frame = decode(await (await fetch(url, { signal: aborter.signal })).json());
    return frame?.type === "error" ? refusalOf(frame) : error;
  } catch {
    return error;
  } finally {
    clearTimeout(timer);
  }
}
