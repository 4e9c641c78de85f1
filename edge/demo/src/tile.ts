import { h, setAttribute, setText } from "./element.ts";
import { icon } from "./icon.ts";
import { initials, shade } from "./identity.ts";
import type { LinkState } from "./signal.ts";

/** How many shades app.css has for tiles without a picture. */
const shades = 6;

export interface TileState {
  name: string;
  identity: string;
  self: boolean;
  mic: boolean;
  camera: boolean;
  /** Undefined for one's own tile. */
  link: LinkState | undefined;
  /** Tracks to show; the tile keeps one stream of its own for them. */
  tracks: readonly MediaStreamTrack[];
}

export interface Tile {
  readonly element: HTMLLIElement;
  readonly video: HTMLVideoElement;
  update(state: TileState): void;
  speaking(on: boolean): void;
}

/** One person: a picture or initials, a name, and how the connection with them is. */
export function createTile(self: boolean, play: (video: HTMLVideoElement) => void): Tile {
  const video = h("video", { playsinline: true, autoplay: true, tabindex: -1 });
  video.muted = self;
  const face = h("div", { class: "face", "aria-hidden": "true" }, h("span", {}, ""));
  const name = h("span", { class: "tile-name" });
  const muted = h("span", { class: "tile-muted", hidden: true }, icon("mic-off"), h("span", { class: "visually-hidden" }, "microphone off"));
  const state = h("span", { class: "tile-state" });
  const element = h("li", { class: "tile" }, face, video, h("div", { class: "labels" }, h("div", { class: "tag" }, muted, name), state));
  const stream = new MediaStream();

  // Whether frames have come tells the video itself: Chromium may call a track muted whose media flows (after an offer
  // was rolled back).
  let wanted = false;
  const showPicture = (): void => {
    const picture = wanted && video.videoWidth > 0;
    setAttribute(element, "data-picture", picture);
    setAttribute(video, "aria-hidden", picture ? false : "true");
  };
  video.addEventListener("resize", showPicture);

  return {
    element,
    video,
    update(next) {
      setText(name, next.self ? `${next.name} (you)` : next.name);
      setText(face.firstElementChild as Element, initials(next.name));
      setAttribute(element, "data-shade", String(shade(next.identity, shades)));
      setAttribute(element, "data-self", next.self);
      muted.hidden = next.mic;
      if (syncTracks(stream, next.tracks)) {
        // A video that waits for a first track keeps the page from being loaded.
        video.srcObject = next.tracks.length > 0 ? stream : null;
        if (next.tracks.length > 0) play(video);
      }
      wanted = next.camera && next.tracks.some((track) => track.kind === "video" && track.readyState === "live");
      showPicture();
      setAttribute(video, "aria-label", `Video of ${next.name}`);
      state.hidden = next.link === undefined;
      setAttribute(element, "data-tone", next.link?.tone ?? false);
      setText(state, next.link?.text ?? "");
    },
    speaking(on) {
      setAttribute(element, "data-speaking", on);
    },
  };
}

/** Makes the stream hold exactly these tracks; says whether it had to change. */
function syncTracks(stream: MediaStream, tracks: readonly MediaStreamTrack[]): boolean {
  let changed = false;
  for (const track of stream.getTracks()) {
    if (!tracks.includes(track)) {
      stream.removeTrack(track);
      changed = true;
    }
  }
  for (const track of tracks) {
    if (!stream.getTracks().includes(track)) {
      stream.addTrack(track);
      changed = true;
    }
  }
  return changed;
}
