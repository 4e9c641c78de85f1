import type { Frame } from "./frames.ts";

const hidden = "…";

/** A frame without what nobody may see: tokens, resume secrets, TURN credentials. */
export function redact(frame: Frame): Frame {
  const shown: Record<string, unknown> = { ...frame };
  if (frame.type === "hello") {
    shown["next"] = hidden;
    if (Array.isArray(frame["resume"])) shown["resume"] = frame["resume"].map(() => hidden);
  }
  if (frame.type === "join" || frame.type === "refresh") shown["token"] = hidden;
  if (Array.isArray(frame["iceServers"])) shown["iceServers"] = frame["iceServers"].map(withoutCredential);
  return shown as Frame;
}

function withoutCredential(server: unknown): unknown {
  return typeof server === "object" && server && "credential" in server ? { ...server, credential: hidden } : server;
}
