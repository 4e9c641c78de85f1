import { announce } from "./announcer.ts";
import { startCall, CallError } from "./call.ts";
import type { Call, CallEvents } from "./call.ts";
import { createCallView } from "./callview.ts";
import type { CallView } from "./callview.ts";
import { friendlyRoom, rememberedName, rememberName } from "./identity.ts";
import { createJoinView } from "./joinview.ts";
import type { JoinView } from "./joinview.ts";
import { Media } from "./media.ts";
import type { Trouble } from "./trouble.ts";

/** The page: a screen to join, then a call, and back. */
class Page {
  readonly #root: HTMLElement;
  #media: Media;
  #join: JoinView | undefined;
  #call: Call | undefined;
  #view: CallView | undefined;
  #joining = false;
  #trouble: Trouble | undefined;
  #room: string;
  #name: string;

  constructor(root: HTMLElement, query: URLSearchParams) {
    this.#root = root;
    this.#room = query.get("room")?.trim() || friendlyRoom();
    this.#name = query.get("name")?.trim() || rememberedName();
    this.#media = this.#openMedia();
    this.#address(this.#room);
    this.#showJoin();
    if (query.get("join") === "1" && this.#name !== "") void this.#enter(this.#name, this.#room);
    addEventListener("pagehide", () => void this.#call?.leave());
  }

  #openMedia(): Media {
    const media: Media = new Media(() => this.#mediaChanged(media));
    void media.open();
    return media;
  }

  #mediaChanged(media: Media): void {
    if (media !== this.#media) return;
    this.#call?.share();
    this.#draw();
  }

  #showJoin(): void {
    document.title = "Parley";
    this.#join = createJoinView(this.#name, this.#room, {
      join: (name, room) => void this.#enter(name, room),
      room: (room) => this.#address(room),
    });
    this.#root.replaceChildren(this.#join.element);
    this.#draw();
    this.#join.focus();
  }

  async #enter(name: string, room: string): Promise<void> {
    if (this.#joining) return;
    this.#joining = true;
    this.#trouble = undefined;
    this.#name = name;
    this.#address(room);
    rememberName(name);
    this.#draw();
    try {
      const call = await startCall(name, room, this.#media, this.#events());
      this.#showCall(call);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.#trouble = error.trouble;
    } finally {
      this.#joining = false;
      this.#draw();
    }
  }

  // The call exists before its view; what it says until then is in its ledger and its roster.
  #events(): CallEvents {
    return {
      changed: () => this.#view?.changed(),
      said: (text) => this.#view?.said(text),
      chat: (line) => this.#view?.chat(line),
      frames: (entries) => this.#view?.frames(entries),
      renamed: (previous, id) => this.#view?.renamed(previous, id),
      ended: (trouble) => this.#leave(trouble),
    };
  }

  #showCall(call: Call): void {
    this.#call = call;
    this.#join = undefined;
    document.title = `${call.room.name} · Parley`;
    this.#view = createCallView(call, this.#media, () => this.#link(), () => this.#leave(undefined));
    this.#root.replaceChildren(this.#view.element);
    this.#view.focus();
    call.share();
    const others = call.room.peers.size;
    announce(`You are in ${call.room.name}. ${others === 0 ? "Nobody else is here yet" : `${others} ${others === 1 ? "other" : "others"}`}`);
  }

  #leave(trouble: Trouble | undefined): void {
    void this.#call?.leave();
    this.#view?.close();
    this.#call = undefined;
    this.#view = undefined;
    this.#trouble = trouble;
    const before = this.#media;
    this.#media = this.#openMedia();
    this.#media.wantsMic = before.wantsMic;
    this.#media.wantsCamera = before.wantsCamera;
    before.close();
    this.#showJoin();
    if (trouble === undefined) announce("You left the call");
  }

  #draw(): void {
    this.#join?.update({ media: this.#media, joining: this.#joining, trouble: this.#trouble });
    this.#view?.changed();
  }

  /** The address of the page always leads to the room. */
  #address(room: string): void {
    this.#room = room;
    history.replaceState(null, "", room === "" ? location.pathname : this.#link());
  }

  #link(): string {
    return `${location.origin}${location.pathname}?room=${encodeURIComponent(this.#room)}`;
  }
}

const root = document.getElementById("app");
if (root !== null) new Page(root, new URLSearchParams(location.search));
