import type { ChatLine } from "./call.ts";
import { h, setText } from "./element.ts";
import { icon } from "./icon.ts";
import { createPanel } from "./panel.ts";
import type { Panel } from "./panel.ts";

/** Lines that stay; older ones go. */
const keep = 300;
const longest = 2000;

export interface Chat {
  readonly panel: Panel;
  /** Lines that came while the panel was closed. */
  readonly unread: number;
  add(line: ChatLine): void;
}

/** The chat, which goes over the data channels and so needs no signaling. `changed`: opened, closed, or unread grew. */
export function createChat(say: (text: string) => void, changed: () => void): Chat {
  const log = h("ol", { class: "chat-log", role: "log", "aria-label": "Messages", tabindex: 0 });
  const empty = h("p", { class: "empty" }, "Messages go straight to the others, over the same connections as the picture. No server sees them.");
  const input = h("input", {
    id: "chat-input", type: "text", maxlength: longest, autocomplete: "off", enterkeyhint: "send", placeholder: "Write to everyone", "aria-label": "Message",
  });
  const form = h(
    "form",
    { class: "chat-form" },
    input,
    h("button", { type: "submit", class: "icon-button primary", "aria-label": "Send" }, icon("send")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === "") return;
    input.value = "";
    say(text);
  });
  let unread = 0;
  let last: ChatLine | undefined;
  const panel = createPanel("chat", "Chat", null, [h("div", { class: "chat-body" }, empty, log), form], input, () => {
    unread = 0;
    log.scrollTop = log.scrollHeight;
    changed();
  });
  return {
    panel,
    get unread() {
      return unread;
    },
    add(line) {
      empty.hidden = true;
      const bottom = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
      log.append(lineElement(line, last));
      if (log.childElementCount > keep) log.firstElementChild?.remove();
      last = line;
      if (bottom || line.own) log.scrollTop = log.scrollHeight;
      if (!panel.open && !line.own) unread++;
      changed();
    },
  };
}

function lineElement(line: ChatLine, before: ChatLine | undefined): HTMLLIElement {
  const follows = before !== undefined && before.own === line.own && before.name === line.name && line.at - before.at < 60_000;
  const time = h("time", { datetime: new Date(line.at).toISOString() });
  setText(time, new Date(line.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  const fate = line.own && line.reached === 0 ? "Reached nobody: no connection is open yet." : line.offSignal ? (line.own ? "Sent while the signal was cut." : "Came while the signal was cut.") : "";
  return h(
    "li",
    { class: `line${line.own ? " own" : ""}${follows ? " follows" : ""}` },
    h("p", { class: follows ? "line-head visually-hidden" : "line-head" }, h("span", { class: "line-name" }, line.own ? "You" : line.name), " ", time),
    h("p", { class: "line-text" }, line.text),
    fate !== "" && h("p", { class: "line-fate" }, fate),
  );
}
