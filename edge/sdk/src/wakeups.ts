/**
 * Calls back when the network is back or the page is seen again: moments at which
 * waiting longer makes no sense. It returns what ends that.
 */
export function onWake(wake: () => void): () => void {
  // Neither is there in Node.
  if (typeof addEventListener !== "function" || typeof document === "undefined") return () => {};
  const seen = (): void => {
    if (document.visibilityState === "visible") wake();
  };
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", seen);
  return () => {
    removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", seen);
  };
}
