import { setText } from "./element.ts";

/** How long a text stays, in ms: long enough to be read out, short enough not to be found later by browsing. */
const lasts = 6000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Tells people who use a screen reader what others see happen. Texts that come together are read together. */
export function announce(text: string): void {
  const status = document.getElementById("status");
  if (status === null) return;
  const before = status.textContent ?? "";
  setText(status, before === "" || before === text ? text : `${before}. ${text}`);
  clearTimeout(timer);
  timer = setTimeout(() => setText(status, ""), lasts);
}
