/**
 * Calls `wake` when the network is back or the page is seen again: moments at which waiting longer makes no sense. Calls
 * `leave` when the page goes: a browser that says that it may keep it (`persisted`) mostly doesn't. It returns what ends that.
 */
export function watchPage(wake: () => void, leave: () => void): () => void {
  // Neither is there in Node.
  if (typeof addEventListener !== "function" || typeof document === "undefined") return () => {};
  const aborter = new AbortController();
  const { signal } = aborter;
  for (const name of ["online", "pageshow"]) addEventListener(name, wake, { signal });
  addEventListener("pagehide", leave, { signal });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake(), { signal });
  return () => aborter.abort();
}
