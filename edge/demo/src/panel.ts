import { h } from "./element.ts";
import { icon } from "./icon.ts";

export interface Panel {
  readonly element: HTMLDialogElement;
  readonly open: boolean;
  show(): void;
  hide(): void;
}

/** On less than this a panel covers the call, as a dialog that keeps the focus; above it stands beside the call. */
const narrow = "(max-width: 820px)";

/**
 * A panel with a title and a way to close it. `focus` gets the focus when it opens beside the call; `changed` is called
 * when it opens or closes. The focus goes back to what had it.
 */
export function createPanel(id: string, title: string, tools: Node | null, body: Node[], focus: HTMLElement | undefined, changed: () => void): Panel {
  const heading = h("h2", { id: `${id}-title`, tabindex: -1 }, title);
  const close = h("button", { type: "button", class: "icon-button", "aria-label": `Close ${title}`, onclick: () => panel.hide() }, icon("close"));
  const element = h(
    "dialog",
    { id, class: "panel", "aria-labelledby": `${id}-title` },
    h("div", { class: "panel-head" }, heading, tools, close),
    ...body,
  );
  const screen = matchMedia(narrow);
  let before: Element | null = null;
  const place = (): void => {
    if (screen.matches) element.showModal();
    else element.show();
    (screen.matches ? heading : (focus ?? heading)).focus();
  };
  const panel: Panel = {
    element,
    get open() {
      return element.open;
    },
    show() {
      if (element.open) return;
      before = document.activeElement;
      place();
      changed();
    },
    hide() {
      if (!element.open) return;
      element.close();
      if (before instanceof HTMLElement) before.focus();
      changed();
    },
  };
  screen.addEventListener("change", () => {
    if (!element.open) return;
    element.close();
    place();
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      panel.hide();
    }
  });
  element.addEventListener("cancel", (event) => {
    event.preventDefault();
    panel.hide();
  });
  return panel;
}
