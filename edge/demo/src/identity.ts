const suffixKey = "parley-suffix";
const nameKey = "parley-name";
const letters = "abcdefghijkmnpqrstuvwxyz23456789";

const manners = ["amber", "brisk", "candid", "eager", "frank", "gentle", "hushed", "jolly", "lucid", "merry", "quiet", "plain", "ready", "sunny", "tidy", "warm"];
const places = ["anchor", "arbour", "balcony", "beacon", "bridge", "cabin", "ferry", "garden", "harbour", "hearth", "lantern", "meadow", "orchard", "porch", "quay", "veranda"];

/** A room name that can be said aloud, such as "quiet-harbour-47". */
export function friendlyRoom(random: () => number = Math.random): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? "room";
  return `${pick(manners)}-${pick(places)}-${10 + Math.floor(random() * 90)}`;
}

/**
 * The identity that this tab asks a token for: the name and four characters that stay with the tab. A reload thereby
 * replaces itself in the room, and two tabs of one person are two people.
 */
export function identityOf(name: string): string {
  return `${name}-${suffix()}`;
}

/** What to call somebody: the name in its presence, else its identity without the suffix that identityOf adds. */
export function displayName(identity: string, presence: unknown): string {
  const name = (presence as { name?: unknown } | null | undefined)?.name;
  if (typeof name === "string" && name.trim() !== "") return name.trim().slice(0, 64);
  return identity.replace(/-[a-z2-9]{4}$/, "") || identity;
}

/** One or two letters for a tile without a picture. */
export function initials(name: string): string {
  const words = name.trim().split(/[\s\-_.]+/).filter((word) => word !== "");
  const first = [...(words[0] ?? "?")][0] ?? "?";
  const last = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + last).toUpperCase();
}

/** One of `count` shades, always the same one for the same text. */
export function shade(text: string, count: number): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return sum % count;
}

export function rememberedName(): string {
  return read("localStorage", nameKey) ?? "";
}

export function rememberName(name: string): void {
  write("localStorage", nameKey, name);
}

let unstored: string | undefined;

function suffix(): string {
  const kept = read("sessionStorage", suffixKey) ?? unstored;
  if (kept !== undefined && /^[a-z2-9]{4}$/.test(kept)) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  unstored = Array.from(bytes, (byte) => letters[byte % letters.length]).join("");
  write("sessionStorage", suffixKey, unstored);
  return unstored;
}

// Storage throws where the browser's settings forbid it; the page then works without a memory.
function read(storage: "localStorage" | "sessionStorage", key: string): string | undefined {
  try {
    return window[storage].getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(storage: "localStorage" | "sessionStorage", key: string, value: string): void {
  try {
    window[storage].setItem(key, value);
  } catch {
    return;
  }
}
