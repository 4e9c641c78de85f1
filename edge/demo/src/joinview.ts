import { h, setAttribute, setText } from "./element.ts";
import { friendlyRoom, initials, shade } from "./identity.ts";
import { icon, mark } from "./icon.ts";
import type { IconName } from "./icon.ts";
import type { Media } from "./media.ts";
import type { Trouble } from "./trouble.ts";

export interface JoinActions {
  join(name: string, room: string): void;
  /** The room was typed or drawn: the page's address follows. */
  room(room: string): void;
}

export interface JoinView {
  readonly element: HTMLElement;
  update(state: { media: Media; joining: boolean; trouble: Trouble | undefined }): void;
  focus(): void;
}

/** So long at most that an identity of it stays under 128 bytes. */
const longestName = 28;
const longestRoom = 40;

/** The screen before a call: who you are, which room, and how the camera sees you. */
export function createJoinView(name: string, room: string, actions: JoinActions): JoinView {
  const nameInput = h("input", { id: "name", name: "name", type: "text", required: true, maxlength: longestName, autocomplete: "nickname", spellcheck: "false", value: name, enterkeyhint: "go" });
  const roomInput = h("input", { id: "room", name: "room", type: "text", required: true, maxlength: longestRoom, autocomplete: "off", autocapitalize: "none", spellcheck: "false", value: room, enterkeyhint: "go", "aria-describedby": "room-hint" });
  const submit = h("button", { type: "submit", class: "button primary join-button" }, h("span", {}, "Join"));
  const alert = h("div", { class: "trouble", role: "alert", hidden: true });
  const preview = createPreview(() => nameInput.value);
  const shuffle = (): void => {
    roomInput.value = friendlyRoom();
    actions.room(roomInput.value);
  };
  const form = h(
    "form",
    { class: "join-form", novalidate: true },
    field("name", "Your name", nameInput, "Your name is needed: the others see it on your picture."),
    field("room", "Room", h("div", { class: "with-button" }, roomInput, h("button", { type: "button", class: "icon-button", "aria-label": "Another room name", onclick: shuffle }, icon("shuffle"))), "A room needs a name. Any will do."),
    submit,
    h("p", { class: "hint", id: "room-hint" }, "Whoever opens this page's address comes to the same room."),
  );
  roomInput.addEventListener("input", () => actions.room(roomInput.value.trim()));
  nameInput.addEventListener("input", () => preview.rename());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (complain(nameInput) || complain(roomInput)) return;
    actions.join(nameInput.value.trim(), roomInput.value.trim());
  });
  const element = h(
    "div",
    { class: "join" },
    h("header", { class: "join-head" }, mark(), h("span", { class: "brand-name" }, "Parley")),
    h(
      "main",
      { class: "join-main" },
      preview.element,
      h(
        "div",
        { class: "join-side" },
        h("h1", { tabindex: -1 }, "Talk it over."),
        h("p", { class: "lede" }, "Cut the signal in the middle of a call, and the call goes on. Come back, and nothing was lost."),
        alert,
        form,
      ),
    ),
  );
  return {
    element,
    update({ media, joining, trouble }) {
      preview.update(media);
      setAttribute(submit, "aria-disabled", joining ? "true" : false);
      setText(submit.firstElementChild as Element, joining ? "Joining…" : "Join");
      submit.classList.toggle("busy", joining);
      showTrouble(alert, trouble);
    },
    focus: () => (nameInput.value === "" ? nameInput : submit).focus(),
  };
}

function field(id: string, label: string, control: Node, complaint: string): HTMLElement {
  return h("div", { class: "field" }, h("label", { for: id }, label), control, h("p", { class: "complaint", id: `${id}-complaint`, hidden: true }, complaint));
}

/** Shows what is missing in an input and goes there; says whether it had to. */
function complain(input: HTMLInputElement): boolean {
  const missing = input.value.trim() === "";
  const complaint = document.getElementById(`${input.id}-complaint`);
  if (complaint !== null) complaint.hidden = !missing;
  setAttribute(input, "aria-invalid", missing ? "true" : false);
  const hint = input.id === "room" ? "room-hint " : "";
  setAttribute(input, "aria-describedby", missing ? `${hint}${input.id}-complaint` : hint.trim() || false);
  if (missing) input.focus();
  return missing;
}

function showTrouble(alert: HTMLElement, trouble: Trouble | undefined): void {
  const key = trouble === undefined ? "" : `${trouble.title}${trouble.text}`;
  if (alert.dataset["key"] === key) return;
  alert.dataset["key"] = key;
  alert.hidden = trouble === undefined;
  alert.replaceChildren();
  if (trouble === undefined) return;
  const words = h("div", {}, h("p", { class: "trouble-title" }, trouble.title), h("p", {}, trouble.text));
  if (trouble.code !== undefined) words.append(h("p", { class: "trouble-code" }, h("code", {}, trouble.code)));
  alert.append(icon("alert"), words);
}

function createPreview(nameNow: () => string): { element: HTMLElement; update(media: Media): void; rename(): void } {
  const video = h("video", { playsinline: true, autoplay: true, "aria-label": "Your camera", tabindex: -1 });
  video.muted = true;
  const letters = h("span", {});
  const face = h("div", { class: "face", "aria-hidden": "true" }, letters);
  const mic = toggleButton();
  const camera = toggleButton();
  const problem = h("p", { class: "problem", role: "status" });
  const frame = h("div", { class: "preview-frame" }, face, video, problem, h("div", { class: "preview-tools", role: "group", "aria-label": "Devices" }, mic.button, camera.button));
  const element = h("section", { class: "preview", "aria-label": "How you'll be seen" }, frame);
  const rename = (): void => {
    setText(letters, nameNow().trim() === "" ? "" : initials(nameNow()));
    setAttribute(frame, "data-shade", String(shade(nameNow(), 6)));
  };
  let media: Media | undefined;
  mic.button.addEventListener("click", () => void media?.setMic(!media.mic));
  camera.button.addEventListener("click", () => void media?.setCamera(!media.camera));
  rename();
  return {
    element,
    rename,
    update(next) {
      media = next;
      const shown = next.camera ? next.stream : null; // a stream without tracks would keep the page from being loaded
      if (video.srcObject !== shown) video.srcObject = shown;
      setAttribute(frame, "data-picture", next.camera);
      setAttribute(video, "aria-hidden", next.camera ? false : "true");
      mic.set(next.mic ? "mic" : "mic-off", next.mic ? "Mute the microphone" : "Unmute the microphone", next.mic);
      camera.set(next.camera ? "camera" : "camera-off", next.camera ? "Turn the camera off" : "Turn the camera on", next.camera);
      setText(problem, next.asking ? "The browser asks whether this page may use your camera and microphone." : next.problem);
    },
  };
}

function toggleButton(): { button: HTMLButtonElement; set(name: IconName, label: string, on: boolean): void } {
  const button = h("button", { type: "button", class: "round" });
  let shown = "";
  return {
    button,
    set(name, label, on) {
      if (shown === label) return;
      shown = label;
      button.setAttribute("aria-label", label);
      button.title = label;
      setAttribute(button, "data-off", !on);
      button.replaceChildren(icon(name));
    },
  };
}
