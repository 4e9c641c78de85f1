import { h, setAttribute, setText } from "./element.ts";
import type { Banner } from "./signal.ts";

export interface BannerView {
  readonly element: HTMLElement;
  update(banner: Banner | undefined): void;
}

/** Says what has become of the signal. Screen readers hear it from the announcer, once; the clock is silent. */
export function createBanner(reconnect: () => void): BannerView {
  const title = h("p", { class: "banner-title" });
  const text = h("p", { class: "banner-text" });
  const clock = h("p", { class: "banner-clock", role: "timer", "aria-label": "Seconds without signaling" });
  const button = h("button", { type: "button", class: "button primary", onclick: reconnect }, "Reconnect now");
  const element = h("section", { class: "banner", "aria-label": "Signal", hidden: true }, clock, h("div", { class: "banner-words" }, title, text), button);
  return {
    element,
    update(banner) {
      element.hidden = banner === undefined;
      if (banner === undefined) return;
      setAttribute(element, "data-tone", banner.tone);
      setText(title, banner.title);
      setText(text, banner.text);
      text.hidden = banner.text === "";
      setText(clock, banner.clock);
      clock.hidden = banner.clock === "";
      button.hidden = !banner.reconnect;
    },
  };
}
