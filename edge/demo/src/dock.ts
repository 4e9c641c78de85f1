import type { ClientState } from "@parley/client";
import { h, setAttribute, setText } from "./element.ts";
import { icon } from "./icon.ts";
import type { IconName } from "./icon.ts";

export interface DockActions {
  mic(): void;
  camera(): void;
  cut(): void;
  cutBriefly(): void;
  reconnect(): void;
  chat(): void;
  signals(): void;
  leave(): void;
}

export interface DockState {
  mic: boolean;
  camera: boolean;
  state: ClientState;
  chatOpen: boolean;
  signalsOpen: boolean;
  unread: number;
}

export interface Dock {
  readonly element: HTMLElement;
  update(state: DockState): void;
}

interface Control {
  readonly button: HTMLButtonElement;
  set(name: IconName, label: string, long?: string, short?: string): void;
}

/** The controls of a call. */
export function createDock(actions: DockActions): Dock {
  const mic = control("round", actions.mic);
  const camera = control("round", actions.camera);
  const chat = control("round", actions.chat);
  const signals = control("round", actions.signals);
  const leave = control("round leave", actions.leave);
  let away = false;
  const cut = control("pill cut", () => (away ? actions.reconnect() : actions.cut()));
  const brief = h("button", { type: "button", class: "pill brief", "aria-label": "Cut the signal for 5 seconds", onclick: actions.cutBriefly }, "5 s");
  const badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true });
  leave.set("leave", "Leave the call");
  const element = h(
    "footer",
    { class: "dock" },
    h("div", { class: "dock-group", role: "group", "aria-label": "Devices" }, mic.button, camera.button),
    h("div", { class: "dock-group cutter", role: "group", "aria-label": "Signal" }, cut.button, brief),
    h("div", { class: "dock-group", role: "group", "aria-label": "Panels" }, h("span", { class: "badged" }, chat.button, badge), signals.button),
    leave.button,
  );
  setAttribute(chat.button, "aria-controls", "chat");
  setAttribute(signals.button, "aria-controls", "signals");
  return {
    element,
    update(next) {
      away = next.state === "disconnected" || next.state === "reconnecting";
      mic.set(next.mic ? "mic" : "mic-off", next.mic ? "Mute the microphone" : "Unmute the microphone");
      setAttribute(mic.button, "data-off", !next.mic);
      camera.set(next.camera ? "camera" : "camera-off", next.camera ? "Turn the camera off" : "Turn the camera on");
      setAttribute(camera.button, "data-off", !next.camera);
      if (away) cut.set("reconnect", "Reconnect", "Reconnect");
      else cut.set("cut", "Cut the signal", "Cut the signal", "Cut");
      setAttribute(cut.button, "data-away", away);
      brief.hidden = away;
      chat.set("chat", next.unread > 0 ? `Chat, ${next.unread} unread` : "Chat");
      setAttribute(chat.button, "aria-expanded", String(next.chatOpen));
      signals.set("signals", "What was signaled");
      setAttribute(signals.button, "aria-expanded", String(next.signalsOpen));
      badge.hidden = next.unread === 0;
      setText(badge, next.unread > 99 ? "99+" : String(next.unread));
    },
  };
}

function control(className: string, act: () => void): Control {
  const button = h("button", { type: "button", class: className, onclick: act });
  let shown = "";
  return {
    button,
    set(name, label, long, short) {
      const now = `${name} ${label}`;
      if (shown === now) return;
      shown = now;
      button.setAttribute("aria-label", label);
      button.title = label;
      const words = long === undefined ? [] : [h("span", { class: "long" }, long), h("span", { class: "short" }, short ?? long)];
      button.replaceChildren(icon(name), ...words);
    },
  };
}
