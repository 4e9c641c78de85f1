import { h, setAttribute, setText } from "./element.ts";
import { icon } from "./icon.ts";
import { kinds } from "./ledger.ts";
import type { Entry, Kind, Ledger } from "./ledger.ts";
import { createPanel } from "./panel.ts";
import type { Panel } from "./panel.ts";
import { createSignalRow } from "./signalrow.ts";
import type { SignalRow } from "./signalrow.ts";

export interface Signals {
  readonly panel: Panel;
  /** New entries, or entries that have changed. */
  add(entries: readonly Entry[]): void;
  /** What stands beside the title: where this tab is, and under which policy. */
  describe(edge: string, policy: string): void;
}

/** What was signaled, as a ladder between this tab and its edge. */
export function createSignals(ledger: Ledger, limit: number, changed: () => void): Signals {
  const list = h("ol", { class: "rows", "aria-label": "Signals, oldest first" });
  const empty = h("p", { class: "empty" }, "Offers, answers and candidates show up here as they pass.");
  const scroller = h("div", { class: "scroller" }, empty, list);
  const edgeName = h("span", { class: "rail-edge" }, "Edge");
  const policyNote = h("p", { class: "policy" });
  const pause = h("button", { type: "button", class: "chip pause" });
  const filter = filterBar(list, ledger);
  const rows = new Map<number, SignalRow>();
  let paused = false;

  const follow = (work: () => void): void => {
    const bottom = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48;
    work();
    if (bottom && !paused) scroller.scrollTop = scroller.scrollHeight;
  };
  const draw = (entries: readonly Entry[]): void => {
    for (const entry of entries) {
      const row = rows.get(entry.id);
      if (row !== undefined) row.update();
      else if (!paused) append(entry);
    }
    const oldest = ledger.entries[0]?.id ?? 0;
    for (const [id, row] of rows) {
      if (id >= oldest) break;
      row.element.remove();
      rows.delete(id);
    }
    empty.hidden = rows.size > 0;
    showPause();
  };
  const append = (entry: Entry): void => {
    const row = createSignalRow(entry);
    rows.set(entry.id, row);
    list.append(row.element);
  };
  const showPause = (): void => {
    const waiting = paused ? ledger.entries.filter((entry) => !rows.has(entry.id)).length : 0;
    setAttribute(pause, "aria-pressed", String(paused));
    pause.replaceChildren(icon(paused ? "play" : "pause"), paused ? `Go on${waiting > 0 ? ` (${waiting} new)` : ""}` : "Pause");
  };
  pause.addEventListener("click", () => {
    paused = !paused;
    follow(() => draw(ledger.entries));
  });
  moveByArrows(list);
  showPause();

  const rails = h("div", { class: "rails", "aria-hidden": "true" }, h("span", {}), h("span", { class: "rail-names" }, h("span", {}, "You"), edgeName), h("span", {}));
  const head = h("div", { class: "signals-head" }, policyNote, filter.element, rails);
  const panel = createPanel("signals", "What was signaled", pause, [head, scroller], undefined, () => {
    scroller.scrollTop = scroller.scrollHeight;
    changed();
  });
  draw(ledger.entries);
  return {
    panel,
    add(entries) {
      follow(() => draw(entries));
      filter.count();
    },
    describe(edge, policy) {
      setText(edgeName, edge);
      setText(policyNote, `${policyText(policy)} Keeps ${limit} lines.`);
    },
  };
}

/** What a candidate policy lets pass, in a sentence. */
export function policyText(policy: string): string {
  if (policy === "all") return "Policy all (development): private addresses pass.";
  if (policy === "relay") return "Policy relay: only relayed candidates pass.";
  return `Policy ${policy}: private addresses never pass.`;
}

/** Buttons that show or hide the lines of a kind. What they hide is CSS's business. */
function filterBar(list: HTMLElement, ledger: Ledger): { element: HTMLElement; count(): void } {
  const hidden = new Set<Kind>();
  const counters = new Map<Kind, HTMLElement>();
  const chips = kinds.map((kind) => {
    const counter = h("span", { class: "chip-count" }, "0");
    counters.set(kind, counter);
    const chip = h("button", { type: "button", class: "chip", "data-kind": kind, "aria-pressed": "true" }, kind, " ", counter);
    chip.addEventListener("click", () => {
      if (!hidden.delete(kind)) hidden.add(kind);
      chip.setAttribute("aria-pressed", String(!hidden.has(kind)));
      list.setAttribute("data-hide", [...hidden].join(" "));
    });
    return chip;
  });
  const count = (): void => {
    for (const kind of kinds) setText(counters.get(kind) as HTMLElement, String(ledger.counts[kind]));
  };
  count();
  return { element: h("div", { class: "chips", role: "group", "aria-label": "Show" }, ...chips), count };
}

function moveByArrows(list: HTMLElement): void {
  list.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    if (!(event.target instanceof HTMLElement) || !event.target.matches(".row-head")) return;
    const heads = [...list.querySelectorAll<HTMLElement>(".row-head")].filter((head) => head.offsetParent !== null);
    const next = heads[heads.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  });
}
