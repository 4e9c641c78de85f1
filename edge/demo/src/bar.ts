import type { Call } from "./call.ts";
import { h, setAttribute, setText } from "./element.ts";
import { shortEdge } from "./frametext.ts";
import { icon, mark } from "./icon.ts";

export interface Bar {
  readonly element: HTMLElement;
  update(call: Call): void;
}

const stateWords = {
  connecting: "connecting", connected: "connected", reconnecting: "coming back", disconnected: "cut", closed: "closed",
} as const;

/** The head of a call: which room, which edge holds this tab, how the signal is. */
export function createBar(room: string, copyLink: () => void): Bar {
  const state = h("dd", {});
  const edge = h("dd", {});
  const rtt = h("dd", {});
  const policy = h("dd", {});
  const note = h("span", { class: "policy-note" }, "development: private addresses pass");
  const fact = (name: string, value: HTMLElement, className: string): HTMLElement => h("div", { class: className }, h("dt", {}, name), value);
  const signal = fact("Signal", state, "fact signal");
  const element = h(
    "header",
    { class: "bar" },
    h("div", { class: "brand" }, mark(), h("span", { class: "brand-name" }, "Parley")),
    h(
      "div",
      { class: "room" },
      h("h1", { tabindex: -1 }, h("span", { class: "visually-hidden" }, "Room "), room),
      h("button", { type: "button", class: "icon-button", "aria-label": "Copy the link to this room", onclick: copyLink }, icon("link")),
    ),
    h("dl", { class: "facts" }, signal, fact("Edge", edge, "fact"), fact("Round trip", rtt, "fact trip"), fact("Policy", policy, "fact")),
  );
  return {
    element,
    update(call) {
      setAttribute(signal, "data-state", call.state);
      setText(state, stateWords[call.state]);
      setText(edge, shortEdge(call.client.edge));
      setText(rtt, call.client.rtt === undefined || call.state !== "connected" ? "–" : `${Math.max(1, Math.round(call.client.rtt))} ms`);
      if (policy.firstChild?.textContent !== call.room.icePolicy) {
        policy.replaceChildren(h("span", {}, call.room.icePolicy), ...(call.room.icePolicy === "all" ? [note] : []));
      }
    },
  };
}
