import { announce } from "./announcer.ts";
import { copyText } from "./clipboard.ts";
import { h, setText } from "./element.ts";
import { clockText, frameText, shortEdge, sizeText } from "./frametext.ts";
import { icon } from "./icon.ts";
import type { Entry } from "./ledger.ts";

export interface SignalRow {
  readonly element: HTMLLIElement;
  update(): void;
}

/** One line of the list: a rung of the ladder between this tab and its edge. */
export function createSignalRow(entry: Entry): SignalRow {
  if (entry.form === "note") return noteRow(entry);
  if (entry.form === "quiet") return quietRow(entry);
  return frameRow(entry);
}

function noteRow(entry: Entry): SignalRow {
  return { element: h("li", { class: "row note" }, h("span", {}, entry.text)), update: () => undefined };
}

function quietRow(entry: Entry): SignalRow {
  const text = h("span", { class: "quiet-text" });
  const element = h("li", { class: "row quiet" }, text);
  const update = (): void => setText(text, entry.count > 1 ? `${entry.text} · ${entry.count} frames` : entry.text);
  update();
  return { element, update };
}

function frameRow(entry: Entry): SignalRow {
  const detailId = `frame-${entry.id}`;
  const meta = h("span", { class: "row-meta" });
  const verdict = h("span", { class: "row-verdict", hidden: true });
  const sent = entry.direction === "out";
  const button = h(
    "button",
    { type: "button", class: "row-head", "aria-expanded": "false", "aria-controls": detailId },
    h("time", { datetime: new Date(entry.at).toISOString() }, clockText(entry.at).slice(3)),
    h("span", { class: "visually-hidden" }, sent ? "sent" : "received"),
    h("span", { class: "rung" }, h("span", { class: "rung-type" }, entry.type)),
    h("span", { class: "row-who" }, h("span", { class: "row-name" }, whoText(entry)), meta),
    verdict,
  );
  const detail = h("div", { class: "row-detail", id: detailId, hidden: true });
  const element = h("li", { class: "row", "data-kind": entry.kind, "data-direction": entry.direction }, button, detail);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    detail.hidden = !open;
    if (open) detail.replaceChildren(...details(entry));
  });
  const update = (): void => {
    setText(meta, metaText(entry));
    verdict.hidden = entry.verdict === undefined;
    setText(verdict, entry.verdict ?? "");
    element.classList.toggle("judged", entry.verdict !== undefined);
    if (!detail.hidden) detail.replaceChildren(...details(entry));
  };
  update();
  return { element, update };
}

function whoText(entry: Entry): string {
  if (entry.who === "") return "edge";
  if (entry.kind === "room" || isVerdict(entry)) return entry.who;
  return `${entry.direction === "out" ? "to" : "from"} ${entry.who}`;
}

function isVerdict(entry: Entry): boolean {
  return entry.type === "filtered" || entry.type === "error";
}

function metaText(entry: Entry): string {
  const parts = [entry.seq === undefined ? "" : `#${entry.seq}`, sizeText(entry.bytes)];
  if (entry.settled !== undefined) parts.push(`✓ ${entry.settled} ms`);
  return parts.filter(Boolean).join(" · ");
}

function details(entry: Entry): HTMLElement[] {
  const facts: [string, string | Node][] = [
    ["Time", clockText(entry.at)],
    [isVerdict(entry) ? "Verdict" : entry.direction === "out" ? "To" : "From", entry.who === "" ? "the edge" : entry.who],
    ["Size", `${entry.bytes} bytes`],
    ["Edge", shortEdge(entry.edge)],
  ];
  if (entry.seq !== undefined) facts.push(["seq", `${entry.seq}`]);
  if (entry.settled !== undefined) facts.push(["Settled", `after ${entry.settled} ms`]);
  if (entry.verdict !== undefined) facts.push(["Verdict", entry.verdict]);
  if (entry.trace !== undefined) facts.push(["Trace", traceNode(entry.trace)]);
  const list = h("dl", { class: "row-facts" });
  for (const [name, value] of facts) list.append(h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  return [list, h("pre", { tabindex: 0, role: "region", "aria-label": `Frame ${entry.type}` }, frameText(entry.frame))];
}

function traceNode(trace: string): Node {
  const button = h("button", { type: "button", class: "copy", "aria-label": "Copy the trace id" }, icon("copy"));
  button.addEventListener("click", async () => {
    const done = await copyText(trace);
    announce(done ? "Trace id copied" : "The browser doesn't let this page copy");
    button.replaceChildren(icon(done ? "check" : "copy"));
  });
  return h("span", { class: "trace" }, h("code", {}, trace), button);
}
