import { SignalError } from "./errors.ts";

/** Where the WebSocket of an edge is; "/v1/ws" unless the address has a path. Throws `bad_url`. */
export function socketAddress(address: string): URL {
  let url: URL;
  try {
    url = new URL(address.replace(/^http/i, "ws"));
  } catch (cause) {
    throw new SignalError("bad_url", "url: give an address like wss://host", { cause });
  }
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw new SignalError("bad_url", `url: ${url.protocol} is no address of an edge, give ws: or wss:`);
  }
  if (url.pathname === "/") url.pathname = "/v1/ws";
  url.hash = "";
  return url;
}

/** The address for coming back: the edge that holds the session is asked for. */
export function withEdge(address: URL, edge: string): string {
  const url = new URL(address);
  if (edge) url.searchParams.set("edge", edge);
  return url.href;
}
