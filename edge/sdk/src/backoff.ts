/** Ms that a connection must have lived for its end not to count as one more failure. */
export const stableAfter = 10_000;

/**
 * The wait before try n (from 0): a random share, 0 to 1, of `min` doubled n
 * times, at most `max`. Full jitter spreads the clients of a dead edge best.
 */
export function fullJitter(min: number, max: number, n: number, share: number): number {
  return share * Math.min(max, min * 2 ** n);
}
