import type { Call, Person } from "./call.ts";
import { h, setText } from "./element.ts";
import { icon } from "./icon.ts";
import { arrange } from "./layout.ts";
import type { Media } from "./media.ts";
import { linkStateOf } from "./signal.ts";
import { createTile } from "./tile.ts";
import type { Tile } from "./tile.ts";

export interface Stage {
  readonly element: HTMLElement;
  update(call: Call, media: Media): void;
  /** The tile of one peer becomes that of another: the same person under a new id. */
  rename(previous: string, id: string): void;
  close(): void;
}

const gap = 12;
const listenEvery = 200;
const audible = 0.02;

/** Everyone's tiles, arranged so that they fill the place there is. `copyLink` is what the invitation offers. */
export function createStage(copyLink: () => void, openTab: () => string): Stage {
  const tiles = new Map<string, Tile>();
  const list = h("ul", { class: "tiles", "aria-label": "People in the call" });
  const sound = h("button", { type: "button", class: "sound", hidden: true, onclick: () => unmute() }, "Turn the sound on");
  const element = h("div", { class: "stage" }, list, sound);
  const invitation = invite(copyLink, openTab);
  let people: Person[] = [];

  // Browsers play no sound before the user has touched the page, which a deep link doesn't ask them to.
  const play = (video: HTMLVideoElement): void => {
    video.play().catch((error: unknown) => {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError" || video.muted) return;
      video.muted = true;
      sound.hidden = false;
      void video.play().catch(() => undefined);
    });
  };
  const unmute = (): void => {
    sound.hidden = true;
    for (const [id, tile] of tiles) tile.video.muted = id === "self";
  };

  const layOut = (): void => {
    const style = getComputedStyle(list);
    const width = list.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = list.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const layout = arrange(list.childElementCount, width, height, gap);
    list.style.setProperty("--tile-width", `${layout.width}px`);
    list.style.setProperty("--tile-height", `${layout.height}px`);
  };
  const observer = new ResizeObserver(layOut);
  observer.observe(list);

  const timer = setInterval(() => {
    for (const person of people) tiles.get(person.id)?.speaking(person.mic && loudness(person) > audible);
  }, listenEvery);

  const tileOf = (id: string): Tile => {
    let tile = tiles.get(id);
    if (tile === undefined) {
      tile = createTile(id === "self", play);
      tiles.set(id, tile);
    }
    return tile;
  };

  return {
    element,
    update(call, media) {
      people = call.people();
      for (const id of [...tiles.keys()]) {
        if (id === "self" || people.some((person) => person.id === id)) continue;
        tiles.get(id)?.element.remove();
        tiles.delete(id);
      }
      const order = people.map((person) => {
        const tile = tileOf(person.id);
        tile.update({ ...person, self: false, link: linkStateOf(person.link?.state, person.here), tracks: tracksOf(person) });
        return tile.element;
      });
      const self = tileOf("self");
      self.update({
        name: call.name, identity: call.room.self.identity, self: true, mic: media.mic, camera: media.camera,
        link: undefined, tracks: media.stream.getVideoTracks(),
      });
      order.push(self.element);
      if (people.length === 0) order.push(invitation);
      settle(list, order);
      layOut();
    },
    rename(previous, id) {
      const tile = tiles.get(previous);
      if (tile === undefined || tiles.has(id)) return;
      tiles.delete(previous);
      tiles.set(id, tile);
    },
    close() {
      observer.disconnect();
      clearInterval(timer);
      for (const tile of tiles.values()) tile.video.srcObject = null;
    },
  };
}

/** Brings the children into order without moving those that stand right: a moved video stutters. */
function settle(list: HTMLElement, order: readonly HTMLElement[]): void {
  for (const child of [...list.children]) if (!order.includes(child as HTMLElement)) child.remove();
  order.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}

function tracksOf(person: Person): MediaStreamTrack[] {
  if (person.link === undefined || person.link.pc.connectionState === "closed") return [];
  // What the other side has taken back for good receives nothing any more.
  return person.link.pc
    .getTransceivers()
    .filter(({ currentDirection }) => currentDirection === "sendrecv" || currentDirection === "recvonly")
    .map(({ receiver }) => receiver.track);
}

function loudness(person: Person): number {
  const receivers = person.link?.pc.connectionState === "connected" ? person.link.pc.getReceivers() : [];
  const levels = receivers.flatMap((receiver) => receiver.getSynchronizationSources().map((source) => source.audioLevel ?? 0));
  return Math.max(0, ...levels);
}

function invite(copyLink: () => void, openTab: () => string): HTMLLIElement {
  const title = h("p", { class: "invite-title" }, "You're the first one here");
  setText(title, "You're the first one here");
  const tab = h("a", { class: "button", href: "", target: "_blank", rel: "noopener" }, "Open a second tab");
  tab.addEventListener("pointerdown", () => (tab.href = openTab()));
  tab.href = openTab();
  return h(
    "li",
    { class: "tile invite" },
    title,
    h("p", { class: "invite-text" }, "Send the link to somebody, or be your own company."),
    h("div", { class: "invite-actions" }, h("button", { type: "button", class: "button primary", onclick: copyLink }, icon("link"), "Copy the link"), tab),
  );
}
