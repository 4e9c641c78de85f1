/**
 * A frame as people read it: JSON with indentation, except that text of several lines (SDP) stands as lines, for that
 * is what one looks for.
 */
export function frameText(value: unknown, indent = ""): string {
  const inner = indent + "  ";
  if (typeof value === "string") return stringText(value, inner);
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return "[\n" + value.map((one) => inner + frameText(one, inner)).join(",\n") + "\n" + indent + "]";
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, one]) => one !== undefined);
    if (members.length === 0) return "{}";
    const lines = members.map(([name, one]) => `${inner}${JSON.stringify(name)}: ${frameText(one, inner)}`);
    return "{\n" + lines.join(",\n") + "\n" + indent + "}";
  }
  return JSON.stringify(value) ?? "null";
}

function stringText(text: string, indent: string): string {
  const lines = text.split(/\r\n|\n/);
  if (lines.length < 3) return JSON.stringify(text);
  if (lines.at(-1) === "") lines.pop();
  return "\n" + lines.map((line) => indent + line).join("\n");
}

/** Bytes in few characters: "94 B", "2.1 kB". */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return `${(bytes / 1000).toFixed(bytes < 9950 ? 1 : 0)} kB`;
}

/** The time of day to the millisecond, in the reader's zone. */
export function clockText(at: number): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** An edge's id without the words that all of them share, short enough to compare at a glance. */
export function shortEdge(edge: string): string {
  return edge.replace(/^edge-/, "").slice(0, 6);
}
