const encoder = new TextEncoder();

/** How many bytes text takes on the wire. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}
