/** A close without a code (RFC 6455 section 7.4.1). */
const noStatus = 1005;
const comesBackFrom: readonly number[] = [1001, noStatus, 1006, 1011, 1012, 1013];

/** The edge found no hello in time, or no room. */
export const closeTooLate = 4408;

/** Whether a client must reconnect after this code (docs/errors.md, "Close codes"). */
export function comesBack(code: number): boolean {
  return comesBackFrom.includes(code) || (code >= 4000 && code < 4500);
}

/** Whether the edge that closed so is on its way out, and another one would be better. */
export function isLeaving(code: number): boolean {
  return code === 1001 || code === 1012;
}
