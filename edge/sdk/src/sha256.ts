// SHA-256 (FIPS 180-4). crypto.subtle has it, but only on pages with TLS or on
// localhost, and asynchronously; a hello hashes 32 bytes, for which this is fast
// enough everywhere.

/** The first 32 bits of the fractional part of a prime's root, exact in a double (FIPS 180-4 section 4.2.2). */
function fraction(root: number): number {
  return ((root - Math.floor(root)) * 2 ** 32) | 0;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((p) => n % p)) primes.push(n);
  return primes;
}

const primes = /* @__PURE__ */ firstPrimes(64);
const rounds = /* @__PURE__ */ Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const start = /* @__PURE__ */ Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

/** The SHA-256 of a message. */
export function sha256(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(((message.length + 72) >> 6) << 6);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, message.length / 2 ** 29);
  view.setUint32(padded.length - 4, message.length << 3);
  const state = start.slice();
  for (let at = 0; at < padded.length; at += 64) compress(state, view, at);
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => digest.setInt32(4 * i, word));
  return new Uint8Array(digest.buffer);
}

function compress(state: Int32Array, block: DataView, at: number): void {
  const w = new Int32Array(64);
  const v = Array.from(state);
  for (let i = 0; i < 64; i++) {
    w[i] = i < 16 ? block.getInt32(at + 4 * i) : schedule(w, i);
    const [a, b, c, , e, f, g, h] = v as [number, number, number, number, number, number, number, number];
    const t1 =
      h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + (rounds[i] as number) + (w[i] as number);
    const t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    v.pop();
    v.unshift((t1 + t2) | 0);
    v[4] = ((v[4] as number) + t1) | 0;
  }
  v.forEach((word, i) => {
    state[i] = (state[i] as number) + word;
  });
}

function schedule(w: Int32Array, i: number): number {
  const near = w[i - 2] as number;
  const far = w[i - 15] as number;
  return (
    (w[i - 16] as number) + (rotate(far, 7) ^ rotate(far, 18) ^ (far >>> 3)) +
    (w[i - 7] as number) + (rotate(near, 17) ^ rotate(near, 19) ^ (near >>> 10))
  ) | 0;
}
