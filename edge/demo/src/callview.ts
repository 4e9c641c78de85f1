import { announce } from "./announcer.ts";
import { createBanner } from "./bannerview.ts";
import { createBar } from "./bar.ts";
import { ledgerLimit } from "./call.ts";
import type { Call, CallEvents } from "./call.ts";
import { createChat } from "./chat.ts";
import { copyText } from "./clipboard.ts";
import { createDock } from "./dock.ts";
import { h } from "./element.ts";
import { shortEdge } from "./frametext.ts";
import type { Media } from "./media.ts";
import type { Panel } from "./panel.ts";
import { bannerOf } from "./signal.ts";
import { createSignals } from "./signals.ts";
import { createStage } from "./stage.ts";
import { createToast } from "./toast.ts";

export interface CallView extends Omit<CallEvents, "ended"> {
  readonly element: HTMLElement;
  focus(): void;
  close(): void;
}

const briefly = 5000;

/** The page of a call. */
export function createCallView(call: Call, media: Media, roomURL: () => string, leave: () => void): CallView {
  const toast = createToast();
  const copyLink = async (): Promise<void> => {
    const done = await copyText(roomURL());
    toast.show(done ? "Link copied" : `The browser doesn't let this page copy. The link: ${roomURL()}`);
  };
  const bar = createBar(call.room.name, () => void copyLink());
  const stage = createStage(() => void copyLink(), () => `${roomURL()}&name=${encodeURIComponent("Guest")}`);
  const banner = createBanner(() => call.reconnect());
  const chat = createChat((text) => call.say(text), () => changed());
  const signals = createSignals(call.ledger, ledgerLimit, () => changed());
  const dock = createDock({
    mic: () => void media.setMic(!media.mic),
    camera: () => void media.setCamera(!media.camera),
    cut: () => call.cut(),
    cutBriefly: () => call.cut(briefly),
    reconnect: () => call.reconnect(),
    chat: () => toggle(chat.panel, signals.panel),
    signals: () => toggle(signals.panel, chat.panel),
    leave,
  });
  const main = h("main", { class: "call-main" }, banner.element, stage.element, toast.element);
  const element = h("div", { class: "call" }, bar.element, main, dock.element, chat.panel.element, signals.panel.element);

  const draw = (): void => {
    bar.update(call);
    stage.update(call, media);
    banner.update(bannerOf(call.signal, Date.now(), call.resumeWindow));
    signals.describe(`Edge ${shortEdge(call.client.edge)}`, call.room.icePolicy);
    dock.update({
      mic: media.mic, camera: media.camera, state: call.state,
      chatOpen: chat.panel.open, signalsOpen: signals.panel.open, unread: chat.unread,
    });
    element.classList.toggle("with-panel", chat.panel.open || signals.panel.open);
  };
  // Many events make one drawing.
  let due = false;
  let closed = false;
  const changed = (): void => {
    if (due) return;
    due = true;
    queueMicrotask(() => {
      due = false;
      if (!closed) draw();
    });
  };
  const timer = setInterval(changed, 500);
  changed();

  return {
    element,
    changed,
    said: announce,
    frames: (entries) => signals.add(entries),
    renamed: (previous, id) => stage.rename(previous, id),
    chat(line) {
      chat.add(line);
      if (!line.own && !chat.panel.open) announce(`${line.name}: ${line.text}`);
    },
    focus: () => bar.element.querySelector("h1")?.focus(),
    close() {
      closed = true;
      clearInterval(timer);
      stage.close();
      toast.close();
    },
  };
}

/** One panel at a time. */
function toggle(panel: Panel, other: Panel): void {
  other.hide();
  if (panel.open) panel.hide();
  else panel.show();
}
