import { toBase64url } from "./base64url.ts";

/** Unlike crypto.randomUUID, getRandomValues is there on pages without TLS, too. */
export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** A new id of 128 random bits. */
export function randomId(): string {
  return toBase64url(randomBytes(16));
}

/** A new sampled W3C traceparent, the root of a trace. */
export function newTraceparent(): string {
  const hex = (count: number): string => Array.from(randomBytes(count), (b) => b.toString(16).padStart(2, "0")).join("");
  return `00-${hex(16)}-${hex(8)}-01`;
}
