import { announce } from "./announcer.ts";
import { h, setText } from "./element.ts";

const lasts = 3500;

export interface Toast {
  readonly element: HTMLElement;
  show(text: string): void;
  close(): void;
}

/** A word that something was done; it goes by itself. Screen readers hear it from the announcer. */
export function createToast(): Toast {
  const element = h("p", { class: "toast", "aria-hidden": "true", hidden: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    element,
    show(text) {
      setText(element, text);
      element.hidden = false;
      announce(text);
      clearTimeout(timer);
      timer = setTimeout(() => (element.hidden = true), lasts);
    },
    close: () => clearTimeout(timer),
  };
}
