/**
 * The camera and the microphone of this tab. A camera that is off is given back to the system, so that its light goes
 * out; a microphone that is off stays open and sends silence, so that it is back at once.
 */
export class Media {
  readonly stream: MediaStream = new MediaStream();
  /** Why a device is missing, in words for the user. */
  problem = "";
  /** Whether the user is still being asked. */
  asking = false;
  wantsMic = true;
  wantsCamera = true;
  readonly #changed: () => void;
  #closed = false;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get mic(): boolean {
    return this.wantsMic && this.stream.getAudioTracks().length > 0;
  }

  get camera(): boolean {
    return this.wantsCamera && this.stream.getVideoTracks().length > 0;
  }

  /** Asks for both devices, then for whichever there is. Never fails: `problem` says what is missing. */
  async open(): Promise<void> {
    const failed = await this.#take(true, true);
    if (failed === undefined) return;
    if (refused(failed)) this.problem = explain(failed);
    else if ((await this.#take(true, false)) === undefined) this.problem = "No camera was found. You can join with your microphone.";
    else if ((await this.#take(false, true)) === undefined) this.problem = "No microphone was found. You can join with your camera.";
    else this.problem = explain(failed);
    this.#changed();
  }

  async setMic(on: boolean): Promise<void> {
    this.wantsMic = on;
    for (const track of this.stream.getAudioTracks()) track.enabled = on;
    if (on && this.stream.getAudioTracks().length === 0) await this.#retry(true, false);
    this.#changed();
  }

  async setCamera(on: boolean): Promise<void> {
    this.wantsCamera = on;
    if (on && this.stream.getVideoTracks().length === 0) await this.#retry(false, true);
    if (!on) this.#drop(this.stream.getVideoTracks());
    this.#changed();
  }

  close(): void {
    this.#closed = true;
    this.#drop(this.stream.getTracks());
  }

  async #retry(audio: boolean, video: boolean): Promise<void> {
    const failed = await this.#take(audio, video);
    this.problem = failed === undefined ? "" : explain(failed);
  }

  /** Adds the devices to the stream; returns why it couldn't. */
  async #take(audio: boolean, video: boolean): Promise<unknown> {
    this.asking = true;
    this.#changed();
    try {
      if (navigator.mediaDevices === undefined) return new DOMException("", "SecurityError");
      const size = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24 }, facingMode: "user" };
      const got = await navigator.mediaDevices.getUserMedia({ audio, video: video && size });
      for (const track of got.getTracks()) this.#keep(track);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      this.asking = false;
      this.#changed();
    }
  }

  // The user may have changed their mind, or left, while the browser was asking.
  #keep(track: MediaStreamTrack): void {
    const unwanted = this.#closed || (track.kind === "video" && !this.wantsCamera);
    if (unwanted || this.stream.getTracks().some((one) => one.kind === track.kind)) return track.stop();
    if (track.kind === "audio") track.enabled = this.wantsMic;
    track.addEventListener("ended", () => {
      this.stream.removeTrack(track);
      this.#changed();
    });
    this.stream.addTrack(track);
  }

  #drop(tracks: MediaStreamTrack[]): void {
    for (const track of tracks) {
      track.stop();
      this.stream.removeTrack(track);
    }
  }
}

function refused(error: unknown): boolean {
  return error instanceof DOMException && ["NotAllowedError", "SecurityError"].includes(error.name);
}

function explain(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  const still = "You can join without: you'll see, hear and write to the others.";
  if (name === "SecurityError") return `Browsers hand out cameras on https:// and on localhost only. ${still}`;
  if (name === "NotAllowedError") return `The browser keeps camera and microphone from this page. Allow them beside its address, or join without: you'll see, hear and write to the others.`;
  if (name === "NotReadableError") return `Another program uses your camera or microphone. ${still}`;
  return `No camera or microphone was found. ${still}`;
}
